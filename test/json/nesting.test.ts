import { expect, test } from "vitest";
import { isNestedDeeperThan } from "../../src/json/nesting.ts";

test.each([
  ["1", 0, false],
  ["[]", 0, true],
  ["[[]]", 2, false],
  ["[[[]]]", 2, true],
  ['[{"a":[]}]', 2, true],
  ['["[[[["]', 1, false],
  ['["\\"[[[["]', 1, false],
  ['["\\\\",[]]', 1, true],
  ["[],[],[]", 1, false],
  ["[".repeat(1_000_000), 256, true],
])("%s beyond %i: %s", (json, limit, expected) => {
  expect(isNestedDeeperThan(json, limit)).toBe(expected);
});
