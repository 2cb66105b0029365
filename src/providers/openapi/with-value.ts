import type { JsonSchema } from "../../model/json.ts";
import { asObject } from "./json-view.ts";

/**
 * A schema in which the discriminator has one of the values. What the schema says itself of the property counts more. Without any value
 * the document only implies some by the schemas' names: those are shown and not insisted on, because documents often mean others.
 */
export function withValue(
  schema: JsonSchema,
  base: JsonSchema,
  property: string,
  values: readonly string[],
  names: readonly string[],
): JsonSchema {
  const properties = asObject(schema["properties"]);
  const own = asObject(properties[property] ?? asObject(base["properties"])[property]);
  const isTold = ["enum", "const", "anyOf", "allOf", "$ref"].some((keyword) => own[keyword] !== undefined);
  const isText = own["type"] === undefined || own["type"] === "string";
  if (!isText || (isTold && (values.length === 0 || properties[property] !== undefined))) return schema;
  if (values.length === 0 && names.length === 0) return schema;
  const { pattern: _pattern, minLength: _minimum, maxLength: _maximum, format: _format, ...rest } = own;
  const told: JsonSchema =
    values.length > 0
      ? { ...(isTold ? {} : rest), type: "string", enum: [...new Set(values)] }
      : { ...own, type: "string", examples: [...names] };
  return {
    ...schema,
    ...(schema["type"] === undefined && { type: "object" }),
    properties: { ...properties, [property]: told },
  };
}
