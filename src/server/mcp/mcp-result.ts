import { asObject, isJsonObject } from "../../json-object.ts";
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
    content: [
      ...blocks.map((block) => adaptBlock(block, version)),
      ...(needsText(blocks, version) ? textFor(structure) : []),
    ],
    ...(structure === undefined ? {} : structuredContent(structure, isObject, outputSchema, version)),
  };
}

/** Passes on the result of an upstream's `prompts/get` in the same way. */
export function adaptPrompt(upstream: JsonObject, version: string): JsonObject {
  const { messages } = upstream;
  if (!Array.isArray(messages)) return upstream;
  return { ...upstream, messages: messages.map((message) => adaptMessage(message, version)) };
}

function adaptMessage(message: JsonValue, version: string): JsonValue {
  if (!isJsonObject(message)) return message;
  const { content } = message;
  if (content === undefined) return message;
  // The specification has one block here.
  const adapted = Array.isArray(content)
    ? content.map((block) => adaptBlock(block, version))
    : adaptBlock(content, version);
  return { ...message, content: adapted };
}

/** Clients that don't read `structuredContent` must find the value in the text (MCP 2025-06-18, Tools, structured content). */
function needsText(blocks: readonly JsonValue[], version: string): boolean {
  if (blocks.length === 0) return true;
  return !isAtLeast(version, "2025-06-18") && !blocks.some((block) => asObject(block)?.["type"] === "text");
}

function textFor(structure: JsonValue | undefined): readonly JsonValue[] {
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
