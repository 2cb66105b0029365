import type { JsonObject, JsonValue } from "./json.ts";

/** What a call came to. */
export type InvocationResult = HttpResult | McpResult | InputRequired;

/** An upstream's HTTP answer, whole. */
export interface HttpResult {
  readonly kind: "http";
  readonly status: number;
  /** Lower-case names; values of repeated headers joined by a comma. Hop-by-hop headers and `set-cookie` are gone. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded (no content encoding). */
  readonly body: Uint8Array;
  /** True when the upstream refused or failed: a 4xx or 5xx, a redirect (none is followed), or GraphQL errors without data. */
  readonly isError: boolean;
  /** How many requests it took; absent: one. */
  readonly attempts?: number;
  /** The items of an answer that is a sequence: JSON lines, JSON text sequences, event streams. */
  readonly sequence?: readonly JsonValue[];
  /** Of tools whose answers come in pages. */
  readonly pages?: PageSummary;
  /** What the caller should know of the answer beside it: what is missing, how to go on. Whole sentences. */
  readonly notes?: readonly string[];
}

/** How much of a paginated answer a result holds. */
export interface PageSummary {
  readonly pages: number;
  readonly items: number;
  /** `undefined`: only asking for the next page can tell. */
  readonly more: boolean | undefined;
  /** The arguments that get the next page, in place of those of this call; the others stay. */
  readonly next: JsonObject | undefined;
  /** Why it ends before the pages that were asked for; `undefined`: it does not. */
  readonly stopped: string | undefined;
}

/**
 * An upstream MCP server wants answers of the client before it goes on (MCP 2026-07-28, multi round-trip requests). Only for callers
 * whose peer has `retry`: they make the same call again.
 */
export interface InputRequired {
  readonly kind: "input_required";
  /** Requests by key. */
  readonly requests: JsonObject;
  /** What the upstream wants back, byte for byte; `undefined`: nothing. */
  readonly state: string | undefined;
}

/**
 * The result of an upstream MCP server, of `tools/call` or of another method, as it came but for what concerns the upstream's own hop:
 * resources in it have the URIs that clients know them by.
 */
export interface McpResult {
  readonly kind: "mcp";
  readonly result: JsonObject;
  readonly isError: boolean;
}
