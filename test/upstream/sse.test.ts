import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readEvents, type ServerSentEvent } from "../../src/upstream/sse.ts";
import { get, startClient, startHttp } from "./loopback.ts";

async function* chunksOf(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
}

async function eventsOf(body: AsyncIterable<Uint8Array>, maxEventBytes?: number): Promise<ServerSentEvent[]> {
  return collect(readEvents(body, maxEventBytes === undefined ? {} : { maxEventBytes }));
}

async function collect(stream: AsyncIterable<ServerSentEvent>): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

const message = (data: string, id = ""): ServerSentEvent => ({ event: "message", data, id });

describe("readEvents", () => {
  test.each<[string, string, ServerSentEvent[]]>([
    ["one line", "data: a\n\n", [message("a")]],
    ["several data lines", "data: a\ndata:b\ndata\ndata:  c\n\n", [message("a\nb\n\n c")]],
    [
      "line ends of all kinds",
      "data: a\r\ndata: b\rdata: c\n\r\n\r\rdata: d\r\r",
      [message("a\nb\nc"), message("d")],
    ],
    [
      "a named event",
      "event: ping\ndata: 1\n\ndata: 2\n\n",
      [{ event: "ping", data: "1", id: "" }, message("2")],
    ],
    ["an event without data is none", "event: ping\n\ndata: 1\n\n", [message("1")]],
    ["empty data is data", "data:\n\n", [message("")]],
    [
      "ids last until the next",
      "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
      [message("a", "1"), message("b", "1"), message("c")],
    ],
    ["an id with a zero is ignored", "id: 1\nid: 2\0\ndata: a\n\n", [message("a", "1")]],
    ["an id of a block without data counts", "id: 7\n\ndata: a\n\n", [message("a", "7")]],
    [
      "retry",
      "retry: 50\ndata: a\n\nretry: x\ndata: b\n\nretry:9\ndata: c\n\n",
      [
        { ...message("a"), retry: 50 },
        { ...message("b"), retry: 50 },
        { ...message("c"), retry: 9 },
      ],
    ],
    ["comments and unknown fields", ": hello\nfoo: bar\n:\nData: no\ndata: a\n\n", [message("a")]],
    [
      "a byte order mark at the start only",
      "\uFEFFdata: a\n\n\uFEFFdata: b\n\ndata: \uFEFFc\n\n",
      [message("a"), message("\uFEFFc")],
    ],
    ["one space is taken off, no more", "data:a\ndata: a\ndata:\ta\n\n", [message("a\na\n\ta")]],
    ["a colon in the data", "data: a: b\n\n", [message("a: b")]],
    ["what breaks off is dropped", "data: a\n\ndata: b\n", [message("a")]],
    ["nothing", "", []],
  ])("%s", async (_name, stream, events) => {
    expect(await eventsOf(chunksOf(stream))).toEqual(events);
  });

  test("bytes that are no UTF-8 are replaced", async () => {
    const bytes = Uint8Array.of(...new TextEncoder().encode("data: a"), 0xe2, 0x82, 0x0a, 0x0a);
    expect(await eventsOf(chunksOf(bytes))).toEqual([message("a\uFFFD")]);
  });

  test("an event comes with the line that ends it, not later", async () => {
    const events = readEvents(
      (async function* () {
        yield* chunksOf("data: a\r\n\r");
        throw new Error("read on");
      })(),
    );
    expect(await events.next()).toEqual({ done: false, value: message("a") });
    await expect(events.next()).rejects.toThrow("read on");
  });

  test("any way to cut the bytes gives the same events", async () => {
    const line = fc.oneof(
      fc.constantFrom(
        "data: a",
        "data:",
        "data",
        "id: 1",
        "id",
        "event: x",
        "retry: 5",
        ": c",
        "",
        "",
        "",
        "data: €😀",
        "\uFEFF",
      ),
      fc.string({ unit: "binary" }),
    );
    const stream = fc.array(fc.tuple(line, fc.constantFrom("\n", "\r", "\r\n")));
    await fc.assert(
      fc.asyncProperty(stream, fc.array(fc.nat()), async (lines, cuts) => {
        const bytes = new TextEncoder().encode(lines.flat().join(""));
        const edges = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort(
          (left, right) => left - right,
        );
        const chunks = [0, ...edges].map((edge, index) => bytes.subarray(edge, edges[index] ?? bytes.length));
        expect(await eventsOf(chunksOf(...chunks))).toEqual(await eventsOf(chunksOf(bytes)));
      }),
      { numRuns: 500 },
    );
  });

  describe("the limit of one event", () => {
    const tooLarge = { code: "answer_too_large", details: { limit: 10 } };

    test.each([
      ["one line", ["data: 6789x\n\n"]],
      ["several lines", ["data: 6\ndata: 6\n\n"]],
      ["a line without end", ["data: ", "xxxx", "xxxx"]],
    ])("%s", async (_name, chunks) => {
      await expect(eventsOf(chunksOf(...chunks), 10)).rejects.toMatchObject(tooLarge);
    });

    test("is counted anew for each event, and not for comments", async () => {
      const stream = `${":".repeat(10)}\n`.repeat(100) + "data: 6789\n\n".repeat(100);
      expect(await eventsOf(chunksOf(stream), 10)).toHaveLength(100);
    });

    test("is 1 MiB unless said otherwise", async () => {
      const data = "x".repeat(1024 * 1024 - "data: ".length);
      expect(await eventsOf(chunksOf(`data: ${data}\n\n`))).toEqual([message(data)]);
      await expect(eventsOf(chunksOf(`data: ${data}x\n\n`))).rejects.toMatchObject({
        code: "answer_too_large",
      });
    });
  });

  describe("with somebody to take what is left of an event that is too large", () => {
    test.each<[string, string[], { head: string; tail: string }]>([
      ["one line", ["data: 6789x\n"], { head: "data: 6789x", tail: "data: 6789x" }],
      ["in pieces", ["da", "ta: ", "123456", "789\n"], { head: "data: 123456789", tail: "data: 123456789" }],
      ["several lines", ["data: 6\ndata: 7\ndata: 8\n"], { head: "data: 7", tail: "data: 7" }],
    ])("the stream goes on: %s", async (_name, chunks, edges) => {
      const oversized: unknown[] = [];
      const stream = chunksOf("data: a\n\n", ...chunks, "id: 1\n\ndata: b\n\n");
      const options = { maxEventBytes: 10, onOversized: (left: unknown) => oversized.push(left) };
      expect(await collect(readEvents(stream, options))).toEqual([message("a"), message("b", "1")]);
      expect(oversized).toEqual([edges]);
    });

    test("no more than the edges is kept", async () => {
      const oversized: { head: string; tail: string }[] = [];
      const chunk = "x".repeat(1_000);
      const stream = chunksOf("data: {", ...Array.from({ length: 100 }, () => chunk), "}\n\n");
      const onOversized = (left: { head: string; tail: string }): void => void oversized.push(left);
      expect(await collect(readEvents(stream, { maxEventBytes: 10, onOversized }))).toEqual([]);
      expect(oversized).toEqual([{ head: `data: {${"x".repeat(249)}`, tail: `${"x".repeat(255)}}` }]);
    });

    test("a comment that is too large takes nothing with it", async () => {
      const stream = chunksOf(`:${"c".repeat(20)}\ndata: a\n\n`);
      const options = { maxEventBytes: 10, onOversized: () => expect.unreachable() };
      expect(await collect(readEvents(stream, options))).toEqual([message("a")]);
    });
  });

  test("last event ids are told as they are set, with data or without", async () => {
    const ids: string[] = [];
    const stream = chunksOf("id: 1\ndata: a\n\nid: 2\n\nid: 2\ndata: b\n\nid\n\nid: 3\n");
    const events = await collect(readEvents(stream, { onLastEventId: (id) => ids.push(id) }));
    expect(events).toEqual([message("a", "1"), message("b", "2")]);
    expect(ids).toEqual(["1", "2", ""]);
  });

  test("leaving the events closes the connection", async () => {
    await using upstream = await startHttp((_request, response) => response.write("data: a\n\ndata: b\n\n"));
    await using client = startClient();
    const { body } = await client.stream(get(upstream.url));
    for await (const event of readEvents(body)) {
      expect(event).toEqual(message("a"));
      break;
    }
    await expect.poll(() => upstream.connections.size).toBe(0);
  });
});
