import type { JsonObject, JsonValue } from "./model/json.ts";

/** Tells an object from the other JSON values. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value !== undefined && value !== null && typeof value === "object" && !Array.isArray(value);
}

/** The value when it is an object, else `undefined`. */
export function asObject(value: JsonValue | undefined): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}
