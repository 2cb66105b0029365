import { GatewayError } from "../errors.ts";
import { settingOf } from "./http-limits.ts";

/**
 * Collects a streamed body. Fails with `answer_too_large`, and leaves the stream, as soon as there are more than `maxBytes`.
 *
 * @param setAt see {@link tooLarge}.
 */
export async function readLimited(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  setAt?: string,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > maxBytes) throw tooLarge("The upstream", maxBytes, setAt);
    addChunk(chunks, chunk);
  }
  return joinChunks(chunks, length);
}

/** So many chunks are looked at together, and are small if they have fewer bytes altogether. */
const together = { chunks: 256, bytes: 64 * 1024 };

/**
 * Adds a chunk to those that were collected. Many small ones are put together on the way: each is a view that takes far more memory
 * than its bytes, and keeps all that was read with it.
 */
export function addChunk(chunks: Uint8Array[], chunk: Uint8Array): void {
  chunks.push(chunk);
  if (chunks.length % together.chunks !== 0) return;
  const last = chunks.slice(-together.chunks);
  const length = last.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (length < together.bytes) chunks.splice(-together.chunks, together.chunks, Buffer.concat(last, length));
}

/** One array of all chunks; the common single chunk is not copied. */
export function joinChunks(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length);
}

/**
 * The error for an answer that exceeds its limit.
 *
 * @param sender begins the sentence.
 * @param setAt where the operator's file sets the limit, by `key`; `undefined`: nowhere.
 */
export function tooLarge(
  sender: string,
  maxBytes: number,
  setAt?: string,
  key = "answer_size",
): GatewayError {
  return new GatewayError(
    "answer_too_large",
    `${sender} answered with more than ${bytes(maxBytes)}${settingOf(setAt, key)}. Ask for less, for example with a filter or a smaller page.`,
    { details: { limit: maxBytes } },
  );
}

function bytes(count: number): string {
  const mebibyte = 1024 * 1024;
  if (count >= mebibyte && count % mebibyte === 0) return `${count / mebibyte} MiB`;
  return count >= 1024 && count % 1024 === 0 ? `${count / 1024} KiB` : `${count} bytes`;
}
