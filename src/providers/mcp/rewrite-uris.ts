import { toClientUri } from "../../catalog/resource-uri.ts";
import { isJsonObject } from "../../json-object.ts";
import { withoutReservedMeta } from "../../mcp/meta.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";

/** Whose URIs they are: see {@link toClientUri}. */
export type UriOwner = Parameters<typeof toClientUri>[0];

/**
 * A result of an upstream with the URIs by which clients know its resources: in the content of tools and prompts (resource links and
 * embedded resources), and in the contents of a resource. Beside that only what is reserved in the `_meta` of such a part goes.
 */
export function withClientUris(method: string, result: JsonObject, owner: UriOwner): JsonObject {
  switch (method) {
    case "tools/call":
      return withMember(result, "content", (content) => inBlocks(content, owner));
    case "prompts/get":
      return withMember(result, "messages", (messages) =>
        eachObject(messages, (message) =>
          withMember(message, "content", (content) => inBlocks(content, owner)),
        ),
      );
    case "resources/read":
      return withMember(result, "contents", (contents) =>
        eachObject(contents, (content) => withClientUri(content, owner)),
      );
    default:
      return result;
  }
}

/** The object with its `uri`, if it has one, as clients know it. */
export function withClientUri(value: JsonObject, owner: UriOwner): JsonObject {
  const passed = withoutReserved(value);
  const { uri } = passed;
  return typeof uri === "string" ? { ...passed, uri: toClientUri(owner, uri) } : passed;
}

function withoutReserved(value: JsonObject): JsonObject {
  return value["_meta"] === undefined ? value : withoutReservedMeta(value);
}

/** A list of content blocks, or a single one, as prompts have them. */
function inBlocks(content: JsonValue, owner: UriOwner): JsonValue {
  return isJsonObject(content)
    ? inBlock(content, owner)
    : eachObject(content, (block) => inBlock(block, owner));
}

function inBlock(block: JsonObject, owner: UriOwner): JsonObject {
  if (block["type"] === "resource_link") return withClientUri(block, owner);
  if (block["type"] !== "resource") return withoutReserved(block);
  return withMember(withoutReserved(block), "resource", (resource) =>
    isJsonObject(resource) ? withClientUri(resource, owner) : resource,
  );
}

function withMember(value: JsonObject, name: string, change: (member: JsonValue) => JsonValue): JsonObject {
  const member = value[name];
  return member === undefined ? value : { ...value, [name]: change(member) };
}

function eachObject(list: JsonValue, change: (item: JsonObject) => JsonObject): JsonValue {
  if (!Array.isArray(list)) return list;
  return list.map((item) => (isJsonObject(item) ? change(item) : item));
}
