import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findInexactNumber, parseExactJson } from "../../src/mcp/exact-json.ts";

describe("parseExactJson", () => {
  test.each([
    ["12345678901234567890", "12345678901234567890"],
    ["[9007199254740993]", "[9007199254740993]"],
    ["[9007199254740991]", "[9007199254740991]"],
    ["[-12345678901234567890]", "[-12345678901234567890]"],
    ["[0.30000000000000004]", "[0.30000000000000004]"],
    ["[0.3000000000000000444]", "[0.3000000000000000444]"],
    ["[1E3, 1.50, 1e-2]", "[1000,1.5,0.01]"],
    ["[1e400, -1e400, 1e-400, 0e9]", "[1e400,-1e400,1e-400,0]"],
    ['{"a":"12345678901234567890"}', '{"a":"12345678901234567890"}'],
  ])("%s is written as %s", (text, written) => {
    expect(JSON.stringify(parseExactJson(text))).toBe(written);
  });

  test("everything that a program writes is the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(parseExactJson(text))).toBe(text);
      }),
    );
  });
});

test.each([
  ['{"a":[12345678901234567890]}', "12345678901234567890"],
  ["1e400", "1e400"],
  ["10000000000000000000", undefined],
  ["9007199254740993", "9007199254740993"],
  ["9007199254740991", undefined],
  ["0.1234567890123456789", undefined],
  ["1e3", undefined],
  ['"12345678901234567890"', undefined],
])("findInexactNumber %s → %s", (text, found) => {
  expect(findInexactNumber(text)).toBe(found);
});
