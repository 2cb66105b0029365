import type { ClientHome } from "../../model/invocation.ts";
import type { JsonObject } from "../../model/json.ts";
import { cannotAsk } from "./call-peer.ts";
import { type CallerIdentity, keyOfCaller } from "./same-caller.ts";
import { digestOfValue } from "./sealed-state.ts";

/**
 * A client of a version without sessions, beyond one request: all requests of one caller with the same capabilities. It is never
 * gone, and outside of its requests nothing reaches it.
 *
 * @param capabilities what it can be asked.
 */
export function createModernHome(caller: CallerIdentity, capabilities: JsonObject): ClientHome {
  let key: string | undefined;
  let gone: AbortSignal | undefined;
  return {
    // Made when asked for: most requests end at upstreams without sessions.
    get key() {
      key ??= `modern ${digestOfValue(capabilities)} ${keyOfCaller(caller)}`;
      return key;
    },
    get gone() {
      gone ??= new AbortController().signal;
      return gone;
    },
    capabilities,
    logLevel: () => undefined,
    ask: async (method) => {
      throw cannotAsk(method);
    },
    notify: () => {},
    follow: () => () => {},
  };
}
