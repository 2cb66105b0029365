import type { JsonValue } from "../model/json.ts";

/** `JSON` with what ES2026 adds to it (proposal-json-parse-with-source); Node has it, the type library does not yet. */
interface SourceJson {
  rawJSON(text: string): JsonValue;
  parse(
    text: string,
    reviver: (
      this: unknown,
      key: string,
      value: JsonValue,
      context: { readonly source?: string },
    ) => JsonValue,
  ): JsonValue;
}

const sourceJson = JSON as unknown as SourceJson;

/** Only a text with a long number or an exponent can hold what a double can't: everything else skips the slower way. */
const suspicious = /(?:^|[:,[\s])-?(?:\d[\d.]{15}|[\d.]+[eE])/;
const integer = /^-?\d+$/;

/**
 * Parses JSON and keeps numbers that a double can't hold as they are written: they are opaque where they stand, and
 * `JSON.stringify` writes them back digit by digit. For values that are passed on, not for values that are computed with.
 */
export function parseExactJson(text: string): JsonValue {
  if (!suspicious.test(text)) return JSON.parse(text) as JsonValue;
  return sourceJson.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined && !isExact(value, source)
      ? sourceJson.rawJSON(source)
      : value,
  );
}

/** The first number in a JSON text that would arrive as another one: a long integer, or one beyond the range of a double. */
export function findInexactNumber(text: string): string | undefined {
  if (!suspicious.test(text)) return undefined;
  let found: string | undefined;
  sourceJson.parse(text, (_key, value, { source }) => {
    if (typeof value === "number" && source !== undefined && !isExact(value, source)) {
      // Decimals that differ in the last digits only are what every program that computes with doubles sends.
      if (integer.test(source) || !Number.isFinite(value)) found ??= source;
    }
    return value;
  });
  return found;
}

function isExact(value: number, source: string): boolean {
  if (String(value) === source) return true;
  // Up to 15 digits every decimal comes back from a double, unless its exponent is out of range.
  const digits = source.replace(/[eE].*/, "").match(/\d/g)?.length ?? 0;
  return (
    digits <= 15 && Number.isFinite(value) && (value !== 0 || !/[1-9]/.test(source.replace(/[eE].*/, "")))
  );
}
