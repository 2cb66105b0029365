import { toUpstreamUri, type UriOwner } from "../catalog/resource-uri.ts";
import { isJsonObject } from "../json-object.ts";
import type { Tool } from "../model/catalog.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import { withoutAbsent } from "./absent-arguments.ts";

/**
 * The arguments of a call as its upstream means them, before anything is decided by them: without those that say nothing, and where the
 * upstream is an MCP server, with its own URIs in place of those by which clients know its resources. Only texts that are such a
 * URI as a whole are changed, and only of this provider.
 */
export function cleanArguments(tool: Tool, callArguments: JsonObject): JsonObject {
  const { binding, name, operation, provider } = tool;
  const owner = { name: provider, toolPrefix: name.slice(0, name.length - operation.length) };
  switch (binding.kind) {
    case "mcp":
      return withUpstreamUris(withoutAbsent(tool, callArguments), owner);
    case "mcp-feature": {
      // The params are the upstream's own already, but for what is passed to a prompt.
      const given = callArguments["arguments"];
      if (binding.feature !== "prompts" || !isJsonObject(given)) return callArguments;
      return { ...callArguments, arguments: withUpstreamUris(given, owner) };
    }
    default:
      return withoutAbsent(tool, callArguments);
  }
}

function withUpstreamUris(callArguments: JsonObject, owner: UriOwner): JsonObject {
  return owner.toolPrefix === "" ? callArguments : restoreMembers(callArguments, owner);
}

/** The same value where there is nothing to change: most calls name no resource, and numbers may be kept as they were written. */
function restore(value: JsonValue, owner: UriOwner): JsonValue {
  if (typeof value === "string") return toUpstreamUri(owner, value) ?? value;
  if (Array.isArray(value)) {
    const items = value.map((item) => restore(item, owner));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  return isJsonObject(value) ? restoreMembers(value, owner) : value;
}

function restoreMembers(value: JsonObject, owner: UriOwner): JsonObject {
  const members = Object.entries(value).map(([name, member]) => [name, restore(member, owner)] as const);
  return members.every(([name, member]) => member === value[name]) ? value : Object.fromEntries(members);
}
