import type { Tool } from "../model/catalog.ts";
import type { RateRule, RateSubject } from "../model/limits.ts";
import type { Principal } from "../model/principal.ts";
import { type AttemptLimiter, createAttemptLimiter } from "./attempt-limiter.ts";

/** A rule that a call does not fit into any more. */
export interface RateRefusal {
  readonly rule: RateRule;
  /** Until it would. */
  readonly milliseconds: number;
}

/** Counts calls by rules. */
export interface RateLimiter {
  /**
   * Counts a call. `undefined`: every rule that fits it lets it through; else the one that does not for the longest time, and none has
   * counted it.
   *
   * @param isTool false for methods of MCP that call no tool, such as reading a resource: rules that name tools don't fit them.
   */
  take(principal: Principal, tool: Tool, isTool: boolean): RateRefusal | undefined;
}

/** What it stands on. */
export interface RateLimiterParts {
  /** As of now; another list is looked at anew, and rules that are the same in it go on with what they have counted. */
  readonly rules: () => readonly RateRule[];
  readonly compileGlob: (glob: string) => (text: string) => boolean;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Counts that each rule keeps; of more, those that were used longest ago begin anew. 50,000 by default. */
  readonly keys?: number;
}

const usualKeys = 50_000;

interface CompiledRule {
  readonly rule: RateRule;
  readonly buckets: AttemptLimiter;
  fitsTenant(tenant: string): boolean;
  fitsTool(tool: Tool): boolean;
}

/** Makes a limiter. One that has no rules costs nothing. */
export function createRateLimiter(parts: RateLimiterParts): RateLimiter {
  const { compileGlob, now, keys = usualKeys } = parts;
  let known: readonly RateRule[] = [];
  let compiled: ReadonlyMap<string, CompiledRule> = new Map();
  /** Globs are matched once for each tool, which lives as long as its catalog. */
  let byTool = new WeakMap<Tool, readonly CompiledRule[]>();

  const matching = (glob: string | undefined): ((text: string) => boolean) =>
    glob === undefined ? () => true : compileGlob(glob);

  const compile = (rule: RateRule): CompiledRule => {
    const fitsProvider = matching(rule.provider);
    const fitsName = matching(rule.tool);
    return {
      rule,
      buckets: createAttemptLimiter(
        { attempts: rule.burst, refill: rule.milliseconds / rule.calls, keys },
        now,
      ),
      fitsTenant: matching(rule.tenant),
      fitsTool: ({ provider, name }) => fitsProvider(provider) && fitsName(name),
    };
  };

  const adopt = (rules: readonly RateRule[]): void => {
    const next = new Map<string, CompiledRule>();
    for (const rule of rules) {
      const key = JSON.stringify(rule);
      next.set(key, compiled.get(key) ?? compile(rule));
    }
    known = rules;
    compiled = next;
    byTool = new WeakMap();
  };

  const rulesOf = (tool: Tool): readonly CompiledRule[] => {
    let rules = byTool.get(tool);
    if (rules === undefined) {
      rules = [...compiled.values()].filter(({ fitsTool }) => fitsTool(tool));
      byTool.set(tool, rules);
    }
    return rules;
  };

  return {
    take(principal, tool, isTool) {
      const rules = parts.rules();
      if (rules !== known) adopt(rules);
      if (rules.length === 0) return undefined;
      const taken: { readonly buckets: AttemptLimiter; readonly key: string }[] = [];
      let refusal: RateRefusal | undefined;
      for (const { rule, buckets, fitsTenant } of rulesOf(tool)) {
        if ((rule.tool !== undefined && !isTool) || !fitsTenant(principal.tenant)) continue;
        const key = keyOf(rule.per, principal, tool);
        const milliseconds = buckets.take(key);
        if (milliseconds === undefined) taken.push({ buckets, key });
        else if (refusal === undefined || milliseconds > refusal.milliseconds)
          refusal = { rule, milliseconds };
      }
      if (refusal !== undefined) for (const { buckets, key } of taken) buckets.giveBack(key);
      return refusal;
    },
  };
}

function keyOf(per: readonly RateSubject[], principal: Principal, tool: Tool): string {
  let key = "";
  for (const subject of per) key += `${nameOf(subject, principal, tool)}\n`;
  return key;
}

/** No name has a line break in it. */
function nameOf(subject: RateSubject, principal: Principal, tool: Tool): string {
  switch (subject) {
    case "tenant":
      return principal.tenant;
    case "user":
      return `${principal.home} ${principal.kind} ${principal.id}`;
    case "token":
      return principal.credential === undefined
        ? `${principal.home} ${principal.kind} ${principal.id}`
        : `${principal.credential.kind} ${principal.credential.id}`;
    case "provider":
      return tool.provider;
    case "tool":
      return `${tool.provider} ${tool.name}`;
  }
}
