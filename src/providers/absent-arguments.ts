import { isJsonObject } from "../json-object.ts";
import type { HttpBinding, Tool } from "../model/catalog.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../model/json.ts";

/**
 * The arguments of a call without those that say nothing: models write `null` for parameters that they leave out. Members of a body of
 * an HTTP request stay, because there `null` is a value, and where its schema does not take it the caller has to know; so do arguments of
 * an MCP tool whose schema takes `null`, or leaves open what it takes.
 */
export function withoutAbsent(
  tool: Pick<Tool, "binding" | "inputSchema">,
  callArguments: JsonObject,
): JsonObject {
  if (!Object.values(callArguments).includes(null)) return callArguments;
  const { binding } = tool;
  if (binding.kind !== "http" && binding.kind !== "mcp") return callArguments;
  const absent = binding.kind === "http" ? optionalParameters(binding) : optionalMembers(tool.inputSchema);
  const given = Object.entries(callArguments).filter(([name, value]) => value !== null || !absent.has(name));
  return Object.fromEntries(given);
}

function optionalParameters({ parameters }: HttpBinding): ReadonlySet<string> {
  const optional = parameters.filter(({ required, default: value }) => !required || value !== undefined);
  return new Set(optional.flatMap(({ argument }) => argument ?? []));
}

/** Those that name their types, and not `null` among them. */
function optionalMembers({ properties, required }: JsonSchema): ReadonlySet<string> {
  const needed = new Set(Array.isArray(required) ? required : []);
  const members = Object.entries(isJsonObject(properties) ? properties : {});
  return new Set(members.flatMap(([name, member]) => (needed.has(name) || takesNull(member) ? [] : name)));
}

function takesNull(schema: JsonValue): boolean {
  const type = isJsonObject(schema) ? schema["type"] : undefined;
  if (Array.isArray(type)) return type.includes("null");
  return typeof type !== "string" || type === "null";
}
