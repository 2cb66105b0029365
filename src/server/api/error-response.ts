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
  insufficient_scope: 403,
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

/** Parameters of a challenge that tell a client where to get a token and with which scope (RFC 9728, section 5.1). */
export type ChallengeHints = Readonly<Record<string, string>>;

/**
 * Sends `{error: {code, message, …}}` and the `Gateway-Error` header, which tells the gateway's own errors from an
 * upstream's.
 */
export function sendError(exchange: Exchange, error: GatewayError, hints: ChallengeHints = {}): void {
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
      ...errorHeaders(exchange, error, hints),
      ...(close ? { connection: "close" } : {}),
    },
  );
}

/** The headers that say what an error is, whatever its body looks like. */
export function errorHeaders(
  exchange: Exchange,
  error: GatewayError,
  hints: ChallengeHints = {},
): Readonly<Record<string, string>> {
  return {
    "gateway-error": error.code,
    // Nobody may keep an error: the next request may be answered otherwise.
    "cache-control": "no-store",
    ...challenge(exchange, error, hints),
    ...retryAfter(error),
  };
}

/** How to authenticate (RFC 6750, section 3). Without a word of why a token was refused: that would help to guess one. */
function challenge(
  { request }: Exchange,
  { code, details }: GatewayError,
  hints: ChallengeHints,
): Readonly<Record<string, string>> {
  const said = { realm: "gestalt-gateway" };
  if (code === "unauthenticated") {
    const wasPresented = request.headers.authorization !== undefined;
    return writeChallenge({ ...said, ...(wasPresented && { error: "invalid_token" }), ...hints });
  }
  if (code !== "insufficient_scope") return {};
  const { scope } = details;
  const needed = typeof scope === "string" ? { scope } : {};
  return writeChallenge({ ...said, error: "insufficient_scope", ...hints, ...needed });
}

function writeChallenge(parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const written = Object.entries(parameters).map(([name, value]) => `${name}="${escapeQuoted(value)}"`);
  return { "www-authenticate": `Bearer ${written.join(", ")}` };
}

/** For a quoted string of a header (RFC 9110, section 5.6.4); other characters than ASCII are in none of the values. */
function escapeQuoted(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&");
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
