import type { IncomingMessage } from "node:http";
import { GatewayError } from "../errors.ts";

/** Of these Node keeps the first where several come, and says nothing. */
const single = ["host", "authorization", "content-type", "x-gateway-tenant"] as const;

/** Proxies turn underscores into hyphens, or take such a name for the other one's. */
const lookAlikes = ["x_gateway_tenant", "x-gateway_tenant", "x_gateway-tenant", "content_type"] as const;

/**
 * Refuses requests that hold a header twice, or in an ambiguous spelling, that decides who asks, for whom, or how the body is
 * read: what stands in front of the gateway may have looked at the other one (RFC 9112 section 3.2, RFC 9110 section 5.3).
 */
export function checkSingleHeaders(request: IncomingMessage): void {
  const repeated = single.find((name) => (request.headersDistinct[name]?.length ?? 0) > 1);
  if (repeated !== undefined) {
    throw new GatewayError("bad_request", `The request has several \`${repeated}\` headers. Send one.`);
  }
  const lookAlike = lookAlikes.find((name) => request.headers[name] !== undefined);
  if (lookAlike !== undefined) {
    throw new GatewayError("bad_request", `The header \`${lookAlike}\` is spelt with hyphens only.`);
  }
}
