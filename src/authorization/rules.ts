import type { Tool } from "../model/catalog.ts";
import type { AuthorizationConfig, PolicyConfig } from "../model/config.ts";
import { type CompiledPolicy, compilePolicy, type PolicyVerdict } from "../policy/compile-policy.ts";
import { type PolicyArguments, type PolicySubject, providerSubject } from "../policy/subject.ts";
import { createVerdictCache } from "./verdict-cache.ts";

/** What the file says about who may use what, ready to decide by. */
export interface Rules {
  readonly default: "allow" | "deny";
  readonly destructive: "allow" | "deny";
  /** Scopes of each role; `undefined`: roles limit nobody. */
  readonly roles: ReadonlyMap<string, readonly string[]> | undefined;
  /** In the order of the file. */
  readonly policies: readonly Rule[];
  /** The members of principals that any policy reads. */
  readonly principalMembers: readonly string[];
}

/** One policy, ready to be applied. */
export interface Rule {
  readonly config: PolicyConfig;
  /** What the policy says of a principal and a tool, for whatever arguments. */
  verdict(principal: PolicySubject, tool: Tool): PolicyVerdict;
  /** What it says of one call, where that depends on the arguments. Never `unknown`. */
  verdictOnCall(principal: PolicySubject, tool: PolicySubject, callArguments: PolicyArguments): PolicyVerdict;
  /** What it says of all tools of a provider, be they known or not. */
  verdictOnProvider(principal: PolicySubject, provider: string): PolicyVerdict;
}

/** Compiles the settings. A condition that does not compile, which checks of the file rule out, can't be decided. */
export function compileRules(
  settings: AuthorizationConfig,
  log: (message: string, cause?: unknown) => void,
): Rules {
  const compiled = settings.policies.map((config) => {
    const outcome = compilePolicy(config.when);
    if (!outcome.ok) log(`Policy ${config.name} counts as denying: ${outcome.problem}`);
    return { config, policy: outcome.ok ? outcome.policy : undecidable };
  });
  return {
    default: settings.default,
    destructive: settings.destructive,
    roles:
      settings.roles && new Map(Object.entries(settings.roles).map(([name, { scopes }]) => [name, scopes])),
    policies: compiled.map(({ config, policy }) => createRule(config, policy)),
    principalMembers: [...new Set(compiled.flatMap(({ policy }) => [...policy.principalMembers]))].toSorted(),
  };
}

const undecidable: CompiledPolicy = {
  usesArguments: false,
  principalMembers: new Set(),
  toolMembers: new Set(),
  evaluate: () => "failed",
};

function createRule(config: PolicyConfig, policy: CompiledPolicy): Rule {
  const cache = createVerdictCache(policy);
  const verdict: Rule["verdict"] = (principal, tool) => cache.verdict(principal, tool);
  const readsOnlyProvider = [...policy.toolMembers].every((member) => member === "provider");
  return {
    config,
    verdict,
    verdictOnCall: (principal, tool, callArguments) => {
      const onCall = policy.evaluate(principal, tool, callArguments);
      return onCall === "unknown" ? "failed" : onCall;
    },
    verdictOnProvider: (principal, provider) =>
      readsOnlyProvider ? policy.evaluate(principal, providerSubject(provider)) : "unknown",
  };
}
