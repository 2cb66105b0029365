import { compileRe2 } from "../json-schema/re2-pattern.ts";
import { type CelOutcome, createCelLanguage, parseCel, parseCelWithout } from "./cel.ts";
import { checkExpression, type ExpressionFacts, ExpressionProblem, nameOf } from "./check-expression.ts";
import { describeSyntaxError } from "./describe-syntax-error.ts";
import { type PolicyArguments, type PolicySubject, subjectVariables } from "./subject.ts";

/**
 * Whether a policy matches. `unknown`: that depends on the arguments, which are not there yet. `failed`: it can't be told, so a
 * policy that denies is to count as matching and one that allows as not matching.
 */
export type PolicyVerdict = boolean | "unknown" | "failed";

/** A policy's condition, ready to be evaluated. */
export interface CompiledPolicy {
  readonly usesArguments: boolean;
  /** The members of `principal` and `tool` that it reads: where these are equal, so is what it comes to. */
  readonly principalMembers: ReadonlySet<string>;
  readonly toolMembers: ReadonlySet<string>;
  /**
   * Never throws.
   *
   * @param callArguments absent while they are not known; then a verdict other than `unknown` holds for all there may be.
   */
  evaluate(principal: PolicySubject, tool: PolicySubject, callArguments?: PolicyArguments): PolicyVerdict;
}

/** What became of a condition. */
export type CompiledCondition =
  | { readonly ok: true; readonly policy: CompiledPolicy }
  | {
      readonly ok: false;
      /** What is wrong and what to do about it, as sentences. */
      readonly problem: string;
      /** Where in the text, in UTF-16 units. */
      readonly offset: number | undefined;
    };

/** Longer conditions are to be several policies. */
export const longestCondition = 4_000;
/** So long texts of callers are matched against patterns, and searched for texts of theirs; it takes some milliseconds. */
const longestMatched = 100_000;
/** Values in arguments that are looked at one by one. */
const mostLooped = 10_000;
/** The same where each may take as long as all of them. */
const mostSquare = 500;
/** Parts of an expression evaluated for one call, about 20 milliseconds. */
const mostSteps = 500_000;
/** Characters that the patterns of a loop meet together, at most about 40 milliseconds. */
const mostMatched = 1_000_000;

/** Compiles the condition (`when`) of a policy: CEL over `principal`, `tool` and `arguments`, nothing else. */
export function compilePolicy(when: string): CompiledCondition {
  if (when.length > longestCondition)
    return refuse(
      `The condition has ${when.length} characters, and ${longestCondition} are allowed. Split it into several policies.`,
      undefined,
    );
  const parsed = parseCel(when);
  if (!parsed.ok) return refuse(describeSyntaxError(when, parsed.found), parsed.offset);
  const matchers = new Map<string, (text: string) => boolean>();
  const language = createCelLanguage((text, pattern) => {
    const test = matchers.get(pattern);
    if (test === undefined || text.length > longestMatched) throw new Error("Too long to be matched.");
    return test(text);
  });
  let facts: ExpressionFacts;
  try {
    facts = checkExpression(parsed.expression, subjectVariables, language);
  } catch (error) {
    if (!(error instanceof ExpressionProblem)) throw error;
    return refuse(error.message, parsed.offsetOf(error.part));
  }
  if (facts.result !== "bool" && facts.result !== "any")
    return refuse(
      `The condition gives a ${nameOf(facts.result)}, and has to give true or false. Compare it with something, such as by \`==\`.`,
      undefined,
    );
  for (const pattern of facts.patterns) {
    const compiled = compileRe2(pattern);
    if (!compiled.ok)
      return refuse(`The pattern \`${pattern}\` is not usable: ${compiled.refusal}.`, undefined);
    matchers.set(pattern, compiled.test);
  }
  const usesArguments = (facts.reads.get("arguments")?.size ?? 0) > 0;
  const prepared = language.prepare(parsed.expression);
  const ahead = usesArguments ? language.prepare(parseCelWithout(when, "arguments")) : prepared;
  return {
    ok: true,
    policy: {
      usesArguments,
      principalMembers: facts.reads.get("principal") ?? new Set(),
      toolMembers: facts.reads.get("tool") ?? new Set(),
      evaluate: (principal, tool, callArguments) => {
        const subjects = { principal: principal.value, tool: tool.value };
        if (!usesArguments) return verdictOf(prepared(subjects), "failed");
        if (callArguments === undefined) return verdictOf(ahead(subjects), "unknown");
        const { value } = callArguments;
        if (value === undefined || isTooMuch(facts, callArguments))
          return verdictOf(ahead(subjects), "failed");
        const { principal: caller, tool: called } = subjects;
        return verdictOf(prepared({ principal: caller, tool: called, arguments: value }), "failed");
      },
    },
  };
}

function verdictOf(outcome: CelOutcome, otherwise: "unknown" | "failed"): PolicyVerdict {
  return outcome.ok && typeof outcome.value === "boolean" ? outcome.value : otherwise;
}

/** Bounds the work that a caller can ask for by its arguments: a loop's parts times what it goes over. */
function isTooMuch(facts: ExpressionFacts, { nodes, characters }: PolicyArguments): boolean {
  const { loopParts, squareLoops, slowTexts, patterns } = facts;
  if (slowTexts && characters > longestMatched) return true;
  if (loopParts === 0) return false;
  if (nodes > mostLooped || nodes * loopParts > mostSteps) return true;
  if (patterns.size > 0 && characters > mostMatched) return true;
  return squareLoops && (nodes > mostSquare || nodes * characters > mostSteps);
}

function refuse(
  problem: string,
  offset: number | undefined,
): { readonly ok: false; readonly problem: string; readonly offset: number | undefined } {
  return { ok: false, problem, offset };
}
