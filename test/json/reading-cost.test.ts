import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CostlyJsonError, parseExactJson } from "../../src/json/exact-json.ts";
import { findJsonExcess } from "../../src/json/reading-cost.ts";

const many = (length: number, make: (index: number) => string): string =>
  Array.from({ length }, (_none, index) => make(index)).join();

describe("what costs more than its bytes suggest", () => {
  test.each([
    ["names that are all different", `{${many(110_000, (index) => `"n${index}":1`)}}`],
    ["a name of its own in each object", `[${many(95_000, (index) => `{"n${index}":1}`)}]`],
    ["empty objects", `[${many(700_000, () => "{}")}]`],
    ["small numbers", `[${many(2_100_000, () => "1")}]`],
    ["numbers that no double holds", `[${many(98_000, () => "12345678901234567890")}]`],
  ])("%s are not parsed", (_what, text) => {
    expect(findJsonExcess(text, 100)).toBe("costly");
    expect(() => parseExactJson(text)).toThrow(CostlyJsonError);
  });

  test.each([
    ["names that are all different", `{${many(80_000, (index) => `"n${index}":1`)}}`],
    ["a hundred thousand rows", `[${many(100_000, (index) => `{"id":${index},"name":"a, [b] {c}"}`)}]`],
    ["ten megabytes of text", `"${"a".repeat(10_000_000)}"`],
    ["ten megabytes of escapes", `"${'\\"'.repeat(5_000_000)}"`],
    ["a small text, whatever is in it", `{${many(20_000, (index) => `"n${index}":1`)}}`],
  ])("%s are", (_what, text) => {
    expect(findJsonExcess(text, 100)).toBeUndefined();
    expect(JSON.stringify(parseExactJson(text))).toBe(text);
  });
});

test("depth is counted outside of strings only", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), (text) => {
      const depthOf = (value: unknown): number =>
        typeof value !== "object" || value === null
          ? 0
          : 1 + Math.max(0, ...Object.values(value).map(depthOf));
      const depth = depthOf(JSON.parse(text));
      expect(findJsonExcess(text, depth)).toBeUndefined();
      if (depth > 0) expect(findJsonExcess(text, depth - 1)).toBe("deep");
    }),
  );
  expect(() => parseExactJson("[[1]]", 1)).toThrow(RangeError);
});
