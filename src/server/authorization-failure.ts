import type { IncomingMessage } from "node:http";
import type { ErrorCode, GatewayError } from "../errors.ts";
import { errorHeaders, errorStatus, sendError } from "./api/error-response.ts";
import { type Exchange, sendJson } from "./exchange.ts";
import { sendProblem } from "./pages/problem-page.ts";

/** What OAuth calls a failure (RFC 6749, sections 4.1.2.1 and 5.2), unless it was said more exactly. */
const oauthCodes: Readonly<Partial<Record<ErrorCode, string>>> = {
  unauthenticated: "invalid_client",
  forbidden: "access_denied",
  internal: "server_error",
  rate_limited: "temporarily_unavailable",
  overloaded: "temporarily_unavailable",
  draining: "temporarily_unavailable",
  store_unavailable: "temporarily_unavailable",
  timed_out: "temporarily_unavailable",
};

/**
 * Answers for the authorization server where a request was refused before OAuth had an answer of its own: with a page where a person
 * looks at it, else with `error` and `error_description` (RFC 6749, section 5.2). `details.error` of the failure is its name in OAuth.
 */
export function sendAuthorizationFailure(exchange: Exchange, error: GatewayError): void {
  const { error: named } = error.details;
  const code = typeof named === "string" ? named : (oauthCodes[error.code] ?? "invalid_request");
  // Where half an answer is on its way, all that is left is breaking it off.
  if (exchange.response.headersSent) sendError(exchange, error);
  else if (isForPerson(exchange.request)) sendProblem(exchange, error, code);
  else {
    const close = error.code === "too_large" || error.code === "draining";
    const body = { error: code, error_description: describe(error.message) };
    sendJson(exchange, errorStatus[error.code], body, {
      ...errorHeaders(exchange, error),
      ...(close ? { connection: "close" } : {}),
    });
  }
}

/** Whether a browser shows the answer as a page. Browsers that say nothing of that ask for HTML, and programs don't. */
function isForPerson({ headers }: IncomingMessage): boolean {
  const destination = headers["sec-fetch-dest"];
  if (destination !== undefined) return destination === "document";
  return /(?:^|[,\s])text\/html(?:[;,\s]|$)/i.test(headers.accept ?? "");
}

/** In the characters that a description may have. */
function describe(message: string): string {
  return message.replaceAll('"', "'").replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "?");
}
