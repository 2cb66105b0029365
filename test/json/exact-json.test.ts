import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findInexactNumber, parseExactJson } from "../../src/json/exact-json.ts";

/** The slow way: every value of the text goes through a function. */
function withReviver(text: string): unknown {
  const exact = JSON as unknown as {
    rawJSON(source: string): unknown;
    parse(
      source: string,
      reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
  };
  return exact.parse(text, (_key, value, { source = "" }) => {
    if (typeof value !== "number") return value;
    const isRounded = /^-?\d{16,}$/.test(source) && String(value) !== source;
    const isOutOfRange = !Number.isFinite(value) || (value === 0 && /^-?[1-9]/.test(source));
    return isRounded || isOutOfRange ? exact.rawJSON(source) : value;
  });
}

describe("parseExactJson", () => {
  test.each([
    ["12345678901234567890", "12345678901234567890"],
    ["[9007199254740993]", "[9007199254740993]"],
    ["[9007199254740991]", "[9007199254740991]"],
    ["[-12345678901234567890]", "[-12345678901234567890]"],
    ["[0.30000000000000004]", "[0.30000000000000004]"],
    ["[0.3000000000000000444]", "[0.30000000000000004]"],
    ["[1E3, 1.50, 1e-2]", "[1000,1.5,0.01]"],
    ["[1e400, -1e400, 1e-400, 0e9]", "[1e400,-1e400,1e-400,0]"],
    ['{"a":"12345678901234567890"}', '{"a":"12345678901234567890"}'],
    ['{"a":[{},[],{"b":[1,12345678901234567890]}]}', '{"a":[{},[],{"b":[1,12345678901234567890]}]}'],
    ['{"a\\"[,":"]}\\\\","b\\u0041":12345678901234567890}', '{"a\\"[,":"]}\\\\","bA":12345678901234567890}'],
    ['{"__proto__":12345678901234567890}', '{"__proto__":12345678901234567890}'],
    ['{"__proto__":{"a":[12345678901234567890]}}', '{"__proto__":{"a":[12345678901234567890]}}'],
    ['{"a":12345678901234567890,"a":1}', '{"a":1}'],
    ['{"a":[12345678901234567890],"a":{"b":2}}', '{"a":{"b":2}}'],
    ["[1.2345678901234567890e+300]", "[1.2345678901234568e+300]"],
  ])("%s is written as %s", (text, written) => {
    expect(JSON.stringify(parseExactJson(text))).toBe(written);
  });

  test("is what a reviver with the source of each number gives", () => {
    const literal = fc.constantFrom(
      ...[
        "0",
        "-0",
        "12",
        "1.5",
        "1e5",
        "1E400",
        "-1e400",
        "1e-400",
        "true",
        "null",
        '"12345678901234567890"',
      ],
      ...["12345678901234567890", "-9007199254740993", "9007199254740992", "10000000000000000000", '"\\\\"'],
    );
    // No names with escapes: Node 24 gives revivers the sources of other values there.
    const name = fc.constantFrom('"a"', '"b c"', '""', '"1"', '"[{,"');
    const space = fc.constantFrom("", " ", "\n\t");
    const { text } = fc.letrec<{ text: string }>((tie) => ({
      text: fc.oneof(
        { maxDepth: 5 },
        fc.tuple(space, literal, space).map((parts) => parts.join("")),
        fc.array(tie("text")).map((parts) => `[${parts.join(",")}]`),
        fc
          .uniqueArray(fc.tuple(name, space, tie("text")), { selector: ([key]) => JSON.parse(key) })
          .map(
            (members) => `{${members.map(([key, gap, value]) => `${gap}${key}${gap}:${value}`).join(",")}}`,
          ),
      ),
    }));
    fc.assert(
      fc.property(text, (json) => {
        expect(JSON.stringify(parseExactJson(json))).toBe(JSON.stringify(withReviver(json)));
      }),
      { numRuns: 1_000 },
    );
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
