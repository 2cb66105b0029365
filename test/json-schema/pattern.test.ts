import { describe, expect, test } from "vitest";
import { compilePattern } from "../../src/json-schema/pattern.ts";

/** Each is tried on all samples, against `RegExp` with the `u` flag. */
const patterns: readonly string[] = [
  "",
  "a",
  "^a",
  "a$",
  "^$",
  "^.$",
  "^..$",
  "^[^a]$",
  "^[a-f0-9]{2,4}$",
  "^(?:a|b)+?$",
  "^(?<first>a)b$",
  "^\\d+$",
  "^\\D+$",
  "^\\w+$",
  "^\\W$",
  "^\\s$",
  "^\\S$",
  "^\\S+$",
  "^[\\s]$",
  "^[^\\s]$",
  "^[\\S]$",
  "^[\\s\\d]+$",
  "^[\\S\\s]$",
  "\\bb",
  "\\Bb",
  "^\\t$",
  "^[\\b]$",
  "^\\v$",
  "^\\0$",
  "^\\x41$",
  "^\\u0041$",
  "^\\u{1F600}$",
  "^\\uD83D\\uDE00$",
  "^[\\u{1F600}-\\u{1F64F}]$",
  "^[\\uD83D\\uDE00-\\uD83D\\uDE4F]$",
  "^😀$",
  "^[😀é]$",
  "^\\p{L}$",
  "^\\p{Letter}+$",
  "^\\p{Lu}",
  "^\\p{Uppercase_Letter}",
  "^\\P{L}$",
  "^[\\p{L}\\p{N}]+$",
  "^\\p{Script=Greek}$",
  "^\\p{sc=Cyrillic}$",
  "^\\p{gc=Nd}$",
  "^\\p{General_Category=Decimal_Number}$",
  "^\\p{digit}$",
  "^[\\[\\]]$",
  "^[.]$",
  "^\\.$",
  "^\\/$",
  "^a{2}$",
  "^a{0,1}$",
  "^[\\-a]$",
  "^[+--]$",
  "(?<=a)b",
  "(?<!a)b",
  "^(a|ab)(c|bcd)?$",
  "^(?:[a-z]{1,3}\\.)*[a-z]{1,3}$",
];

const samples: readonly string[] = [
  ...[
    "",
    "a",
    "b",
    "aa",
    "aaa",
    "ab",
    "abc",
    "abcd",
    "ba",
    "b a",
    "A",
    "AB",
    "é",
    "ß",
    "α",
    "Ω",
    "я",
    "中",
    "😀",
    "😁",
    "😀😀",
  ],
  ...["0", "9", "42", "٣", "a1", "ff0", "_", "-", "+", ",", ".", "/", "[", "]", "a.b", "abc.de", "x y"],
  ...[
    "\n",
    "\r",
    "\t",
    "\v",
    "\f",
    "\b",
    "\0",
    " ",
    "\u00a0",
    "\u1680",
    "\u200b",
    "\u2028",
    "\u2029",
    "\u202f",
    "\u3000",
    "\ufeff",
    "\u180e",
  ],
];

describe("a pattern means what it means in ECMAScript", () => {
  test.each(patterns)("%s", (source) => {
    const outcome = compilePattern(source);
    if (!outcome.ok) throw new Error(outcome.refusal);
    const expected = new RegExp(source, "u");
    const both = (matches: (text: string) => boolean) => samples.filter(matches);
    expect(both((text) => outcome.pattern.test(text))).toEqual(both((text) => expected.test(text)));
  });
});

describe("a pattern is refused when", () => {
  const table: readonly (readonly [reason: string, source: string])[] = [
    ["it looks ahead", "^(?=a)"],
    ["it looks ahead for what must not be", "^(?!a)"],
    ["it refers back", "(a)\\1"],
    ["it refers back by name", "(?<x>a)\\k<x>"],
    ["it has an anchor of another dialect", "\\Aa\\z"],
    ["it has a quotation of another dialect", "\\Qa\\E"],
    ["it is no expression", "("],
    ["its class is not closed", "[a"],
    ["it is long", "a".repeat(1_001)],
    ["its repetitions multiply", "((a{1,30}){1,30}){1,30}"],
    ["its repetitions add up", ".{1,1000}".repeat(50)],
    ["it repeats a class without end", "[a-z]{2000,}"],
    ["it folds the case of many classes", `(?i)${"[\\x{0}-\\x{ffff}]".repeat(50)}`],
    ["it names a property that there is not", "\\p{Nonsense}"],
  ];

  test.each(table)("%s", (_reason, source) => {
    expect(compilePattern(source)).toEqual({ ok: false, refusal: expect.stringMatching(/\S/) });
  });
});
