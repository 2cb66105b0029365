import { expect, test } from "vitest";
import { createLineSplitter, type Line } from "../../src/mcp/split-lines.ts";
import { findAskedId } from "../../src/server/mcp/find-asked-id.ts";

function split(chunks: readonly string[], maxBytes = 100): readonly unknown[] {
  const splitter = createLineSplitter(maxBytes);
  const show = (line: Line): unknown =>
    line.kind === "line" ? line.bytes.toString() : { tooLong: findAskedId(line.edges) };
  return [...chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk))), ...splitter.end()].map(show);
}

test.each([
  { chunks: ["a\nb\n"], lines: ["a", "b"] },
  { chunks: ["a", "", "b\n", "c"], lines: ["ab", "c"] },
  { chunks: ["\n\n"], lines: ["", ""] },
  { chunks: ["a\r\n"], lines: ["a"] },
  { chunks: [], lines: [] },
])("$chunks are $lines", ({ chunks, lines }) => {
  expect(split(chunks)).toEqual(lines);
});

test("characters may come in parts", () => {
  const splitter = createLineSplitter(100);
  const bytes = Buffer.from("é\n");
  expect(splitter.push(bytes.subarray(0, 1))).toEqual([]);
  expect(splitter.push(bytes.subarray(1))).toEqual([{ kind: "line", bytes: Buffer.from("é") }]);
});

const filling = "x".repeat(2_000);

test.each([
  { line: `{"jsonrpc":"2.0","id":7,"method":"${filling}"}`, id: 7 },
  { line: `{"method":"${filling}","jsonrpc":"2.0","id":"a"}`, id: "a" },
  { line: `{"method":"${filling}","id":8,"jsonrpc":"2.0"}\r`, id: 8 },
  { line: `{"method":"${filling}","params":{"id":8}}`, id: undefined },
  { line: filling, id: undefined },
])("of a line that is too long, its id is guessed where that is sure: $id", ({ line, id }) => {
  const chunks = Array.from({ length: Math.ceil(line.length / 50) }, (_, at) =>
    line.slice(at * 50, at * 50 + 50),
  );
  expect(split([...chunks, "\nnext\n"])).toEqual([{ tooLong: id }, "next"]);
  expect(split([`${line}\nnext\n`])).toEqual([{ tooLong: id }, "next"]);
});
