import type { Connections, FinishedOAuth, OAuthCallback } from "../model/connections.ts";
import type { Principal } from "../model/principal.ts";
import { unknownFlow } from "./flows/complete-connection.ts";
import { connectManual } from "./flows/connect-manual.ts";
import { disconnect } from "./flows/disconnect.ts";
import { finishOAuth } from "./flows/finish-oauth.ts";
import type { FlowParts } from "./flows/flow-parts.ts";
import { listStatuses } from "./flows/list-statuses.ts";
import { OpenFlows } from "./flows/open-flows.ts";
import { selectChoice } from "./flows/select-choice.ts";
import { startOAuth } from "./flows/start-oauth.ts";

/** How credentials come into the store, and go. */
export interface Connecting {
  /** What a principal may do to its connections. */
  connections(as: Principal): Connections;
  /** See `Credentials.finishOAuth`. */
  finishOAuth(as: Principal, callback: OAuthCallback): Promise<FinishedOAuth>;
}

/** Puts the flows together. The clock is the system's by default. */
export function createConnections(
  given: Omit<FlowParts, "now"> & { readonly now?: () => number },
): Connecting {
  const parts: FlowParts = { ...given, now: given.now ?? Date.now };
  /** Those under way; where nothing can be stored there are none. */
  const underWay = (): OpenFlows => {
    if (parts.store === undefined) throw unknownFlow();
    return new OpenFlows(parts, parts.store);
  };
  return {
    connections: (as) => ({
      list: (provider) => listStatuses(parts, as, provider),
      startOAuth: (request) => startOAuth(parts, as, request),
      connectManual: (request) => connectManual(parts, as, request),
      select: async (pending, choice) => selectChoice(parts, underWay(), as, pending, choice),
      disconnect: (target) => disconnect(parts, as, target),
    }),
    finishOAuth: async (as, callback) => finishOAuth(parts, underWay(), as, callback),
  };
}
