import type { JsonObject } from "../../model/json.ts";
import { TokenError } from "./token-client.ts";

/** The grant is over: the standard's code (RFC 6749, section 5.2), and those that GitHub and Slack document in its place. */
const refusals: ReadonlySet<string> = new Set([
  "invalid_grant",
  "bad_verification_code",
  "bad_refresh_token",
  "invalid_code",
  "code_already_used",
  "code_expired",
  "invalid_refresh_token",
]);

/** The server has trouble of its own, or wants to be left alone for a while. */
const troubles: ReadonlySet<string> = new Set([
  "temporarily_unavailable",
  "server_error",
  "slow_down",
  "ratelimited",
  "rate_limited",
  "internal_error",
  "fatal_error",
  "service_unavailable",
  "request_timeout",
]);

const standardCode = /^[a-z0-9_.-]{1,64}$/;
const mostRetryAfter = 86_400_000;

/** An answer of a token endpoint, as far as errors go. */
export interface AnswerFacts {
  /** Host and port of the endpoint. */
  readonly host: string;
  readonly status: number;
  /** The header `Retry-After`. */
  readonly retryAfter: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Values that were sent, and that a server might say again. */
  readonly sent: readonly string[];
}

/** The error that an answer is; `undefined`: it is none. */
export function classifyError(answer: JsonObject | undefined, facts: AnswerFacts): TokenError | undefined {
  const { host, status } = facts;
  const code = codeOf(answer, facts.sent);
  const failed = answer?.["ok"] === false || isError(answer);
  if (status >= 200 && status < 300 && !failed)
    return answer === undefined
      ? new TokenError(
          "transient",
          `${host} answered the token request with something that is no token answer.`,
        )
      : undefined;

  const wait = readRetryAfter(facts.retryAfter, facts.now);
  const said = code === undefined ? `status ${status}` : `\`${code}\``;
  const error = (kind: TokenError["kind"], what: string): TokenError =>
    new TokenError(kind, `${host} ${what} (${said}).`, {
      ...(code !== undefined && { code }),
      ...(wait !== undefined && { retryAfter: wait }),
    });

  if (status >= 300 && status < 400)
    return error("transient", "sent the token request elsewhere, which is not followed");
  if (status >= 500 || status === 408 || status === 425 || status === 429)
    return error("transient", "can't answer token requests now");
  if (code !== undefined && troubles.has(code)) return error("transient", "can't answer token requests now");
  if (code !== undefined && refusals.has(code))
    return error("refused", "does not take the grant any more, or never did");
  return error("misconfigured", "does not accept the token request of this client");
}

/** Milliseconds that `Retry-After` asks to wait (RFC 9110, section 10.2.3), a day at most; `undefined`: nothing that makes sense. */
export function readRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const wait = /^\d{1,12}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), mostRetryAfter) : undefined;
}

function isError(answer: JsonObject | undefined): boolean {
  const error = answer?.["error"];
  return error !== undefined && error !== null && error !== "" && error !== false && error !== 0;
}

/** A server that says a secret again in place of a code is not quoted. */
function codeOf(answer: JsonObject | undefined, sent: readonly string[]): string | undefined {
  const code = answer?.["error"];
  if (typeof code !== "string" || !standardCode.test(code) || sent.includes(code)) return undefined;
  return code;
}
