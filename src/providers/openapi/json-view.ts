import type { JsonObject, JsonValue } from "../../model/json.ts";

// Foreign documents are read without trusting any shape: a value of another type than expected counts as absent.

/** The value as an object; empty when it is anything else. */
export function asObject(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** The value as an array; empty when it is anything else. */
export function asArray(value: JsonValue | undefined): readonly JsonValue[] {
  return isArray(value) ? value : [];
}

/** The value as a text that holds more than blanks; else `undefined`. */
export function asText(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** The value of an object's own member; `undefined` when there is none. */
export function member(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Tells objects from arrays and null. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** `Array.isArray` does not narrow readonly arrays. */
export function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/**
 * The reference that a schema is, or holds. A dynamic one is taken as what it means where nothing else is said: who extends the
 * schema may mean another target by it (JSON Schema 2020-12 section 8.2.3.2).
 */
export function referenceOf({ $ref: reference, $dynamicRef: dynamic }: JsonObject): string | undefined {
  if (typeof reference === "string") return reference;
  return typeof dynamic === "string" ? dynamic : undefined;
}
