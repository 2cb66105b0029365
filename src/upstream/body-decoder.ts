import { constants } from "node:buffer";
import type { Transform } from "node:stream";
import {
  brotliDecompressSync,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from "node:zlib";
import { GatewayError } from "../errors.ts";

/** What the client announces that it can undo. */
export const acceptedEncodings = "gzip, deflate, br, zstd";

/** One content encoding that {@link createBodyDecoder} undoes. */
export type ContentEncoding = "gzip" | "deflate" | "br" | "zstd";

/**
 * Reads a `content-encoding` header (RFC 9110, section 8.4). `undefined`: the body is passed on as it is, because it is
 * not encoded or in a way that was never announced. More than one encoding fails with `upstream_failed`: no honest
 * server nests them, and each layer multiplies what a small body can grow to.
 */
export function readContentEncoding(
  header: string | string[] | undefined,
  host: string,
): ContentEncoding | undefined {
  if (header === undefined) return undefined;
  const list = typeof header === "string" ? header : header.join(",");
  const encodings = list
    .split(",")
    .map((encoding) => encoding.trim().toLowerCase())
    .filter((encoding) => encoding !== "" && encoding !== "identity");
  if (encodings.length > 1) {
    throw new GatewayError(
      "upstream_failed",
      `${host} sent a body that is compressed more than once, which is not accepted.`,
    );
  }
  switch (encodings[0]) {
    case "gzip":
    case "x-gzip":
      return "gzip";
    case "deflate":
    case "br":
    case "zstd":
      return encodings[0];
    default:
      return undefined;
  }
}

/**
 * Undoes one encoding of a whole body. For the small bodies of most answers this takes a tenth of what a stream takes.
 * `undefined`: it is more than `maxBytes`, of which no more were made. Throws zlib's own error for a body that is not so encoded.
 */
export function decodeWhole(
  encoding: ContentEncoding,
  body: Uint8Array,
  maxBytes: number,
): Uint8Array | undefined {
  const options = { maxOutputLength: Math.min(Math.max(maxBytes, 1), constants.MAX_LENGTH) };
  try {
    switch (encoding) {
      case "gzip":
        return gunzipSync(body, options);
      case "br":
        return brotliDecompressSync(body, options);
      case "zstd":
        return zstdDecompressSync(body, options);
      case "deflate":
        return hasZlibHeader(body[0]) ? inflateSync(body, options) : inflateRawSync(body, options);
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A stream that undoes one encoding. `firstByte` tells the two things apart that servers send as `deflate`. */
export function createBodyDecoder(encoding: ContentEncoding, firstByte: number | undefined): Transform {
  switch (encoding) {
    case "gzip":
      return createGunzip();
    case "br":
      return createBrotliDecompress();
    case "zstd":
      return createZstdDecompress();
    case "deflate":
      return hasZlibHeader(firstByte) ? createInflate() : createInflateRaw();
  }
}

/** The header (RFC 1950) says method 8 in the low half of its first byte; many servers leave the header out. */
function hasZlibHeader(firstByte: number | undefined): boolean {
  return firstByte !== undefined && (firstByte & 0x0f) === 8;
}
