import { GatewayError } from "../errors.ts";

/** Collects a streamed body. Fails with `answer_too_large`, and leaves the stream, as soon as there are more than `maxBytes`. */
export async function readLimited(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > maxBytes) throw tooLarge("The upstream", maxBytes);
    chunks.push(chunk);
  }
  return joinChunks(chunks, length);
}

/** One array of all chunks; the common single chunk is not copied. */
export function joinChunks(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length);
}

/** The error for an answer that exceeds its limit; `sender` begins the sentence. */
export function tooLarge(sender: string, maxBytes: number): GatewayError {
  return new GatewayError(
    "answer_too_large",
    `${sender} answered with more than ${bytes(maxBytes)}. Ask for less, for example with a filter or a smaller page.`,
    { details: { limit: maxBytes } },
  );
}

function bytes(count: number): string {
  const mebibyte = 1024 * 1024;
  if (count >= mebibyte && count % mebibyte === 0) return `${count / mebibyte} MiB`;
  return count >= 1024 && count % 1024 === 0 ? `${count / 1024} KiB` : `${count} bytes`;
}
