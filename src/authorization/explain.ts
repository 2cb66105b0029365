import type { Decision, DecisionStep } from "../model/decision.ts";
import type { Caller } from "./caller.ts";
import { type Candidate, checks } from "./checks.ts";
import { decide } from "./decide.ts";
import type { Rule, Rules } from "./rules.ts";

/** The decision about one tool with all of its steps, those behind the first that denies included. */
export function explain(
  caller: Caller,
  candidate: Candidate | undefined,
  name: string,
  rules: Rules,
): Decision {
  if (candidate === undefined) {
    const detail = `The catalog has no tool \`${name}\`. Names count exactly, letter case included.`;
    return { outcome: "denied", steps: [{ check: "catalog", outcome: "denies", detail }] };
  }
  const { provider, tool } = candidate;
  const found: DecisionStep = {
    check: "catalog",
    outcome: "allows",
    detail: `It is operation \`${tool.operation}\` of provider \`${provider.name}\`.`,
  };
  const steps = checks.map((check): DecisionStep => {
    if (caller.isOperator && !check.bindsOperator)
      return { check: check.check, outcome: "allows", detail: operatorDetail };
    const { outcome, detail } = check.find(caller, candidate);
    return { check: check.check, outcome, detail: detail(caller, candidate) };
  });
  const last: readonly DecisionStep[] = caller.isOperator
    ? [{ check: "default", outcome: "allows", detail: operatorDetail }]
    : explainPolicies(caller, candidate, rules);
  return { outcome: decide(caller, candidate, rules).outcome, steps: [found, ...steps, ...last] };
}

const operatorDetail =
  "The command line on the gateway's own machine may use every tool; only catalog and surface bind it.";

function explainPolicies(caller: Caller, { tool }: Candidate, rules: Rules): readonly DecisionStep[] {
  const steps = rules.policies.map((rule) => explainPolicy(rule, caller, tool));
  const decides = steps.some(({ outcome }) => outcome === "allows" || outcome === "denies");
  const mayDecide = steps.some(({ outcome, effect }) => outcome === "depends" && effect === "allow");
  const isDestructive = tool.effects.destructive;
  const deniesIt = isDestructive && rules.destructive === "deny";
  // What no policy allows is denied: where one may, the arguments decide.
  const denies = mayDecide ? "depends" : "denies";
  const unless = mayDecide ? ", which holds for the arguments that no policy allows" : "";
  const destructive: DecisionStep = {
    check: "destructive",
    outcome: decides || !deniesIt ? "silent" : denies,
    detail: !isDestructive
      ? "The tool destroys nothing."
      : decides
        ? decidedAlready
        : `The tool may destroy something, and \`authorization.destructive\` is \`${rules.destructive}\`${deniesIt ? unless : ""}.`,
  };
  const general: DecisionStep = {
    check: "default",
    outcome: decides || deniesIt ? "silent" : rules.default === "allow" ? "allows" : denies,
    detail: decides
      ? decidedAlready
      : deniesIt
        ? "`authorization.destructive` decides, so this says nothing."
        : `\`authorization.default\` is \`${rules.default}\`${rules.default === "deny" ? unless : ""}.`,
  };
  return [...steps.map(({ effect: _effect, ...step }) => step), destructive, general];
}

const decidedAlready = "A policy decides, so this says nothing.";

function explainPolicy(
  { config, verdict }: Rule,
  caller: Caller,
  tool: Candidate["tool"],
): DecisionStep & { readonly effect: "allow" | "deny" } {
  const found = verdict(caller.subject, tool);
  const { effect } = config;
  const effective = effect === "deny" ? "denies" : "allows";
  const about = config.description === undefined ? "" : ` ${config.description}`;
  const of = { check: "policy", policy: config.name, effect } as const;
  if (found === "unknown")
    return { ...of, outcome: "depends", detail: `It ${effective} calls with certain arguments.${about}` };
  if (found === false) return { ...of, outcome: "silent", detail: "Its condition does not hold." };
  if (found === true) return { ...of, outcome: effective, detail: `Its condition holds.${about}` };
  return effect === "deny"
    ? { ...of, outcome: "denies", detail: "Its condition can't be evaluated here, which counts as holding." }
    : {
        ...of,
        outcome: "silent",
        detail: "Its condition can't be evaluated here, which counts as not holding.",
      };
}
