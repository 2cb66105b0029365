import { expect, test } from "vitest";
import { paceStream } from "../../../src/providers/mcp/pace-stream.ts";

const piece = new Uint8Array(1_024 - 64);

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield piece;
}

async function read(count: number, burst: number, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  for await (const chunk of paceStream(pieces(count), burst, signal, () => 0)) bytes += chunk.byteLength;
  return bytes;
}

test("what fits into the burst is read without a pause, and all of it comes through", async () => {
  expect(await read(1_024, 1_024 * 1_024, AbortSignal.timeout(60_000))).toBe(1_024 * piece.byteLength);
});

test("what comes beyond it waits, at 256 KiB in a second", async () => {
  const begun = performance.now();
  // 16 KiB beyond the burst, by a clock that stands: 1 + 2 + … + 16 KiB of waiting.
  await read(1_040, 1_024 * 1_024, AbortSignal.timeout(60_000));
  expect(performance.now() - begun).toBeGreaterThan(0.9 * ((136 / 256) * 1_000));
});

test("who leaves does not wait", async () => {
  const leaving = new AbortController();
  leaving.abort();
  expect(await read(100_000, 0, leaving.signal)).toBe(100_000 * piece.byteLength);
});
