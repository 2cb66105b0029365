import { describeTool } from "../gateway.ts";
import type { Tool } from "../model/catalog.ts";

/** Bytes of JSON per token of a model's context, a rule of thumb for schemas in English. */
const bytesPerToken = 4;

/** What a tool costs. */
export interface ToolSize {
  /** Bytes of its entry in `tools/list`, UTF-8. */
  readonly bytes: number;
  /** Those of them that are the output schema. */
  readonly outputSchemaBytes: number;
  /** Estimated tokens in a model's context: the entry without the output schema, which clients rarely show to models. */
  readonly tokens: number;
}

/** Measures a tool as clients of the versions with sessions get it. Its schemas are made once, and not kept. */
export function measureTool(tool: Tool): ToolSize {
  const { outputSchema, ...entry } = describeTool(tool, "legacy");
  const shown = bytesOf(entry);
  const outputSchemaBytes =
    outputSchema === undefined ? 0 : `,"outputSchema":`.length + bytesOf(outputSchema);
  return { bytes: shown + outputSchemaBytes, outputSchemaBytes, tokens: estimateTokens(shown) };
}

/** Tokens of a model's context that so many bytes of JSON take. */
export function estimateTokens(bytes: number): number {
  return Math.ceil(bytes / bytesPerToken);
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value), "utf8");
}
