import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { type Fault, failed, fault, harmless, refused, shown, tooMuch } from "./fault.ts";
import { answer, chunk, chunked, flood, type Wire } from "./wire.ts";

const bombs = new Map<string, Uint8Array>();

/** 64 MiB of spaces in some KB, made when it is first asked for. */
function bomb(encoding: string, compress: (bytes: Uint8Array) => Uint8Array): (wire: Wire) => void {
  return (wire) => {
    const made = bombs.get(encoding) ?? compress(Buffer.alloc(64 * 1024 * 1024, " "));
    bombs.set(encoding, made);
    answer(wire, made, { headers: [`Content-Encoding: ${encoding}`] });
  };
}

function encoded(encoding: string, change: (body: string) => Uint8Array | string): (wire: Wire) => void {
  return (wire) => answer(wire, change(wire.body()), { headers: [`Content-Encoding: ${encoding}`] });
}

const nested = failed(/compressed more than once/);
const notGzip = failed(/not valid gzip/);

/** What goes wrong with content encodings. */
export const encodingFaults: readonly Fault[] = [
  fault("sends a gzip bomb", bomb("gzip", gzipSync), { all: tooMuch }),
  fault(
    "sends a brotli bomb",
    bomb("br", (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })),
    { all: tooMuch },
  ),
  fault("sends a zstd bomb", bomb("zstd", zstdCompressSync), { all: tooMuch }),
  fault("sends a deflate bomb", bomb("deflate", deflateSync), { all: tooMuch }),
  fault(
    "sends gzip members without end",
    (wire) => {
      const member = gzipSync(Buffer.alloc(1024, " "));
      flood(
        wire,
        chunked(wire.type, "Content-Encoding: gzip"),
        chunk(Buffer.concat(Array(300).fill(member))),
      );
    },
    { all: tooMuch },
  ),
  fault(
    "sends a gzip bomb inside gzip",
    (wire) =>
      answer(wire, gzipSync(gzipSync(Buffer.alloc(64 * 1024 * 1024))), {
        headers: ["Content-Encoding: gzip, gzip"],
      }),
    { all: nested },
  ),
  fault(
    "names ten encodings",
    encoded(Array.from({ length: 10 }, () => "gzip").join(", "), (body) => gzipSync(body)),
    { all: nested },
  ),
  fault(
    "sends gzip that is cut off",
    encoded("gzip", (body) => gzipSync(body).subarray(0, 15)),
    { all: notGzip },
  ),
  fault(
    "sends gzip that is none",
    encoded("gzip", (body) => body),
    { all: notGzip },
  ),
  fault(
    "sends gzip with a wrong checksum",
    encoded("gzip", (body) => {
      const bytes = gzipSync(body);
      bytes[bytes.length - 6] = (bytes[bytes.length - 6] ?? 0) ^ 0xff;
      return bytes;
    }),
    { all: notGzip },
  ),
  fault(
    "sends an answer in gzip",
    encoded("gzip", (body) => gzipSync(body)),
    { all: harmless },
  ),
  fault(
    "sends an encoding that does not exist",
    encoded("evil", (body) => body),
    // Nothing was encoded after all.
    { all: harmless },
  ),
  fault("sends compressed bytes that it does not call so", (wire) => answer(wire, gzipSync(wire.body())), {
    REST: shown(/./),
    GraphQL: refused(/no GraphQL answer/),
    "MCP JSON": failed(/not JSON-RPC/),
    "MCP SSE": failed(/did not answer|no answer|without a result|ended/),
    "token endpoint": failed(/no token answer/),
    JWKS: failed(/no JSON object/),
  }),
];
