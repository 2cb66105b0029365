import type { JsonValue } from "../../model/json.ts";
import { charge, stepCost } from "../budget.ts";
import { count } from "../explain.ts";
import { asCount } from "../json-type.ts";
import type { Keyword } from "../keyword.ts";
import { fail, guess, type Run } from "../run.ts";

/** Lengths and patterns of texts (2020-12, Validation section 6.3). `format` is an annotation, as that dialect has it. */
export const stringKeywords: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  [
    "minLength",
    (_preparation, limit) => length("minLength", limit, "at least", (amount, min) => amount >= min),
  ],
  [
    "maxLength",
    (_preparation, limit) => length("maxLength", limit, "at most", (amount, max) => amount <= max),
  ],
  [
    "pattern",
    (preparation, operand) => {
      if (typeof operand !== "string") return undefined;
      const pattern = preparation.pattern(operand);
      return (run, value, location) => {
        if (typeof value !== "string") return true;
        if (pattern === undefined) return guess(run, undefined);
        charge(run, pattern.cost(value.length));
        return (
          pattern.test(value) ||
          fail(run, location, "pattern", () => `must match the regular expression /${printable(operand)}/`)
        );
      };
    },
  ],
]);

function length(
  keyword: string,
  operand: JsonValue,
  wanted: string,
  holds: (amount: number, limit: number) => boolean,
): ReturnType<Keyword> {
  const limit = asCount(operand);
  if (limit === undefined) return undefined;
  return (run, value, location) =>
    typeof value !== "string" ||
    holds(countCharacters(run, value, limit), limit) ||
    fail(run, location, keyword, () => `must have ${wanted} ${count(limit, "character", "characters")}`);
}

/** The number of code points, exact where it decides a comparison with the limit. */
function countCharacters(run: Run, text: string, limit: number): number {
  if (text.length / 2 > limit) return text.length / 2;
  charge(run, text.length / stepCost.charactersPerStep);
  let amount = text.length;
  for (let index = 0; index < text.length - 1; index += 1) {
    if (!isBetween(text.charCodeAt(index), 0xd800, 0xdbff)) continue;
    if (!isBetween(text.charCodeAt(index + 1), 0xdc00, 0xdfff)) continue;
    amount -= 1;
    index += 1;
  }
  return amount;
}

function isBetween(unit: number, first: number, last: number): boolean {
  return unit >= first && unit <= last;
}

function printable(source: string): string {
  const visible = source.slice(0, longestPattern).replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "");
  return source.length > longestPattern ? `${visible}…` : visible;
}

const longestPattern = 120;
