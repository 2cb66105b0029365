import { GatewayError } from "../errors.ts";
import type { Tool } from "../model/catalog.ts";
import type { JsonObject } from "../model/json.ts";
import type { PolicyVerdict } from "../policy/compile-policy.ts";
import { policyArguments, toolSubject } from "../policy/subject.ts";
import type { Caller, OpenQuestion } from "./caller.ts";
import { judgePolicies, withoutPolicies } from "./judge-policies.ts";
import type { Rule, Rules } from "./rules.ts";

/** Asks the policies about the arguments of one call. Throws `arguments_denied` when they refuse them. */
export function checkCall(caller: Caller, tool: Tool, callArguments: JsonObject, rules: Rules): void {
  if (caller.isOperator) return;
  const open = caller.openQuestions.get(tool) ?? findOpenQuestion(caller, tool, rules);
  caller.openQuestions.set(tool, open);
  if (open.rules.length === 0 && open.otherwise === "allow") return;
  const prepared = policyArguments(callArguments);
  const { outcome, by } = judgePolicies(
    open.rules,
    (rule) => rule.verdictOnCall(caller.subject, open.tool, prepared),
    open.otherwise,
  );
  if (outcome === "allowed") return;
  if (by === undefined) {
    throw new GatewayError(
      "arguments_denied",
      `No policy of the gateway allows \`${tool.name}\` with these arguments. Call it with others.`,
    );
  }
  const { name, message } = by.config;
  throw new GatewayError(
    "arguments_denied",
    message ??
      `Policy \`${name}\` of the gateway refuses these arguments of \`${tool.name}\`. Call it with others.`,
    { details: { policy: name } },
  );
}

function findOpenQuestion(caller: Caller, tool: Tool, rules: Rules): OpenQuestion {
  const verdictOf = (rule: Rule): PolicyVerdict => rule.verdict(caller.subject, tool);
  const fallback = withoutPolicies(rules, tool.effects.destructive);
  const subject = toolSubject(tool);
  const { outcome } = judgePolicies(rules.policies, verdictOf, fallback);
  if (outcome !== "depends") {
    return { rules: [], otherwise: outcome === "allowed" ? "allow" : "deny", tool: subject };
  }
  const isAllowed = rules.policies.some((rule) => rule.config.effect === "allow" && verdictOf(rule) === true);
  return {
    rules: rules.policies.filter((rule) => verdictOf(rule) === "unknown"),
    otherwise: isAllowed ? "allow" : fallback,
    tool: subject,
  };
}
