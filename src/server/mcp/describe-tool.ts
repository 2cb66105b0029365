import { asObject } from "../../json-object.ts";
import type { Tool } from "../../model/catalog.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../../model/json.ts";
import { withInstances } from "../instance-argument.ts";
import { needsWrapping, wrapOutputSchema } from "./wrap-output-schema.ts";

/** The two shapes of the protocol: with sessions (up to 2025-11-25) and without (2026-07-28). */
export type Era = "legacy" | "modern";

/**
 * What clients see of a tool; how it is called on the wire stays inside.
 *
 * @param choices the instances of its connection, where the caller has several.
 */
export function describeTool(tool: Tool, era: Era, choices?: readonly string[]): JsonObject {
  const { name, title, description, inputSchema, annotations } = tool;
  const outputSchema = describeOutput(tool.outputSchema, era);
  return {
    name,
    ...(title === undefined ? {} : { title }),
    description,
    inputSchema: withInstances(withObjectProperties(inputSchema), choices),
    ...(outputSchema === undefined ? {} : { outputSchema: withObjectProperties(outputSchema) }),
    // Where clients of 2025-03-26 look for it.
    annotations: { ...(era === "legacy" && title !== undefined && { title }), ...annotations },
    ...tool.extras,
  };
}

function describeOutput(outputSchema: JsonSchema | undefined, era: Era): JsonSchema | undefined {
  if (outputSchema === undefined || era === "modern" || !needsWrapping(outputSchema)) return outputSchema;
  return wrapOutputSchema(outputSchema);
}

/** One property with a boolean as its schema makes the official clients refuse the whole list; objects say the same. */
function withObjectProperties(schema: JsonSchema): JsonSchema {
  const properties = asObject(schema["properties"]);
  if (properties === undefined || !Object.values(properties).some((value) => typeof value === "boolean"))
    return schema;
  const objects = Object.entries(properties).map(([name, value]): [string, JsonValue] => [
    name,
    asSchemaObject(value),
  ]);
  return { ...schema, properties: Object.fromEntries(objects) };
}

function asSchemaObject(schema: JsonValue): JsonValue {
  if (typeof schema !== "boolean") return schema;
  return schema ? {} : { not: {} };
}
