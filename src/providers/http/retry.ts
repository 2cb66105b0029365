import type { HttpBinding } from "../../model/catalog.ts";

/** The first ceiling of a pause, in ms; it doubles with each attempt up to the longest. */
const firstPause = 500;
const longestBackoff = 8_000;

/** Methods that only read (RFC 9110 section 9.2.1, and QUERY). */
export function isSafe(method: string): boolean {
  return ["GET", "HEAD", "OPTIONS", "QUERY"].includes(method);
}

/** Whether a request may arrive twice: an idempotent method (RFC 9110 section 9.2.2), or a key by which the upstream knows it again. */
export function isRepeatable(method: string, hasKey: boolean): boolean {
  return isSafe(method) || method === "PUT" || method === "DELETE" || hasKey;
}

/** The argument for the header `Idempotency-Key`, where an operation has one. */
export function idempotencyArgument({ parameters }: HttpBinding): string | undefined {
  return parameters.find(
    (parameter) => parameter.in === "header" && parameter.name.toLowerCase() === "idempotency-key",
  )?.argument;
}

/** Whether the answer is about a moment that passes: too many requests, not available; from in between for those who only read. */
export function isWorthRetrying(status: number, safe: boolean): boolean {
  return status === 429 || status === 503 || (safe && (status === 502 || status === 504));
}

/** A pause before the next attempt in ms, anything from nothing to a growing ceiling: many who wait don't come back at one time. */
export function backoff(attempt: number, random: number): number {
  return random * Math.min(longestBackoff, firstPause * 2 ** (attempt - 1));
}

/** The pause that `Retry-After` asks for in ms (RFC 9110 section 10.2.3): seconds, or a date; `undefined` for neither. */
export function retryAfter(value: string | undefined, date: number): number | undefined {
  const text = value?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // Of dates only those with a weekday: `Date.parse` would also take a bare year.
  const at = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - date);
}
