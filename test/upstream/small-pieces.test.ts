import { expect, test } from "vitest";
import { addChunk, joinChunks } from "../../src/upstream/read-limited.ts";
import { readEvents } from "../../src/upstream/sse.ts";
import { get, startClient, startTcp, textOf } from "./loopback.ts";

const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/** So many chunks of so many bytes each. */
async function answerOf(count: number, size: number): Promise<string> {
  const chunk = `${size.toString(16)}\r\n${"a".repeat(size)}\r\n`;
  await using upstream = await startTcp((socket) => {
    socket.once("data", () => socket.write(`${head}${chunk.repeat(count)}0\r\n\r\n`));
  });
  await using client = startClient();
  return textOf((await client.request(get(upstream.url))).body);
}

test.each([
  [20_000, 1],
  [20_100, 33],
  [60_000, 33],
])("an answer in %i pieces of %i bytes is taken", async (count, size) => {
  expect((await answerOf(count, size)).length).toBe(count * size);
});

test.each([
  [20_001, 1],
  [20_001, 31],
])("an answer in %i pieces of %i bytes is not", async (count, size) => {
  await expect(answerOf(count, size)).rejects.toMatchObject({
    code: "upstream_failed",
    retryable: true,
    message: expect.stringContaining("more than 20000 pieces of less than 32 bytes on average"),
  });
});

test.each([1, 255, 256, 257, 1_000, 70_000])(
  "%i small chunks are the same bytes as before, and take few objects",
  (count) => {
    const chunks: Uint8Array[] = [];
    for (let index = 0; index < count; index++) addChunk(chunks, Uint8Array.of(index % 251));
    expect(chunks.length).toBeLessThan(256 + count / 200);
    const whole = joinChunks(chunks, count);
    expect(whole.byteLength).toBe(count);
    expect(whole.every((byte, index) => byte === index % 251)).toBe(true);
  },
);

/** What a stream of so many short events comes to, where each costs its 9 bytes and twice 64 for its lines. */
async function countEvents(events: number, maxBytes: number): Promise<number> {
  async function* body(): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < events; index++) yield Buffer.from("data: a\n\n");
  }
  let count = 0;
  for await (const _event of readEvents(body(), { maxBytes })) count += 1;
  return count;
}

test.each([-1, 0])("an event stream that ends %i bytes from its limit is read to its end", async (beyond) => {
  expect(await countEvents(100, 100 * (9 + 2 * 64) - beyond)).toBe(100);
});

test("an event stream that has one byte more fails", async () => {
  await expect(countEvents(100, 100 * (9 + 2 * 64) - 1)).rejects.toMatchObject({
    code: "upstream_failed",
    retryable: true,
  });
});
