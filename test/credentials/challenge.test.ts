import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readChallenges, readWantedScopes } from "../../src/credentials/challenge.ts";

function read(header: string): readonly (readonly [string, Readonly<Record<string, string>>])[] {
  return readChallenges(header).map(({ scheme, params }) => [scheme, Object.fromEntries(params)]);
}

describe("readChallenges", () => {
  test.each([
    ["", []],
    [" , ,", []],
    ["Bearer", [["bearer", {}]]],
    ["Bearer ", [["bearer", {}]]],
    ['Bearer realm="a, b", error="invalid_token"', [["bearer", { realm: "a, b", error: "invalid_token" }]]],
    ["bearer  REALM = x", [["bearer", { realm: "x" }]]],
    ['Bearer realm="say \\"hi\\" \\\\"', [["bearer", { realm: 'say "hi" \\' }]]],
    ['Bearer realm=""', [["bearer", { realm: "" }]]],
    ["Negotiate YWJj==", [["negotiate", {}]]],
    [
      "Negotiate, Basic realm=x",
      [
        ["negotiate", {}],
        ["basic", { realm: "x" }],
      ],
    ],
    [
      'Basic realm="b", charset=UTF-8 ,, Bearer scope="a b",error=insufficient_scope,',
      [
        ["basic", { realm: "b", charset: "UTF-8" }],
        ["bearer", { scope: "a b", error: "insufficient_scope" }],
      ],
    ],
    [
      "Negotiate YWJj, Bearer a=b",
      [
        ["negotiate", {}],
        ["bearer", { a: "b" }],
      ],
    ],
    ['Bearer realm="not closed', []],
    ['Basic realm=x, Bearer realm="not closed', [["basic", { realm: "x" }]]],
    ["Basic realm=x y=z, Bearer a=b", []],
    ['Bearer error="a", error="b", Basic realm=x', [["basic", { realm: "x" }]]],
    ['Bearer a="b"c', []],
    ["=x", []],
    ["Bearer constructor=x", [["bearer", { constructor: "x" }]]],
  ])("%s", (header, expected) => {
    expect(read(header)).toEqual(expected);
  });

  const tokens = fc.string({
    unit: fc.constantFrom(..."!#$%&'*+-.^_`|~09azAZ"),
    minLength: 1,
    maxLength: 12,
  });
  const texts = fc.string({ unit: fc.constantFrom(...'abc ,="\\\t/ü'), maxLength: 20 });
  const challenges = fc.array(
    fc.record({
      scheme: tokens,
      params: fc.uniqueArray(fc.tuple(tokens, texts), {
        selector: ([name]) => name.toLowerCase(),
        maxLength: 5,
      }),
    }),
    { maxLength: 5 },
  );
  const gaps = fc.constantFrom(", ", ",", " ,\t, ", ",,");

  test("what is written as RFC 9110 has it is read as it was meant", () => {
    fc.assert(
      fc.property(challenges, gaps, (written, gap) => {
        const header = written
          .map(({ scheme, params }) =>
            [
              scheme,
              params.map(([name, value]) => `${name}="${value.replaceAll(/["\\]/g, "\\$&")}"`).join(gap),
            ].join(" "),
          )
          .join(gap);
        expect(readChallenges(header)).toEqual(
          written.map(({ scheme, params }) => ({
            scheme: scheme.toLowerCase(),
            params: new Map(params.map(([name, value]) => [name.toLowerCase(), value])),
          })),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test("anything at all is read without an error", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'Bearer =,"\\\t/é'), maxLength: 200 }), (header) => {
        for (const { scheme, params } of readChallenges(header)) {
          expect(scheme).not.toBe("");
          expect(params.has("")).toBe(false);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  test("long ones are read to their end, or not at all", () => {
    for (const part of ['"', "\\", "a", "a=", ",", " ", 'a="', 'a="\\', "a=b,", "a "]) {
      readChallenges(`Bearer ${part.repeat(16_000 / part.length)}`);
      readChallenges(`Bearer ${part.repeat(1_000_000)}`);
    }
  });
});

describe("readWantedScopes", () => {
  test.each([
    [undefined, undefined],
    ['Bearer error="invalid_token", scope="a"', undefined],
    ['Bearer error="insufficient_scope"', []],
    [
      'Basic realm=x, Bearer error="insufficient_scope", scope="repo:read  user repo:read"',
      ["repo:read", "user"],
    ],
    ['Bearer error="insufficient_scope", scope="a\\"b ok ü"', ["ok"]],
  ])("%s", (header, expected) => {
    expect(readWantedScopes(header)).toEqual(expected);
  });
});
