import { asObject } from "../json-object.ts";
import type { Tool } from "../model/catalog.ts";
import type { JsonSchema } from "../model/json.ts";

/** The argument that names which of several instances of a connection a call uses. */
export const instanceArgument = "_instance";

/** The most names that a schema lists: clients read every schema, and people have few accounts of one kind. */
const mostNames = 100;

/**
 * The instances that a caller can choose from at a tool: several, or none at all. A tool that has an argument of that name itself
 * keeps it.
 *
 * @param instances of the caller, by `provider/connection`.
 */
export function choicesOf(
  tool: Tool,
  instances: ReadonlyMap<string, readonly string[]>,
): readonly string[] | undefined {
  if (tool.connection === undefined || instances.size === 0) return undefined;
  const names = instances.get(`${tool.provider}/${tool.connection}`);
  if (names === undefined || names.length < 2 || declaresInstance(tool.inputSchema)) return undefined;
  return names.slice(0, mostNames);
}

/** Whether a tool has an argument of that name itself, which is then no choice of a credential. */
export function declaresInstance(inputSchema: JsonSchema): boolean {
  return Object.hasOwn(asObject(inputSchema["properties"]) ?? {}, instanceArgument);
}

/** An input schema with the choice among instances, for the caller that has them. */
export function withInstances(schema: JsonSchema, choices: readonly string[] | undefined): JsonSchema {
  if (choices === undefined) return schema;
  const description = "Which of your stored connections the call uses. Needed, as there are several.";
  return {
    ...schema,
    properties: {
      ...asObject(schema["properties"]),
      [instanceArgument]: { type: "string", enum: choices, description },
    },
  };
}
