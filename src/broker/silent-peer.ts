import { GatewayError } from "../errors.ts";
import type { ClientPeer } from "../model/invocation.ts";

/** The peer of callers that are no MCP clients: nobody can be asked. @param notify takes what may be told, if anything. */
export function silentPeer(notify: ClientPeer["notify"] = () => {}): ClientPeer {
  return {
    capabilities: {},
    ask: async (method) => {
      throw new GatewayError(
        "unsupported",
        `The upstream asked for \`${method.slice(0, 100)}\`, which only MCP clients can answer.`,
      );
    },
    notify,
  };
}
