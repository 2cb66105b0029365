import { GatewayError } from "../../errors.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import type { Freshness } from "../../model/features.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { shareThread } from "../share-thread.ts";
import { type ListKind, listMethods } from "./list-kinds.ts";
import { UpstreamRefusal } from "./transport.ts";
import type { UpstreamSession } from "./upstream-session.ts";

const maxEntries = 10_000;
const maxPages = 1_000;
const maxBytes = 64 * 1024 * 1024;
/** A list is not believed to keep for longer. */
const longestTtlMilliseconds = 24 * 60 * 60 * 1000;

/** What an upstream lists, as it came. */
export interface FetchedList {
  readonly entries: readonly JsonValue[];
  /** Why there may be more than these, in a full sentence; `undefined`: these are all. */
  readonly cut: string | undefined;
  /** Of all its pages; `undefined`: the upstream has no such list. */
  readonly freshness: Freshness | undefined;
}

const none: FetchedList = { entries: [], cut: undefined, freshness: undefined };

/**
 * Fetches all pages of a list, at most 10,000 entries or 64 MiB. An upstream that does not declare it is not asked; one that declares
 * it and then does not know the method has none.
 *
 * @param capabilities what the request declares of the client, where each request does: some servers list certain tools only then.
 */
export async function fetchList(
  session: UpstreamSession,
  kind: ListKind,
  capabilities: JsonObject,
  signal: AbortSignal,
): Promise<FetchedList> {
  const { method, member, capability, entries: nouns } = listMethods[kind];
  if (!(capability in session.agreement.capabilities)) return none;
  const entries: JsonValue[] = [];
  const cursors = new Set<string>();
  let freshness: Freshness | undefined;
  let bytes = 0;
  const giveWay = shareThread();
  let params: JsonObject = {};
  for (;;) {
    const result = await requestPage(session, method, params, { capabilities, signal });
    if (result === undefined) return none;
    const page = result[member];
    if (!Array.isArray(page)) {
      throw new GatewayError(
        "upstream_failed",
        `The MCP server answered \`${method}\` without a list of ${nouns}.`,
      );
    }
    freshness = leastFresh(freshness, readFreshness(session, result));
    // Reading a page, measuring and compiling it are turns of their own.
    await giveWay();
    bytes += JSON.stringify(page).length;
    await giveWay();
    entries.push(...page.slice(0, maxEntries - entries.length));
    const cursor = result["nextCursor"];
    // Some servers write an empty cursor, or null, where the specification asks for none.
    const more = typeof cursor === "string" && cursor !== "";
    const cut = (why: string): FetchedList => ({ entries, cut: why, freshness });
    if (entries.length === maxEntries && (more || page.length > 0)) {
      return cut(`Only the first ${maxEntries} ${nouns} of the MCP server are offered.`);
    }
    if (!more) return { entries, cut: undefined, freshness };
    if (bytes > maxBytes) return cut(`The MCP server's list of ${nouns} is too large; its rest is left out.`);
    if (cursors.has(cursor) || cursors.size >= maxPages) {
      return cut(`The MCP server's list of ${nouns} does not end: its pages repeat themselves.`);
    }
    cursors.add(cursor);
    params = { cursor };
  }
}

/** What keeps as long as both, and only for whom both are meant; `undefined` says nothing. */
export function leastFresh(left: Freshness | undefined, right: Freshness): Freshness;
export function leastFresh(left: Freshness | undefined, right: Freshness | undefined): Freshness | undefined;
export function leastFresh(left: Freshness | undefined, right: Freshness | undefined): Freshness | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  const isPublic = left.scope === "public" && right.scope === "public";
  return { ttlMs: Math.min(left.ttlMs, right.ttlMs), scope: isPublic ? "public" : "private" };
}

async function requestPage(
  session: UpstreamSession,
  method: string,
  params: JsonObject,
  options: { readonly capabilities: JsonObject; readonly signal: AbortSignal },
): Promise<JsonObject | undefined> {
  try {
    return await session.request(method, params, options);
  } catch (error) {
    if (error instanceof UpstreamRefusal && error.rpc?.code === rpcCodes.methodNotFound) return undefined;
    throw error;
  }
}

/** MCP 2026-07-28, caching; earlier servers, and those that say nothing sensible, promise nothing. */
function readFreshness(session: UpstreamSession, { ttlMs, cacheScope }: JsonObject): Freshness {
  if (session.agreement.era === "legacy") return { ttlMs: 0, scope: "private" };
  const isDuration = typeof ttlMs === "number" && Number.isFinite(ttlMs) && ttlMs > 0;
  return {
    ttlMs: isDuration ? Math.min(Math.floor(ttlMs), longestTtlMilliseconds) : 0,
    scope: cacheScope === "public" ? "public" : "private",
  };
}
