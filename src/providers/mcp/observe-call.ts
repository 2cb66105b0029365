import { isWanted } from "../../mcp/log-level.ts";
import type { ClientPeer, LogLevel } from "../../model/invocation.ts";
import type { JsonObject } from "../../model/json.ts";
import type { CallDeadline } from "./call-deadline.ts";
import type { RequestObserver } from "./session-events.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** What clients with a handshake get of upstreams that log only on request, unless they say what they want. */
const usualLevel: LogLevel = "info";

/** Passes on what an upstream says and asks while a call is under way: to the client behind it, each thing being a sign of life. */
export function createObserver(peer: ClientPeer, deadline: CallDeadline): RequestObserver {
  return {
    progress: (params) => {
      deadline.touch();
      peer.notify("notifications/progress", params);
    },
    log: (params) => {
      deadline.touch();
      if (isWanted(params["level"], peer.logLevel)) peer.notify("notifications/message", params);
    },
    ask: (method, params, signal) => {
      const known = peer.retry === undefined ? params : withoutElicitationId(method, params);
      return deadline.hold(() => unlessAborted(signal, peer.ask(method, known, signal)));
    },
    pause: (milliseconds) => {
      deadline.touch();
      peer.pause?.(milliseconds);
    },
  };
}

/**
 * What an upstream that logs only on request (MCP 2026-07-28) is asked for: what the client wants of this call, else what it wanted
 * before; `undefined`: nothing, as for callers that are no MCP clients.
 */
export function logLevelOf({ logLevel, home, retry }: ClientPeer): LogLevel | undefined {
  if (logLevel !== undefined) return logLevel === "none" ? undefined : logLevel;
  // A client of the same era says what it wants with each call.
  if (home === undefined || retry !== undefined) return undefined;
  return home.logLevel() ?? usualLevel;
}

/** Clients of MCP 2026-07-28 know nothing of the id that elicitations by URL had before. */
function withoutElicitationId(method: string, params: JsonObject): JsonObject {
  if (method !== "elicitation/create") return params;
  const { elicitationId: _id, ...known } = params;
  return known;
}
