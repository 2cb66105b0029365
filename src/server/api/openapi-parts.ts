import type { JsonObject, JsonSchema } from "../../model/json.ts";

/** The schema of any text. */
export const text: JsonSchema = { type: "string" };

/** A reference to one of the document's components. */
export function reference(kind: string, name: string): JsonObject {
  return { $ref: `#/components/${kind}/${name}` };
}

/** The schema of an object whose one member is a list of a component. */
export function list(key: string, item: string): JsonSchema {
  return {
    type: "object",
    required: [key],
    properties: { [key]: { type: "array", items: reference("schemas", item) } },
  };
}

/** An answer of JSON. */
export function json(description: string, schema: JsonSchema): JsonObject {
  return { description, content: { "application/json": { schema } } };
}
