import { GatewayError } from "../../errors.ts";
import { UpstreamRefusal } from "./transport.ts";

/** After such a failure of a call the server, or the session, may be gone. */
export function isDoubtful(error: unknown): boolean {
  if (error instanceof GatewayError) return error.code === "upstream_failed" || error.code === "timed_out";
  return isRefusedByHttp(error) && !isAnswer(error);
}

/** Some servers answer 400 where a session is unknown; a new one shows whether it is that. Being asked too often is not. */
export function isRefusedByHttp(error: unknown): boolean {
  return error instanceof UpstreamRefusal && error.status !== undefined && error.status !== 429;
}

/** An error for the request itself, from somebody who has read it: it may come with any status (MCP 2026-07-28, Streamable HTTP). */
function isAnswer(error: unknown): boolean {
  if (!(error instanceof UpstreamRefusal) || error.rpc === undefined || error.id === null) return false;
  return error.status === undefined || error.status < 500;
}
