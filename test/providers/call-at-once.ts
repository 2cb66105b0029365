import type { ConnectableCall } from "../../src/server/mcp/connect-in-band.ts";
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
