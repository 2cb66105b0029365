import type { IncomingMessage } from "node:http";
import { GatewayError } from "../errors.ts";

/** Of these Node keeps the first where several come, and says nothing. */
const single = ["host", "authorization", "content-type"] as const;

/**
 * Refuses requests that hold a header twice that decides who asks, for whom, or how the body is read: what stands in front of
 * the gateway may have looked at the other one (RFC 9112 section 3.2, RFC 9110 section 5.3).
 */
export function checkSingleHeaders(request: IncomingMessage): void {
  const repeated = single.find((name) => (request.headersDistinct[name]?.length ?? 0) > 1);
  if (repeated === undefined) return;
  throw new GatewayError("bad_request", `The request has several \`${repeated}\` headers. Send one.`);
}
