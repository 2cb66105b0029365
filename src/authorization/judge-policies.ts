import type { Decision } from "../model/decision.ts";
import type { PolicyVerdict } from "../policy/compile-policy.ts";
import type { Rule, Rules } from "./rules.ts";

/** What all policies together, and what holds without them, come to. */
export interface Judgement {
  readonly outcome: Decision["outcome"];
  /** The policy that decides; `undefined`: none does, or more than one may. */
  readonly by: Rule | undefined;
}

/**
 * The one combination of policies, for lists, calls and explanations: a `deny` that matches beats all; where none does, an
 * `allow` that matches allows; else what the file says holds without policies. A policy that failed counts against the caller.
 */
export function judgePolicies(
  policies: readonly Rule[],
  verdictOf: (rule: Rule) => PolicyVerdict,
  withoutPolicies: "allow" | "deny",
): Judgement {
  let allowing: Rule | undefined;
  let mayDeny = false;
  let mayAllow = false;
  for (const rule of policies) {
    const verdict = verdictOf(rule);
    if (rule.config.effect === "deny") {
      if (verdict === true || verdict === "failed") return { outcome: "denied", by: rule };
      mayDeny ||= verdict === "unknown";
    } else {
      if (verdict === true) allowing ??= rule;
      mayAllow ||= verdict === "unknown";
    }
  }
  const isAllowed = allowing !== undefined || withoutPolicies === "allow";
  if (!isAllowed && !mayAllow) return { outcome: "denied", by: undefined };
  if (mayDeny || !isAllowed) return { outcome: "depends", by: undefined };
  return { outcome: "allowed", by: allowing };
}

/**
 * What holds for a tool of which no policy says anything. A destructive one needs both: `default: deny` leaves nothing, and
 * `destructive: deny` takes these from the rest.
 */
export function withoutPolicies(rules: Rules, isDestructive: boolean): "allow" | "deny" {
  return rules.default === "deny" || (isDestructive && rules.destructive === "deny") ? "deny" : "allow";
}
