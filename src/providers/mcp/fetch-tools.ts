import { GatewayError } from "../../errors.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { UpstreamSession } from "./upstream-session.ts";

const maxTools = 10_000;
const maxPages = 1_000;
const maxBytes = 64 * 1024 * 1024;

/** The tools that an upstream lists, as they came. */
export interface ListedTools {
  readonly tools: readonly JsonValue[];
  /** Why there may be more than these, in a full sentence; `undefined`: these are all. */
  readonly cut: string | undefined;
}

/** Fetches all pages of `tools/list`, at most 10,000 tools or 64 MiB. An upstream without tools is not asked. */
export async function fetchTools(session: UpstreamSession, signal: AbortSignal): Promise<ListedTools> {
  if (!("tools" in session.agreement.capabilities)) return { tools: [], cut: undefined };
  const tools: JsonValue[] = [];
  const cursors = new Set<string>();
  let bytes = 0;
  let params: JsonObject = {};
  for (;;) {
    const result = await session.request("tools/list", params, { signal });
    const page = result["tools"];
    if (!Array.isArray(page)) {
      throw new GatewayError(
        "upstream_failed",
        "The MCP server answered `tools/list` without a list of tools.",
      );
    }
    bytes += JSON.stringify(page).length;
    tools.push(...page.slice(0, maxTools - tools.length));
    const cursor = result["nextCursor"];
    // Some servers write an empty cursor, or null, where the specification asks for none.
    const more = typeof cursor === "string" && cursor !== "";
    if (tools.length === maxTools && (more || page.length > 0)) {
      return { tools, cut: `Only the first ${maxTools} tools of the MCP server are offered.` };
    }
    if (!more) return { tools, cut: undefined };
    if (bytes > maxBytes)
      return { tools, cut: "The MCP server's list of tools is too large; its rest is left out." };
    if (cursors.has(cursor) || cursors.size >= maxPages) {
      return { tools, cut: "The MCP server's list of tools does not end: its pages repeat themselves." };
    }
    cursors.add(cursor);
    params = { cursor };
  }
}
