import { rpcCodes } from "../../mcp/messages.ts";
import { isEvidence } from "./era-verdict.ts";
import { discover, isHandshakeOnly, supportedByError, supportsModern } from "./handshake.ts";
import { UpstreamRefusal } from "./transport.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/**
 * Finds out which era a server over HTTP belongs to, by `server/discover`. `modern`: the session is ready for calls.
 * `legacy`: it is used up, and a new one has to begin with `initialize`.
 *
 * Only an answer that is evidence counts (see {@link isEvidence}); everything else is thrown on.
 */
export async function detectEra(session: UpstreamSession, signal: AbortSignal): Promise<"modern" | "legacy"> {
  try {
    return (await discover(session, signal)) ? "modern" : "legacy";
  } catch (error) {
    if (!(error instanceof UpstreamRefusal)) throw error;
    const { rpc } = error;
    if (rpc?.code === rpcCodes.unsupportedProtocolVersion) {
      const supported = supportedByError(rpc.data);
      // It names a version to go on with, be it the one it has just refused: it is taken at its word once.
      if (supportsModern(supported)) return (await discover(session, signal)) ? "modern" : "legacy";
      isHandshakeOnly(supported);
    }
    // Codes that older servers do not have: a handshake would only hide what is wrong.
    if (rpc?.code === rpcCodes.headerMismatch || rpc?.code === rpcCodes.missingRequiredClientCapability)
      throw error;
    if (isEvidence(error)) return "legacy";
    throw error;
  }
}
