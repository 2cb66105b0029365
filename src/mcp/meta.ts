import { asObject } from "../json-object.ts";
import type { JsonObject } from "../model/json.ts";

/** Reserved `_meta` keys of MCP 2026-07-28. */
export const metaKeys = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  logLevel: "io.modelcontextprotocol/logLevel",
  serverInfo: "io.modelcontextprotocol/serverInfo",
  subscriptionId: "io.modelcontextprotocol/subscriptionId",
} as const;

/** The protocol's own keys concern one hop only, and the gateway's own are for the gateway to write. */
const reserved = /^io\.(?:modelcontextprotocol|gestalt)\//;

/** A result or the params of a notification as they go on to another hop: without reserved keys in `_meta`. */
export function withoutReservedMeta({ _meta, ...members }: JsonObject): JsonObject {
  const kept = Object.entries(asObject(_meta) ?? {}).filter(([name]) => !reserved.test(name));
  return kept.length === 0 ? members : { ...members, _meta: Object.fromEntries(kept) };
}

/** What of a request's `_meta` goes on to another hop: neither reserved keys nor the token for progress on this one; `undefined`: nothing. */
export function readPassedMeta(params: JsonObject): JsonObject | undefined {
  const { progressToken: _token, ...passed } = asObject(withoutReservedMeta(params)["_meta"]) ?? {};
  return Object.keys(passed).length === 0 ? undefined : passed;
}
