/** Every reason for which the gateway itself refuses or fails a call. The set is closed; it is part of the HTTP API. */
export type ErrorCode =
  | "bad_request"
  | "invalid_arguments"
  | "arguments_denied"
  | "unauthenticated"
  | "forbidden"
  | "insufficient_scope"
  | "not_found"
  | "method_not_allowed"
  | "conflict"
  | "mcp_only"
  | "instance_selection_required"
  | "not_connected"
  | "reconnect_required"
  | "too_large"
  | "rate_limited"
  | "unsupported"
  | "upstream_failed"
  | "answer_too_large"
  | "provider_unavailable"
  | "store_unavailable"
  | "overloaded"
  | "draining"
  | "timed_out"
  | "cancelled"
  | "internal";

/** Facts for the caller besides the message, such as the candidates of an ambiguous choice. Never a secret. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/**
 * A call that the gateway refuses or could not carry out.
 *
 * `message` goes to the caller: it says what happened and what to do, and holds nothing secret. `cause` goes to the log
 * and nowhere else.
 */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  /** True when the same call may succeed later without any change. */
  readonly retryable: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly details?: ErrorDetails; readonly retryable?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    this.retryable = options.retryable ?? false;
  }
}
