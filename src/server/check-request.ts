import { GatewayError } from "../errors.ts";
import { checkHeaders } from "./check-headers.ts";
import type { Exchange } from "./exchange.ts";
import { checkTarget } from "./read-target.ts";

/**
 * Refuses what Node takes for a request and what stands in front of the gateway may have read otherwise: that is how requests are
 * smuggled. Throws `bad_request`.
 */
export function checkRequest(exchange: Exchange): void {
  const { request, path } = exchange;
  checkHeaders(request);
  checkTarget(request, path);
  checkCoding(exchange);
  const { method, headers } = request;
  if (method !== "GET" && method !== "HEAD") return;
  // It has no meaning there (RFC 9110, section 9.3.1); to who does not look for it, it would be the next request.
  if (headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0) return;
  throw new GatewayError("bad_request", `A ${method} request has no body. Send it by POST.`);
}

/** Refuses bodies that are coded otherwise than in chunks: Node undoes no other coding, and what stands in front may have. */
function checkCoding({ request: { headers }, response }: Exchange): void {
  const { "transfer-encoding": transfer = "chunked", "content-encoding": content = "identity" } = headers;
  if (transfer.toLowerCase() !== "chunked") {
    // Where the next request begins may have been understood otherwise as well.
    response.shouldKeepAlive = false;
    throw new GatewayError("bad_request", "Of all transfer codings only `chunked` is taken.");
  }
  if (content.toLowerCase() !== "identity")
    throw new GatewayError(
      "bad_request",
      "The body is encoded (`content-encoding`), which is not undone here. Send it as it is.",
    );
}
