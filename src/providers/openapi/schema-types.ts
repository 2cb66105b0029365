import type { JsonObject, JsonSchema, JsonValue } from "../../model/json.ts";
import { asObject, isArray, isObject, member } from "./json-view.ts";

/** The JSON types that a schema allows, from what it says and what its keywords imply; none when it doesn't tell. */
export function readTypes(source: JsonObject): readonly string[] {
  const written = member(source, "type");
  if (isArray(written)) {
    const names = written.map(typeNamed).filter((name) => name !== undefined);
    if (names.length > 0) return [...new Set(names)];
  } else {
    const name = typeNamed(written);
    if (name !== undefined) return [name];
  }
  if (isObject(source["properties"]) || isObject(source["additionalProperties"])) return ["object"];
  if (source["items"] !== undefined) return ["array"];
  return [];
}

function typeNamed(name: JsonValue | undefined): string | undefined {
  return typeof name === "string" ? typeNames.get(name.trim().toLowerCase()) : undefined;
}

/** The types that a converted schema names. */
export function typesOf({ type }: JsonSchema): readonly string[] {
  return (isArray(type) ? type : [type]).filter((name) => typeof name === "string");
}

/** Besides the JSON types, names from other systems that documents use for them. */
const typeNames: ReadonlyMap<string, string> = new Map([
  ...["string", "number", "integer", "boolean", "array", "object", "null"].map(
    (name) => [name, name] as const,
  ),
  ["file", "string"],
  ["date", "string"],
  ["datetime", "string"],
  ["date-time", "string"],
  ["uuid", "string"],
  ["str", "string"],
  ["int", "integer"],
  ["int32", "integer"],
  ["int64", "integer"],
  ["long", "integer"],
  ["float", "number"],
  ["double", "number"],
  ["decimal", "number"],
  ["bool", "boolean"],
  ["list", "array"],
  ["map", "object"],
  ["dict", "object"],
]);

/** True for a schema that says in the words of 3.0 or of an extension that null fits, too. */
export function isNullable(source: JsonObject): boolean {
  return source["nullable"] === true || source["x-nullable"] === true;
}

/** The schema, or null. */
export function makeNullable(schema: JsonSchema): JsonSchema {
  const { type } = schema;
  const choices = schema["anyOf"];
  if (
    schema["enum"] !== undefined ||
    schema["const"] !== undefined ||
    schema["$ref"] !== undefined ||
    schema["allOf"] !== undefined
  ) {
    const { description, default: value, ...rest } = schema;
    return {
      ...(description !== undefined && { description }),
      ...(value !== undefined && { default: value }),
      anyOf: [rest, { type: "null" }],
    };
  }
  const widened: Record<string, JsonValue> = { ...schema };
  if (typeof type === "string" && type !== "null") widened["type"] = [type, "null"];
  if (isArray(type) && !type.includes("null")) widened["type"] = [...type, "null"];
  if (isArray(choices) && !choices.some((choice) => asObject(choice)["type"] === "null")) {
    widened["anyOf"] = [...choices, { type: "null" }];
  }
  return widened;
}
