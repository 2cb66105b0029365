import type { ErrorCode } from "../../errors.ts";
import { GatewayError } from "../../errors.ts";
import { type Exchange, sendJson } from "../exchange.ts";

/** HTTP status of each error code (configuration reference, "Errors on the wire"). */
export const errorStatus: Readonly<Record<ErrorCode, number>> = {
  bad_request: 400,
  invalid_arguments: 400,
  arguments_denied: 400,
  mcp_only: 400,
  unsupported: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  instance_selection_required: 409,
  not_connected: 412,
  reconnect_required: 412,
  too_large: 413,
  rate_limited: 429,
  cancelled: 499,
  internal: 500,
  upstream_failed: 502,
  answer_too_large: 502,
  provider_unavailable: 503,
  store_unavailable: 503,
  overloaded: 503,
  draining: 503,
  timed_out: 504,
};

/**
 * Sends `{error: {code, message, …}}` and the `Gateway-Error` header, which tells the gateway's own errors from an
 * upstream's.
 */
export function sendError(exchange: Exchange, error: GatewayError): void {
  const { response } = exchange;
  if (response.headersSent) {
    // Half an answer is on its way: breaking it off is the only way left to say that it is not whole.
    response.destroy();
    return;
  }
  // What is left of a refused body would be read as the next request.
  const close = error.code === "too_large" || error.code === "draining";
  sendJson(
    exchange,
    errorStatus[error.code],
    { error: { code: error.code, message: error.message, ...error.details } },
    {
      ...errorHeaders(exchange, error),
      ...(close ? { connection: "close" } : {}),
    },
  );
}

/** The headers that say what an error is, whatever its body looks like. */
export function errorHeaders(exchange: Exchange, error: GatewayError): Readonly<Record<string, string>> {
  return {
    "gateway-error": error.code,
    // Nobody may keep an error: the next request may be answered otherwise.
    "cache-control": "no-store",
    ...challenge(exchange, error),
    ...retryAfter(error),
  };
}

/** How to authenticate (RFC 6750, section 3). Without a word of why a token was refused: that would help to guess one. */
function challenge({ request }: Exchange, { code }: GatewayError): Readonly<Record<string, string>> {
  if (code !== "unauthenticated") return {};
  const realm = 'Bearer realm="gestalt-gateway"';
  const wasPresented = request.headers.authorization !== undefined;
  return { "www-authenticate": wasPresented ? `${realm}, error="invalid_token"` : realm };
}

/** When to try again, in seconds. */
function retryAfter({ code, details, retryable }: GatewayError): Readonly<Record<string, string>> {
  const { retry_after: seconds } = details;
  if (typeof seconds === "number" && Number.isFinite(seconds))
    return { "retry-after": String(Math.max(1, Math.ceil(seconds))) };
  return retryable || code === "store_unavailable" ? { "retry-after": "1" } : {};
}

/** What a caller may know of any failure; `undefined` in place of a message keeps the cause for the log. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  return new GatewayError("internal", "The gateway failed to handle this request.", { cause: error });
}
