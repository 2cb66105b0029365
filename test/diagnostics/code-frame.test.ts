import { describe, expect, test } from "vitest";
import { codeFrame } from "../../src/diagnostics/code-frame.ts";

function frame(
  text: string,
  line: number,
  column: number,
  endColumn: number,
  endLine = line,
): readonly string[] {
  return codeFrame(text, { file: "gestalt.yaml", line, column, endLine, endColumn });
}

describe("a code frame", () => {
  test("shows two lines before and aligns their numbers", () => {
    const text = Array.from({ length: 12 }, (_line, index) => `line${index + 1}`).join("\n");
    expect(frame(text, 10, 1, 5)).toEqual(["   8 | line8", "   9 | line9", "  10 | line10", "     | ^^^^"]);
  });

  test("has no trailing carriage returns", () => {
    expect(frame("a: 1\r\nb: 2\r\n", 2, 1, 2)).toEqual(["  1 | a: 1", "  2 | b: 2", "    | ^"]);
  });

  test("expands tabs before and inside the underlined part", () => {
    expect(frame("\ta\tb", 1, 2, 5)).toEqual(["  1 |     a    b", "    |     ^^^^^^"]);
  });

  test("counts wide characters as two columns and joined ones once", () => {
    expect(frame("日本: x", 1, 5, 6)).toEqual(["  1 | 日本: x", "    |       ^"]);
    expect(frame("👩‍💻: x", 1, 8, 9)).toEqual(["  1 | 👩‍💻: x", "    |     ^"]);
    expect(frame("e\u0301: x", 1, 5, 6)).toEqual(["  1 | e\u0301: x", "    |    ^"]);
  });

  test("underlines the first line of a longer place", () => {
    expect(frame("a:\n  - b\n  - c\n", 2, 3, 4, 3)).toEqual(["  1 | a:", "  2 |   - b", "    |   ^^^"]);
  });

  test("underlines one column where nothing stands", () => {
    expect(frame("", 1, 1, 1)).toEqual(["  1 |", "    | ^"]);
    expect(frame("a:", 1, 3, 3)).toEqual(["  1 | a:", "    |   ^"]);
  });

  test("cuts a long line around the place", () => {
    const [line = "", marker = ""] = frame(`${"x".repeat(500)}HERE${"y".repeat(500)}`, 1, 501, 505);
    expect(line.length).toBeLessThan(120);
    expect(line.slice(marker.indexOf("^"), marker.lastIndexOf("^") + 1)).toBe("HERE");
    expect(line).toMatch(/^ {2}1 \| ….*…$/);
  });

  test("is empty for a line that does not exist", () => {
    expect(frame("a: 1", 3, 1, 2)).toEqual([]);
  });
});
