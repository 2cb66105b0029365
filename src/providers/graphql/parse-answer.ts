import { isJsonObject } from "../../json-object.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";

// ECMAScript's source text access for JSON, which Node 24 has and the compiler's library does not describe yet.
declare global {
  interface JSON {
    rawJSON(text: string): object;
    parse(
      text: string,
      reviver: (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
  }
}

/**
 * Reads an answer as GraphQL: a JSON object with `data` or `errors` (GraphQL specification, section 7.1), whatever its
 * media type says. `undefined` for anything else.
 *
 * With `exactNumbers`, numbers that a double can't hold keep their digits when the answer is written out again; they
 * are opaque until then.
 */
export function parseAnswer(
  body: Uint8Array,
  options: { readonly exactNumbers: boolean },
): JsonObject | undefined {
  let answer: JsonValue;
  try {
    const text = new TextDecoder().decode(body);
    answer = (options.exactNumbers ? JSON.parse(text, keepDigits) : JSON.parse(text)) as JsonValue;
  } catch {
    return undefined;
  }
  if (!isJsonObject(answer)) return undefined;
  return Object.hasOwn(answer, "data") || Array.isArray(answer.errors) ? answer : undefined;
}

function keepDigits(
  this: unknown,
  _key: string,
  value: unknown,
  context: { readonly source?: string },
): unknown {
  const { source } = context;
  return typeof value === "number" && source !== undefined && String(value) !== source
    ? JSON.rawJSON(source)
    : value;
}
