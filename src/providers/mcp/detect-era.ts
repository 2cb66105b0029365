import { rpcCodes } from "../../mcp/messages.ts";
import { discover, isHandshakeOnly, supportedByError } from "./handshake.ts";
import { UpstreamRefusal } from "./transport.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/**
 * Finds out which era a server over HTTP belongs to, by `server/discover`. `modern`: the session is ready for calls.
 * `legacy`: it is used up, and a new one has to begin with `initialize`.
 *
 * Only an answer is evidence: a refusal of the credential (401, 403), a failure (5xx), a redirect or no answer is thrown on.
 */
export async function detectEra(session: UpstreamSession, signal: AbortSignal): Promise<"modern" | "legacy"> {
  try {
    return (await discover(session, signal)) ? "modern" : "legacy";
  } catch (error) {
    if (!(error instanceof UpstreamRefusal)) throw error;
    const { status, rpc } = error;
    if (rpc?.code === rpcCodes.unsupportedProtocolVersion) isHandshakeOnly(supportedByError(rpc.data));
    // Codes that older servers do not have: a handshake would only hide what is wrong.
    if (rpc?.code === rpcCodes.headerMismatch || rpc?.code === rpcCodes.missingRequiredClientCapability)
      throw error;
    if (status === undefined || (status >= 400 && status < 500 && status !== 401 && status !== 403))
      return "legacy";
    throw error;
  }
}
