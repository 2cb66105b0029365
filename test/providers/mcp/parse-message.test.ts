import { describe, expect, test } from "vitest";
import { parseMessage, parseMessages, takeMessages } from "../../../src/providers/mcp/parse-message.ts";
import type { Receiver } from "../../../src/providers/mcp/transport.ts";

const members = Array.from({ length: 120_000 }, (_none, index) => `"n${index}":1`).join();
const costly = `{"jsonrpc":"2.0","id":7,"result":{${members}}}`;

test("texts are messages, batches, or nothing", () => {
  expect(parseMessage('{"jsonrpc":"2.0","id":1,"result":{}}')).toMatchObject({ kind: "result" });
  expect(parseMessages('[{"jsonrpc":"2.0","id":1,"result":{}},5]')).toHaveLength(1);
  for (const text of ["", "null", "{", "5", `${"[".repeat(501)}${"]".repeat(501)}`])
    expect(parseMessages(text)).toEqual([]);
});

describe("a message that takes too long to read", () => {
  test("is refused, in words for the caller", () => {
    expect(() => parseMessages(costly)).toThrow(
      "The MCP server's message holds more values, or more different names, than the gateway reads at once. Ask for less, such as a smaller page or a filter.",
    );
  });

  test("ends only its own request on a connection that others share", () => {
    const seen: unknown[] = [];
    const receiver = {
      message: (message: unknown) => seen.push(message),
      oversized: (id: unknown) => seen.push(id),
      missed: () => seen.push("missed"),
      closed: () => seen.push("closed"),
    } satisfies Partial<Receiver>;
    const whole: Receiver = { ...receiver };
    expect(takeMessages(costly, whole)).toBe("taken");
    expect(seen).toEqual([7]);
    expect(takeMessages("nonsense", whole)).toBe("no-message");
    expect(takeMessages('{"jsonrpc":"2.0","id":8,"result":{}}', whole)).toBe("taken");
    expect(seen).toHaveLength(2);
  });
});
