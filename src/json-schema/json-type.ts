import { isJsonObject } from "../json-object.ts";
import type { JsonValue } from "../model/json.ts";

/** The types of JSON Schema 2020-12, Validation section 6.1.1. */
export type JsonType = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";

/** Whether a text names a type. */
export function isJsonType(name: JsonValue): name is JsonType {
  return typeof name === "string" && types.has(name);
}

const types: ReadonlySet<string> = new Set<JsonType>([
  "null",
  "boolean",
  "integer",
  "number",
  "string",
  "array",
  "object",
]);

/** `JSON` with what ES2026 adds to it; Node has it, the type library does not yet. */
const sourceJson = JSON as unknown as { isRawJSON(value: unknown): value is { readonly rawJSON: string } };

/** The value, or the number that stands for one which a double can't hold and that was kept as it was written. */
export function rounded(value: JsonValue): JsonValue {
  return typeof value === "object" && sourceJson.isRawJSON(value) ? Number(value.rawJSON) : value;
}

/** Whether a value is of a type. 1.0 is an integer. */
export function isOfType(value: JsonValue, type: JsonType): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "integer":
      return Number.isInteger(value);
    case "array":
      return isArray(value);
    case "object":
      return isJsonObject(value);
    default:
      return typeof value === type;
  }
}

/** The type of a value as people say it: never `integer`, because 1.5 and 1 are both numbers. */
export function typeOf(value: JsonValue): JsonType {
  if (value === null) return "null";
  if (isArray(value)) return "array";
  switch (typeof value) {
    case "boolean":
      return "boolean";
    case "number":
      return "number";
    case "string":
      return "string";
    default:
      return "object";
  }
}

/** `Array.isArray` does not narrow readonly arrays. */
export function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** The texts in a list; of anything else none. */
export function textsIn(value: JsonValue | undefined): readonly string[] {
  return isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}

/** The members of an object; of anything else none. */
export function membersOf(value: JsonValue | undefined): readonly (readonly [string, JsonValue])[] {
  return isJsonObject(value) ? Object.entries(value) : [];
}

/** A limit on a count; `undefined` when the value can't be one. */
export function asCount(value: JsonValue | undefined): number | undefined {
  return typeof value === "number" && value >= 0 ? value : undefined;
}
