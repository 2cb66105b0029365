import { RE2JS } from "re2js";
import { estimatePattern } from "./pattern-cost.ts";

/** A foreign regular expression, ready to be applied. */
export interface Pattern {
  readonly source: string;
  /** Steps that testing a text of so many UTF-16 units is worth. */
  cost(length: number): number;
  test(text: string): boolean;
}

/** What became of a foreign regular expression. */
export type PatternOutcome =
  | { readonly ok: true; readonly pattern: Pattern }
  | {
      readonly ok: false;
      /** Why it is not used, as the end of a sentence. */
      readonly refusal: string;
    };

/** Of 222 patterns in 44 real API descriptions the largest has 131 instructions. */
const longestSource = 1_000;
const mostInstructions = 1_000;
/** About 20 ms. */
const mostSteps = 150_000;

/** Steps that compiling the pattern is worth, to be charged before; a pattern that is refused for its size costs little. */
export function patternCost(source: string): number {
  return source.length > longestSource ? 10 : Math.min(estimatePattern(source).steps, mostSteps);
}

/**
 * Compiles a regular expression of JSON Schema (ECMA-262 with the `u` flag; 2020-12, Core section 6.4) for re2, whose time is
 * linear in the text whatever the pattern. Look-ahead and back-references have no such form and are refused.
 */
export function compilePattern(source: string): PatternOutcome {
  if (source.length > longestSource) return refuse(`it is longer than ${longestSource} characters`);
  const estimate = estimatePattern(source);
  if (estimate.instructions > mostInstructions || estimate.steps > mostSteps)
    return refuse("it is too costly");
  const translated = translate(source);
  if (!translated.ok) return translated;
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(RE2JS.translateRegExp(translated.text), RE2JS.LOOKBEHINDS);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  const program = compiled.programSize();
  if (program > mostInstructions) return refuse("it is too costly");
  const lookbehinds = source.includes("(?<=") || source.includes("(?<!");
  const perUnit = (0.5 + program / 40) * (lookbehinds ? 4 : 1);
  const pattern: Pattern = {
    source,
    cost: (length) => 2 + length * perUnit,
    test: (text) => compiled.test(text),
  };
  return { ok: true, pattern };
}

function refuse(refusal: string): { readonly ok: false; readonly refusal: string } {
  return { ok: false, refusal };
}

type Translation =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly refusal: string };

/** Rewrites what means something else in ECMAScript than in re2; `translateRegExp` does the rest. */
function translate(source: string): Translation {
  let text = "";
  let inClass = false;
  for (let at = 0; at < source.length; at += 1) {
    const char = source.charAt(at);
    if (char !== "\\") {
      if (char === "[" && inClass) text += "\\[";
      else if (char === "." && !inClass) text += notLineEnd;
      else text += char;
      if (char === "[") inClass = true;
      else if (char === "]") inClass = false;
      continue;
    }
    const rest = source.slice(at, at + 60);
    const pair = /^\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})/i.exec(rest);
    const property = /^\\([pP])\{(?:(?:Script|sc|General_Category|gc)=)?([A-Za-z_]+)\}/.exec(rest);
    const next = source.charAt(at + 1);
    if (pair !== null) {
      text += `\\x{${joinSurrogates(pair[1] ?? "", pair[2] ?? "").toString(16)}}`;
      at += pair[0].length - 1;
    } else if (property !== null) {
      const name = property[2] ?? "";
      text += `\\${property[1]}{${categories.get(name) ?? name}}`;
      at += property[0].length - 1;
    } else if (next === "k") {
      return refuse("back-references are not supported");
    } else if (next !== "" && "AzZGQECa".includes(next)) {
      // ECMAScript reads a letter or an error, other dialects an anchor, a quotation or a byte.
      return refuse(`\\${next} is not a part of regular expressions in JSON Schema`);
    } else {
      if (next === "s") text += inClass ? space : `[${space}]`;
      else if (next === "S") text += inClass ? notSpace : `[${notSpace}]`;
      else if (next === "b" && inClass) text += "\\x{8}";
      else text += char + next;
      at += 1;
    }
  }
  return { ok: true, text };
}

function joinSurrogates(high: string, low: string): number {
  return 0x10000 + (Number.parseInt(high, 16) - 0xd800) * 0x400 + (Number.parseInt(low, 16) - 0xdc00);
}

/** WhiteSpace and LineTerminator of ECMA-262, which `\s` stands for; re2 has ASCII only. */
const space =
  "\\t\\n\\x{b}\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
const notSpace =
  "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}" +
  "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";
const notLineEnd = "[^\\n\\r\\x{2028}\\x{2029}]";

/** General categories under the names that ECMAScript has and re2 lacks. */
const categories: ReadonlyMap<string, string> = new Map([
  ["Letter", "L"],
  ["Lowercase_Letter", "Ll"],
  ["Uppercase_Letter", "Lu"],
  ["Mark", "M"],
  ["Number", "N"],
  ["Decimal_Number", "Nd"],
  ["digit", "Nd"],
  ["Punctuation", "P"],
  ["punct", "P"],
  ["Separator", "Z"],
  ["Space_Separator", "Zs"],
  ["Symbol", "S"],
  ["Other", "C"],
]);
