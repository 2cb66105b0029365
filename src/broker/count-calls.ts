import { compileGlob } from "../catalog/glob.ts";
import { GatewayError } from "../errors.ts";
import { createRateLimiter, type RateRefusal } from "../limits/rate-limiter.ts";
import type { Tool } from "../model/catalog.ts";
import type { RateRule, RateSubject } from "../model/limits.ts";
import type { Principal } from "../model/principal.ts";

/** Counts a call of a tool, or of a feature, that its caller may make; throws `rate_limited` where it is one too many. */
export type CallCounter = (principal: Principal, tool: Tool, kind: "tool" | "feature") => void;

/**
 * Counts calls by `limits.rates`. They count whether they come to anything or not: also what is refused for its arguments took work.
 *
 * @param rules as of now; those that stay the same over a reload go on with what they have counted.
 * @param now milliseconds of a clock that never goes back.
 */
export function createCallCounter(rules: () => readonly RateRule[], now: () => number): CallCounter {
  const limiter = createRateLimiter({ rules, now, compileGlob: (glob) => compileGlob(glob, "name") });
  return (principal, tool, kind) => {
    const refusal = limiter.take(principal, tool, kind === "tool");
    if (refusal !== undefined) throw refused(refusal);
  };
}

function refused({ rule, milliseconds }: RateRefusal): GatewayError {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1_000));
  return new GatewayError(
    "rate_limited",
    `Too many calls: at most ${describeRule(rule)} are let through (\`limits.rates\`). Try again in ${seconds} s.`,
    { details: { retry_after: seconds }, retryable: true },
  );
}

const spans: Readonly<Record<number, string>> = {
  1000: "a second",
  60000: "a minute",
  3600000: "an hour",
  86400000: "a day",
};

/** Without the tenants that it is for: those are no business of a caller. */
function describeRule({ calls, milliseconds, per, provider, tool, burst }: RateRule): string {
  const span = spans[milliseconds] ?? `in ${milliseconds / 1_000} s`;
  const to = [
    ...(tool === undefined ? [] : [` of tool \`${tool}\``]),
    ...(provider === undefined ? [] : [` to provider \`${provider}\``]),
  ].join("");
  const together = burst < calls ? `, and ${burst} at once,` : "";
  return `${calls} ${span}${to}${describeSubjects(per)}${together}`;
}

const inOrder: readonly RateSubject[] = ["tenant", "user", "token", "provider", "tool"];

function describeSubjects(per: readonly RateSubject[]): string {
  if (per.length === 0) return " for all callers together";
  const each = inOrder.filter((subject) => per.includes(subject));
  return ` for each ${each.join(" and ")}`;
}
