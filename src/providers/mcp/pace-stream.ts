import { waitFor } from "../wait.ts";

/** Bytes in a second that are read of a stream which nobody waits for. */
const bytesPerSecond = 256 * 1024;
/** What a piece takes beside its own bytes. */
const pieceCost = 64;

/**
 * Reads what a server says unasked no faster than 256 KiB in a second, on average and beyond `burst` bytes: a server that never stops
 * talking is made to wait, and takes no time from anybody else. It is not ended, as there is no telling what it will say next.
 *
 * @param signal ends the wait.
 * @param now milliseconds of a clock that never goes back.
 */
export async function* paceStream(
  body: AsyncIterable<Uint8Array>,
  burst: number,
  signal: AbortSignal,
  now: () => number = () => performance.now(),
): AsyncGenerator<Uint8Array, void, undefined> {
  let room = burst;
  let since = now();
  for await (const chunk of body) {
    const time = now();
    room = Math.min(burst, room + ((time - since) / 1_000) * bytesPerSecond);
    since = time;
    room -= chunk.byteLength + pieceCost;
    if (room < 0) await waitFor((-room / bytesPerSecond) * 1_000, signal);
    yield chunk;
  }
}
