import { type ErrorCode, GatewayError } from "../../errors.ts";
import { asObject } from "../../json-object.ts";
import type { JsonValue } from "../../model/json.ts";

/** Every code there is, so that an answer can be compared with them; the compiler keeps the list whole. */
const codes: Readonly<Record<ErrorCode, true>> = {
  bad_request: true,
  invalid_arguments: true,
  arguments_denied: true,
  unauthenticated: true,
  forbidden: true,
  insufficient_scope: true,
  not_found: true,
  method_not_allowed: true,
  conflict: true,
  mcp_only: true,
  instance_selection_required: true,
  not_connected: true,
  reconnect_required: true,
  too_large: true,
  rate_limited: true,
  unsupported: true,
  upstream_failed: true,
  answer_too_large: true,
  provider_unavailable: true,
  store_unavailable: true,
  overloaded: true,
  draining: true,
  timed_out: true,
  cancelled: true,
  internal: true,
};

/** Longer messages are none of the gateway's. */
const longestMessage = 2_000;

/** The error that an answer `{error: {code, message, …}}` tells of; `undefined` when it is no such answer. */
export function readError(body: JsonValue | undefined): GatewayError | undefined {
  const { code, message } = asObject(asObject(body)?.["error"]) ?? {};
  if (typeof code !== "string" || typeof message !== "string") return undefined;
  const text = message.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, " ").slice(0, longestMessage);
  // A newer gateway may have codes that are not known here; what it says counts all the same.
  return new GatewayError(isErrorCode(code) ? code : "internal", text);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(codes, code);
}
