import { isJsonObject } from "../../json-object.ts";
import { isAtLeast } from "../../mcp/versions.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../../model/json.ts";
import { structuredContent } from "./structured-content.ts";

/**
 * Passes on the result of an upstream's `tools/call`. What the client's version does not know yet is said in the words that it
 * has.
 */
export function adaptMcpResult(
  upstream: JsonObject,
  outputSchema: JsonSchema | undefined,
  version: string,
): JsonObject {
  const { structuredContent: structure, content, ...rest } = upstream;
  const blocks = Array.isArray(content) ? content : [];
  const isObject = isJsonObject(structure);
  return {
    ...rest,
    content: blocks.length === 0 ? textFor(structure) : blocks.map((block) => adaptBlock(block, version)),
    ...(structure === undefined ? {} : structuredContent(structure, isObject, outputSchema, version)),
  };
}

/** Clients that don't read `structuredContent` must find the value in the text (MCP 2025-06-18, Tools, structured content). */
function textFor(structure: JsonValue | undefined): JsonValue {
  return structure === undefined ? [] : [{ type: "text", text: JSON.stringify(structure) }];
}

function adaptBlock(block: JsonValue, version: string): JsonValue {
  if (!isJsonObject(block)) return block;
  if (block["type"] === "resource_link" && !isAtLeast(version, "2025-06-18")) {
    const { name, uri, description } = block;
    return {
      type: "text",
      text: [name, uri, description].filter((part) => typeof part === "string").join("\n"),
    };
  }
  if (block["type"] === "audio" && !isAtLeast(version, "2025-03-26")) {
    const { data = "", mimeType = "audio/*" } = block;
    return { type: "resource", resource: { uri: "gateway://results/audio", mimeType, blob: data } };
  }
  return block;
}
