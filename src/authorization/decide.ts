import type { ProviderCatalog } from "../model/catalog.ts";
import type { Decision } from "../model/decision.ts";
import type { Caller } from "./caller.ts";
import { type Candidate, checks } from "./checks.ts";
import { judgePolicies, withoutPolicies } from "./judge-policies.ts";
import type { Rules } from "./rules.ts";

/** What became of a tool, and how far it came: the number of checks it passed, policies being the last. */
export interface Verdict {
  readonly outcome: Decision["outcome"];
  readonly passed: number;
}

/** Decides about one tool for one caller, whatever the arguments. */
export function decide(caller: Caller, candidate: Candidate, rules: Rules): Verdict {
  let passed = 0;
  for (const check of checks) {
    if (caller.isOperator && !check.bindsOperator) continue;
    if (check.find(caller, candidate).outcome === "denies") return { outcome: "denied", passed };
    passed += 1;
  }
  if (caller.isOperator) return { outcome: "allowed", passed: checks.length };
  const { outcome } = judgePolicies(
    rules.policies,
    (rule) => rule.verdict(caller.subject, candidate.tool),
    withoutPolicies(rules, candidate.tool.effects.destructive),
  );
  return { outcome, passed };
}

/** Whether a caller may get a tool of a provider that is not known yet: decided by all that looks at the provider alone. */
export function mayUseProvider(
  caller: Caller,
  provider: ProviderCatalog,
  surface: "mcp" | "api",
  rules: Rules,
): boolean {
  const passes = checks.every(
    (check) => (caller.isOperator && !check.bindsOperator) || check.mayPass(caller, provider, surface),
  );
  if (!passes || caller.isOperator) return passes;
  const { outcome } = judgePolicies(
    rules.policies,
    (rule) => rule.verdictOnProvider(caller.subject, provider.name),
    withoutPolicies(rules, false),
  );
  return outcome !== "denied";
}
