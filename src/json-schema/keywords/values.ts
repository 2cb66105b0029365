import type { JsonValue } from "../../model/json.ts";
import { charge } from "../budget.ts";
import { identityOf } from "../equality.ts";
import { isArray, isJsonType, isOfType, typeOf } from "../json-type.ts";
import type { Keyword } from "../keyword.ts";
import { fail, guess, type Run } from "../run.ts";

/** `type`, `enum`, `const`: the keywords that any value may fail (2020-12, Validation section 6.1). */
export const valueKeywords: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  [
    "enum",
    ({ run: payer }, operand) => {
      // An empty list is a mistake of the document; nobody describes an argument that can't be given.
      if (!isArray(operand) || operand.length === 0) return undefined;
      const allowed = new Set<unknown>();
      for (const entry of operand) allowed.add(identityOf(payer, entry));
      return (run, value, location) =>
        allowed.has(identityOf(run, value)) ||
        fail(run, location, "enum", () => ({
          kind: "choice",
          types: [],
          values: operand,
          actual: typeOf(value),
        }));
    },
  ],
  [
    "const",
    ({ run: payer }, operand) => {
      const wanted = identityOf(payer, operand);
      return (run, value, location) =>
        identityOf(run, value) === wanted ||
        fail(run, location, "const", () => ({
          kind: "choice",
          types: [],
          values: [operand],
          actual: typeOf(value),
        }));
    },
  ],
  [
    "type",
    ({ run: payer }, operand) => {
      const names = isArray(operand) ? operand : [operand];
      charge(payer, names.length);
      const types = names.filter(isJsonType);
      // `any` and `file` of other dialects, for instance.
      if (types.length < names.length || types.length === 0) return (run) => guess(run, undefined);
      return (run, value, location) => {
        charge(run, types.length);
        return (
          types.some((type) => isOfType(value, type)) ||
          fail(run, location, "type", () => ({ kind: "choice", types, values: [], actual: typeOf(value) }))
        );
      };
    },
  ],
]);

/** The bounds of numbers, and `multipleOf` (2020-12, Validation section 6.2). */
export const numberKeywords: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  // Up to draft 4 the exclusive keywords were flags beside the others.
  [
    "minimum",
    ({ schema }, limit) => (schema["exclusiveMinimum"] === true ? greaterThan(limit) : atLeast(limit)),
  ],
  ["maximum", ({ schema }, limit) => (schema["exclusiveMaximum"] === true ? lessThan(limit) : atMost(limit))],
  ["exclusiveMinimum", (_preparation, limit) => greaterThan(limit)],
  ["exclusiveMaximum", (_preparation, limit) => lessThan(limit)],
  [
    "multipleOf",
    (_preparation, divisor) => {
      if (typeof divisor !== "number" || divisor <= 0) return undefined;
      return (run, value, location) =>
        typeof value !== "number" ||
        isMultipleOf(run, value, divisor) ||
        fail(run, location, "multipleOf", () => `must be a multiple of ${divisor}`);
    },
  ],
]);

function atLeast(limit: JsonValue): ReturnType<Keyword> {
  return bound("minimum", limit, "be at least", (value, lowest) => value >= lowest);
}

function atMost(limit: JsonValue): ReturnType<Keyword> {
  return bound("maximum", limit, "be at most", (value, highest) => value <= highest);
}

function greaterThan(limit: JsonValue): ReturnType<Keyword> {
  return bound("exclusiveMinimum", limit, "be greater than", (value, floor) => value > floor);
}

function lessThan(limit: JsonValue): ReturnType<Keyword> {
  return bound("exclusiveMaximum", limit, "be less than", (value, ceiling) => value < ceiling);
}

function bound(
  keyword: string,
  limit: JsonValue,
  wanted: string,
  holds: (value: number, limit: number) => boolean,
): ReturnType<Keyword> {
  if (typeof limit !== "number") return undefined;
  return (run, value, location) =>
    typeof value !== "number" ||
    holds(value, limit) ||
    fail(run, location, keyword, () => `must ${wanted} ${limit}`);
}

/** Exact in decimal, as JSON writes numbers: 0.3 is a multiple of 0.1. */
function isMultipleOf(run: Run, value: number, divisor: number): boolean {
  if (Number.isSafeInteger(value) && Number.isSafeInteger(divisor)) return value % divisor === 0;
  if (!Number.isFinite(value)) return false;
  const dividend = decimalOf(value);
  const unit = decimalOf(divisor);
  const exponent = Math.min(dividend.exponent, unit.exponent);
  charge(run, 10 + Math.abs(dividend.exponent - unit.exponent) / 4);
  const scale = (part: Decimal): bigint => part.digits * 10n ** BigInt(part.exponent - exponent);
  return scale(dividend) % scale(unit) === 0n;
}

interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

function decimalOf(value: number): Decimal {
  const [mantissa = "0", power = "0"] = String(value).split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}
