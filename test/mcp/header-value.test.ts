import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeHeaderValue, encodeHeaderValue } from "../../src/mcp/header-value.ts";

test.each([
  ["echo", "echo"],
  ["a b", "a b"],
  ["", "=?base64??="],
  [" a", "=?base64?IGE=?="],
  ["é", "=?base64?w6k=?="],
  ["a\nb", "=?base64?YQpi?="],
  ["=?base64?eA==?=", "=?base64?PT9iYXNlNjQ/ZUE9PT89?="],
  ["=?base64?*?=", "=?base64?PT9iYXNlNjQ/Kj89?="],
])("%j travels as %s", (text, value) => {
  expect(encodeHeaderValue(text)).toBe(value);
  expect(decodeHeaderValue(value)).toBe(text);
});

test.each(["=?base64?e?=", "=?base64?e===?=", "=?base64?/w==?=", "=?base64?eB==?=", "=?base64?*?="])(
  "%s is nothing",
  (value) => {
    expect(decodeHeaderValue(value)).toBeUndefined();
  },
);

test("every text comes back, through what HTTP does to a header", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const value = encodeHeaderValue(text);
      expect(value).toMatch(/^[\x20-\x7e\t]+$/);
      expect(decodeHeaderValue(` \t${value} `)).toBe(text);
    }),
  );
});
