import { PassThrough } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readHidden, type TerminalInput } from "../../src/cli/read-hidden.ts";

/** A terminal that somebody types at. */
class Typed extends PassThrough implements TerminalInput {
  readonly modes: boolean[] = [];

  setRawMode(on: boolean): void {
    this.modes.push(on);
  }
}

function typed(...keys: readonly (string | Buffer)[]): Typed {
  const terminal = new Typed();
  for (const key of keys) terminal.write(key);
  return terminal;
}

describe("a hidden line", () => {
  test.each([
    ["typed key by key", ["o", "p", "e", "n", "\r"], "open"],
    ["pasted", ["open sesame\n"], "open sesame"],
    ["with characters taken back", ["opne\u007f\u007fen\r"], "open"],
    ["with one character of two units taken back", ["a😀\bb\r"], "ab"],
    ["taken back beyond its begin", ["\u007f\u007fa\r"], "a"],
    ["begun anew", ["wrong\u0015right\r"], "right"],
    ["with arrow keys and function keys", ["op\u001b[D\u001b[1;5Cen\u001bOP\u001b[15~\r"], "open"],
    ["with other control keys", ["o\u0001p\ten\r"], "open"],
    ["ended by Control-D", ["open\u0004"], "open"],
    ["with nothing in it", ["\r"], ""],
  ])("%s", async (_what, keys, line) => {
    const terminal = typed(...keys);
    expect(await readHidden(terminal)).toBe(line);
    expect(terminal.modes).toEqual([true, false]);
  });

  test("of any characters, in whatever pieces its bytes come", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "grapheme", maxLength: 20 }),
        fc.integer({ min: 1, max: 5 }),
        async (text, size) => {
          // No control characters are among graphemes but those that are keys.
          fc.pre(!/\p{Cc}/u.test(text));
          const bytes = Buffer.from(`${text}\r`);
          const pieces: Buffer[] = [];
          for (let start = 0; start < bytes.length; start += size)
            pieces.push(bytes.subarray(start, start + size));
          expect(await readHidden(typed(...pieces))).toBe(text);
        },
      ),
    );
  });

  test("leaves what was typed ahead to the next one", async () => {
    const terminal = typed("one\rtwo\rthree\r");
    expect([await readHidden(terminal), await readHidden(terminal), await readHidden(terminal)]).toEqual([
      "one",
      "two",
      "three",
    ]);
  });

  test("is given up by Control-C, and the terminal is as before", async () => {
    const terminal = typed("op\u0003");
    await expect(readHidden(terminal)).rejects.toMatchObject({ code: "cancelled" });
    expect(terminal.modes).toEqual([true, false]);
    expect(terminal.isPaused()).toBe(true);
  });

  test("is given up when the terminal is gone", async () => {
    const terminal = typed("op");
    const answer = readHidden(terminal);
    terminal.end();
    await expect(answer).rejects.toMatchObject({ code: "cancelled" });
  });

  test("is not read without end", async () => {
    await expect(readHidden(typed("x".repeat(10_000)))).rejects.toMatchObject({ code: "cancelled" });
  });
});
