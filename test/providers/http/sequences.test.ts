import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { usualLimits } from "../../../src/providers/http/read-answer.ts";
import { binding } from "./make-binding.ts";
import { type Reply, runCall } from "./run-call.ts";

const events = "text/event-stream";
const lines = "application/x-ndjson";

function run(reply: Reply, changes: Partial<typeof usualLimits> = {}) {
  return runCall({
    binding: binding("/c", []),
    replies: [reply],
    options: { limits: { ...usualLimits, sequenceMilliseconds: 50_000, ...changes } },
  });
}

/** Writes the same again and again, as fast as it is taken. */
function endless(contentType: string, piece: string): Reply {
  return (_request, response) => {
    response.writeHead(200, { "content-type": contentType });
    const write = (target: ServerResponse): void => {
      while (!target.destroyed && target.write(piece.repeat(100)));
    };
    response.on("drain", () => write(response));
    write(response);
  };
}

describe("items of answers that are sequences", () => {
  test.each<[string, string, string, readonly unknown[]]>([
    ["lines", lines, '{"a":1}\n\n{"a":2}\r\n"x"', [{ a: 1 }, { a: 2 }, "x"]],
    ["lines that are no JSON", "application/jsonl", '{"a":1}\nlog\n', [{ a: 1 }, "log"]],
    ["records", "application/json-seq", '\u001e{"a":1}\n\u001e{"a":\n2}\n', [{ a: 1 }, { a: 2 }]],
    ["records of a kind", "application/geo+json-seq", "\u001e1\n\u001e2\n", [1, 2]],
    ["events", events, "data: 1\n\ndata: {\ndata: }\n\n", [{ data: 1 }, { data: {} }]],
    [
      "events with names and ids",
      `${events}; charset=utf-8`,
      ": hi\r\n\r\nevent: add\r\nid: 7\r\ndata: [1]\r\n\r\ndata: bye",
      [{ event: "add", id: "7", data: [1] }, { data: "bye" }],
    ],
    ["nothing", lines, "", []],
  ])("%s", async (_what, contentType, body, expected) => {
    const { result } = await run({ headers: { "content-type": contentType }, body });
    expect(result.sequence).toEqual(expected);
    expect(result.notes).toBeUndefined();
    expect(Buffer.from(result.body).toString()).toBe(body);
  });

  test("keep every digit", async () => {
    const { result } = await run({ headers: { "content-type": lines }, body: "12345678901234567890\n" });
    expect(JSON.stringify(result.sequence)).toBe("[12345678901234567890]");
  });

  test("of refusals are not taken apart", async () => {
    const { result } = await run({ status: 400, headers: { "content-type": lines }, body: '{"a":1}\n' });
    expect(result).toMatchObject({ isError: true });
    expect(result.sequence).toBeUndefined();
  });
});

describe("a stream that does not end is cut, and says so", () => {
  test.each([
    ["lines", lines, '{"a":1}\n', { a: 1 }],
    ["events", events, 'data: {"a":1}\n\n', { data: { a: 1 } }],
    ["records", "application/json-seq", '\u001e{"a":1}\n', { a: 1 }],
  ])("%s, after so many items", async (_what, contentType, piece, item) => {
    const { result } = await run(endless(contentType, piece), { items: 250 });
    expect(result.isError).toBe(false);
    expect(result.sequence).toHaveLength(250);
    expect(result.sequence?.at(-1)).toEqual(item);
    expect(result.notes).toEqual([
      "This is only the beginning of the upstream's stream: 250 items; it has more than 250 items. What follows is missing.",
    ]);
  });

  test("after so many bytes, without the item that was cut", async () => {
    const { result } = await run(endless(lines, '{"a":1}\n'), { bytes: 1003 });
    expect(result.body).toHaveLength(1003);
    expect(result.sequence).toEqual(Array.from({ length: 125 }, () => ({ a: 1 })));
    expect(result.notes?.[0]).toContain("longer than 1003 bytes");
  });

  test.each([
    ["that goes silent", "data: 1\n\ndata: 2\n\n", [{ data: 1 }, { data: 2 }]],
    ["that never begins", "", []],
  ])("after some time, %s", async (_what, begin, expected) => {
    const { result } = await runCall({
      binding: binding("/c", []),
      replies: [
        (_request, response) => {
          response.writeHead(200, { "content-type": events });
          response.flushHeaders();
          if (begin !== "") response.write(begin);
        },
      ],
      clock: {
        wait: (_milliseconds, signal) =>
          new Promise((resolve) => {
            const timer = setTimeout(() => resolve(true), 300);
            signal.addEventListener("abort", () => {
              clearTimeout(timer);
              resolve(false);
            });
          }),
      },
    });
    expect(result.sequence).toEqual(expected);
    expect(result.notes?.[0]).toContain("it went on for 30 s");
  });

  test("where it breaks off, what came is kept", async () => {
    const { result } = await run((request, response) => {
      response.writeHead(200, { "content-type": lines });
      response.write('{"a":1}\n{"a":', () => setTimeout(() => request.socket.destroy(), 20));
    });
    expect(result.sequence).toEqual([{ a: 1 }]);
    expect(result.notes?.[0]).toContain("it broke off (");
  });

  test("the caller who leaves gets nothing", async () => {
    const leaving = new AbortController();
    const reply: Reply = (_request, response) => {
      response.writeHead(200, { "content-type": events });
      response.write("data: 1\n\n", () => leaving.abort());
    };
    const running = runCall({ binding: binding("/c", []), replies: [reply], signal: leaving.signal });
    await expect(running).rejects.toMatchObject({ code: "cancelled" });
  });
});

test("a refusal that is too large is cut, at the end of a character", async () => {
  const reply: Reply = { status: 500, headers: { "content-type": "text/plain" }, body: "é".repeat(1000) };
  const { result } = await run(reply, { bytes: 1001 });
  expect(Buffer.from(result.body).toString()).toBe("é".repeat(500));
  expect(result).toMatchObject({
    status: 500,
    isError: true,
    notes: ["This is only the beginning of the upstream's refusal: 1000 bytes. What follows is missing."],
  });
});

test("an answer that announces too much is not waited for", async () => {
  const closed = Promise.withResolvers<void>();
  const reply: Reply = (request, response) => {
    request.socket.on("close", () => closed.resolve());
    response.writeHead(200, { "content-type": "text/plain", "content-length": "2000" });
    response.flushHeaders();
  };
  await expect(run(reply, { bytes: 1000 })).rejects.toMatchObject({ code: "answer_too_large" });
  await closed.promise;
});

test("any other answer that is too large fails", async () => {
  const reply: Reply = { headers: { "content-type": "text/plain" }, body: "x".repeat(2000) };
  await expect(run(reply, { bytes: 1000 })).rejects.toMatchObject({ code: "answer_too_large" });
});
