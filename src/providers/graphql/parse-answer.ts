import { GatewayError } from "../../errors.ts";
import { CostlyJsonError, parseExactJson } from "../../json/exact-json.ts";
import { isJsonObject } from "../../json-object.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";

/** Writing JSON recurses. */
const deepestAnswer = 1000;

/**
 * Reads an answer as GraphQL, whatever its media type says; `undefined` for anything else. Numbers that a double can't hold
 * keep their digits when the answer is written out again; they are opaque until then. Throws `answer_too_large` for what would take
 * too long to read.
 */
export function parseAnswer(body: Uint8Array): JsonObject | undefined {
  try {
    const text = new TextDecoder().decode(body);
    return asAnswer(parseExactJson(text, deepestAnswer));
  } catch (error) {
    if (error instanceof CostlyJsonError)
      throw new GatewayError(
        "answer_too_large",
        `The upstream's answer ${error.message}. Ask for less, such as a smaller page or fewer fields.`,
      );
    // What is not JSON is the caller's to see.
    return undefined;
  }
}

/** A JSON object with `data` or `errors` (GraphQL specification, section 7.1); `undefined` for other values. */
export function asAnswer(value: JsonValue): JsonObject | undefined {
  if (!isJsonObject(value)) return undefined;
  return Object.hasOwn(value, "data") || Array.isArray(value["errors"]) ? value : undefined;
}
