import { isAtLeast, isModernVersion } from "../../mcp/versions.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../../model/json.ts";
import { needsWrapping } from "./wrap-output-schema.ts";

/**
 * The `structuredContent` member for a value, as the client's version has it: none before 2025-06-18, objects only before
 * 2026-07-28 (other values, and those of a schema without an object at its root, as `{result: value}`), then any JSON.
 */
export function structuredContent(
  value: JsonValue,
  isObject: boolean,
  outputSchema: JsonSchema | undefined,
  version: string,
): JsonObject {
  if (!isAtLeast(version, "2025-06-18")) return {};
  const wraps =
    !isModernVersion(version) && (!isObject || (outputSchema !== undefined && needsWrapping(outputSchema)));
  return { structuredContent: wraps ? { result: value } : value };
}
