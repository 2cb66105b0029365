import { expect, test } from "vitest";
import { readMessage, writeMessage, writeResultText } from "../../src/mcp/messages.ts";
import type { JsonValue } from "../../src/model/json.ts";

test.each<[JsonValue, string | undefined]>([
  [{ jsonrpc: "2.0", id: 1, method: "ping" }, "request"],
  [{ jsonrpc: "2.0", method: "ping" }, "notification"],
  [{ jsonrpc: "2.0", id: "a", result: {} }, "result"],
  [{ jsonrpc: "2.0", id: null, error: { code: 1, message: "x" } }, "error"],
  [{ jsonrpc: "2.0", id: null, method: "ping" }, undefined],
  [{ jsonrpc: "2.0", id: 1e300, method: "ping" }, undefined],
  [{ jsonrpc: "2.0", id: [], method: "ping" }, undefined],
  [{ jsonrpc: "2.0", id: null, result: {} }, undefined],
  [{ jsonrpc: "2.0", id: 1, result: 1 }, undefined],
  [{ jsonrpc: "2.0", id: 1, error: { code: "1", message: "x" } }, undefined],
  [{ jsonrpc: "2.0", id: 1 }, undefined],
  [{ id: 1, method: "ping" }, undefined],
  [[], undefined],
  [null, undefined],
  ["ping", undefined],
])("%j is a %s", (value, kind) => {
  expect(readMessage(value)?.kind).toBe(kind);
});

test("what is written is read as it was", () => {
  const message = { kind: "request", id: 'a"\u2028', method: "ping", params: { a: 1 } } as const;
  expect(readMessage(JSON.parse(writeMessage(message)))).toEqual(message);
  expect(JSON.parse(writeResultText('a"', '{"a":1}'))).toEqual({
    jsonrpc: "2.0",
    id: 'a"',
    result: { a: 1 },
  });
});
