import type { ConnectableCall } from "../../src/server/mcp/connect-in-band.ts";
import { KeptResults } from "../../src/server/mcp/kept-results.ts";
import { createResultLimiter, type LimitResult } from "../../src/server/mcp/limit-result.ts";
import type { Caller, MethodResult } from "../../src/server/mcp/methods.ts";
import { principalOf } from "../principals.ts";

/** Makes a call without asking anybody to connect anything. */
export function callAtOnce({ caller, invoke }: ConnectableCall): Promise<MethodResult> {
  return invoke(caller.principal);
}

/** What of a caller only connecting needs. */
export const unasked: Pick<Caller, "header" | "confirm" | "visit"> = {
  header: () => undefined,
  confirm: async () => principalOf("operator"),
  visit: undefined,
};

/** Cuts what is long, and keeps nothing of it. */
export const cutOnly: LimitResult = createResultLimiter(
  { resultBytes: 1_000_000 },
  new KeptResults({ keptResultBytes: 0, keptResultMilliseconds: 0 }, () => 0),
);
