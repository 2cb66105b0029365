import type { JsonObject } from "./json.ts";

/** What a call came to. */
export type InvocationResult = HttpResult | McpResult;

/** An upstream's HTTP answer, whole. */
export interface HttpResult {
  readonly kind: "http";
  readonly status: number;
  /** Lower-case names; values of repeated headers joined by a comma. Hop-by-hop headers and `set-cookie` are gone. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded (no content encoding). */
  readonly body: Uint8Array;
  /** True when the upstream refused or failed: a 4xx or 5xx, or GraphQL errors without data. */
  readonly isError: boolean;
}

/** The result of an upstream MCP server's `tools/call`, as it came but for what concerns the upstream's own hop. */
export interface McpResult {
  readonly kind: "mcp";
  readonly result: JsonObject;
  readonly isError: boolean;
}
