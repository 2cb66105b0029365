import type { JsonSchema, JsonValue } from "../model/json.ts";
import { type CheckLimits, CheckStopped, defaultCheckLimits } from "./budget.ts";
import { explain } from "./explain.ts";
import { pointerOf } from "./location.ts";
import { prepareLazily } from "./prepare-schema.ts";
import { evaluate, type Run } from "./run.ts";
import type { Violation } from "./violation.ts";

/** One thing in which arguments differ from their schema. */
export interface SchemaMistake {
  /** JSON Pointer (RFC 6901) into the arguments; of a missing argument the place where it belongs. */
  readonly path: string;
  /** The keyword of the schema that does not hold; `limit` when a check ended without a verdict. */
  readonly keyword: string;
  /** One sentence that a language model can act on. It starts with the argument and never holds an argument's value. */
  readonly message: string;
}

/** A schema, ready to check arguments against. */
export interface SchemaChecker {
  /** All mistakes, at most as many as the limits say; empty: the value fits. Equal values get equal answers. */
  check(value: JsonValue): readonly SchemaMistake[];
}

/** What is adjustable about a checker. */
export interface CompileOptions {
  /** Bounds of each check, `defaultCheckLimits` where absent. */
  readonly limits?: Partial<CheckLimits>;
}

/**
 * Makes the checker of a foreign schema: JSON Schema 2020-12, and the spellings of older drafts that servers still send.
 *
 * Schemas are not trusted. Nothing is generated or fetched, patterns run in linear time, and each check has a budget; where
 * it ends without a verdict, the value is refused. References that lead nowhere and patterns that are refused judge nothing:
 * foreign documents are often slightly broken, and a tool should stay callable. `inspectSchema` reports them. Never throws.
 */
export function compileSchema(schema: JsonSchema, options: CompileOptions = {}): SchemaChecker {
  const limits: CheckLimits = { ...defaultCheckLimits, ...options.limits };
  const entry = prepareLazily(schema);
  let runs = 0;
  return {
    check(value) {
      runs += 1;
      const run: Run = {
        limits,
        number: runs,
        steps: limits.steps,
        depth: 0,
        scope: undefined,
        guessed: false,
        findings: undefined,
      };
      const verdict = bounded(() => evaluate(run, entry(run), value, undefined, undefined));
      if (verdict === "stopped") return [unchecked];
      if (verdict) return [];

      // Refused for sure. A second pass, on a quarter of the budget, says why; it may end early.
      const findings: Violation[] = [];
      run.steps = limits.steps / 4;
      run.findings = findings;
      bounded(() => evaluate(run, entry(run), value, undefined, undefined));
      return findings.length === 0 ? [unexplained] : toMistakes(findings.slice(0, limits.mistakes));
    },
  };
}

const unchecked: SchemaMistake = {
  path: "",
  keyword: "limit",
  message:
    "The arguments are too large or too deeply nested to be checked against this tool's schema; send less at a time.",
};

const unexplained: SchemaMistake = {
  path: "",
  keyword: "limit",
  message: "The arguments do not fit this tool's schema, which is too complex to say where.",
};

function bounded(pass: () => boolean): boolean | "stopped" {
  try {
    return pass();
  } catch (error) {
    // The depth limit keeps clear of the end of the stack, unless the caller is deep in it already.
    if (error instanceof CheckStopped || error instanceof RangeError) return "stopped";
    throw error;
  }
}

/** Parts of an `allOf` often ask for the same thing; it is said once. */
function toMistakes(violations: readonly Violation[]): readonly SchemaMistake[] {
  const mistakes = new Map<string, SchemaMistake>();
  for (const violation of violations) {
    const message = explain(violation);
    if (mistakes.has(message)) continue;
    mistakes.set(message, { path: pointerOf(violation.location), keyword: violation.keyword, message });
  }
  return [...mistakes.values()];
}
