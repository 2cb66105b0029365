import type { Tool } from "../model/catalog.ts";
import type { CompiledPolicy, PolicyVerdict } from "../policy/compile-policy.ts";
import { type PolicySubject, toolSubject } from "../policy/subject.ts";
import { createBoundedCache } from "./bounded-cache.ts";

/** What a policy says, evaluated once for all tools and principals that are equal in what it reads. */
export interface VerdictCache {
  verdict(principal: PolicySubject, tool: Tool): PolicyVerdict;
}

/** Kinds of principals that one policy tells apart. */
const mostRows = 64;
/** Kinds of tools that one policy tells apart and that are kept for one kind of principals. */
const mostVerdicts = 1_000;
/** Members by which nearly every tool differs: verdicts by them are kept for few kinds of principals. */
const distinct = ["name", "operation"];
const mostDistinctRows = 8;

/** Makes the cache of one policy. */
export function createVerdictCache(policy: CompiledPolicy): VerdictCache {
  const principalMembers = [...policy.principalMembers];
  const toolMembers = [...policy.toolMembers];
  const evaluate = (principal: PolicySubject, tool: Tool): PolicyVerdict =>
    policy.evaluate(principal, toolSubject(tool));
  const principalKeys = new WeakMap<PolicySubject, string>();
  const principalKeyOf = (principal: PolicySubject): string =>
    keyOf(principalKeys, principal, () => principal.members, principalMembers);
  if (toolMembers.some((member) => distinct.includes(member))) {
    const rows = createBoundedCache<WeakMap<Tool, PolicyVerdict>>(mostDistinctRows);
    return {
      verdict: (principal, tool) => {
        const row = rows.get(principalKeyOf(principal), () => new WeakMap());
        const known = row.get(tool) ?? evaluate(principal, tool);
        row.set(tool, known);
        return known;
      },
    };
  }
  const rows = createBoundedCache<Map<string, PolicyVerdict>>(mostRows);
  const toolKeys = new WeakMap<Tool, string>();
  return {
    verdict: (principal, tool) => {
      const row = rows.get(principalKeyOf(principal), () => new Map());
      const toolKey = keyOf(toolKeys, tool, () => toolSubject(tool).members, toolMembers);
      const known = row.get(toolKey) ?? evaluate(principal, tool);
      if (row.size < mostVerdicts) row.set(toolKey, known);
      return known;
    },
  };
}

/** The members that are read, as a text, made once. */
function keyOf<Subject extends object>(
  known: WeakMap<Subject, string>,
  subject: Subject,
  membersOf: () => PolicySubject["members"],
  names: readonly string[],
): string {
  if (names.length === 0) return "";
  let key = known.get(subject);
  if (key === undefined) {
    const members = membersOf();
    key = JSON.stringify(names.map((name) => members[name]));
    known.set(subject, key);
  }
  return key;
}
