import { expect, test } from "vitest";
import type { Console } from "../../src/cli/console.ts";
import { logLine } from "../../src/cli/log-line.ts";
import { GatewayError } from "../../src/errors.ts";

function told(message: string, cause: unknown): readonly string[] {
  const lines: string[] = [];
  const console: Console = {
    data: () => {},
    bytes: () => {},
    say: (text) => lines.push(text),
    colour: false,
    isTerminal: false,
  };
  logLine(message, cause, console);
  return lines;
}

test.each<[string, unknown, readonly string[]]>([
  ["no cause", undefined, []],
  ["a cause", new TypeError("x is not a function"), ["  caused by: TypeError: x is not a function"]],
  [
    "a chain of causes",
    new Error("outer", { cause: new RangeError("inner") }),
    ["  caused by: Error: outer", "  caused by: RangeError: inner"],
  ],
  ["a cause that the message has said already", new GatewayError("upstream_failed", "Something failed."), []],
  ["a cause that is no error", "just text", ["  caused by: just text"]],
  ["control characters", new Error("a\u001b[31mb\nc"), ["  caused by: Error: a\uFFFD[31mb\uFFFDc"]],
])("the log tells %s, without a stack trace", (_name, cause, expected) => {
  expect(told("Something failed.", cause)).toEqual(["Something failed.", ...expected]);
});

test("causes that lead in a circle end", () => {
  const first = new Error("first");
  const second = new Error("second", { cause: first });
  first.cause = second;
  expect(told("Something failed.", first).length).toBeLessThan(12);
});
