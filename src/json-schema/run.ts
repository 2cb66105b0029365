import type { JsonValue } from "../model/json.ts";
import { type CheckLimits, CheckStopped, charge } from "./budget.ts";
import { Evaluated } from "./evaluated.ts";
import { rounded } from "./json-type.ts";
import type { Location } from "./location.ts";
import type { Resource, Scope } from "./reference-index.ts";
import type { Problem, Violation } from "./violation.ts";

/** One value being checked: its budget, its dynamic scope, its findings. */
export interface Run {
  readonly limits: CheckLimits;
  /** Tells the runs of one schema apart. */
  readonly number: number;
  steps: number;
  depth: number;
  scope: Scope | undefined;
  /** True once something passed only because its schema is broken or refused. */
  guessed: boolean;
  /** `undefined` while only the verdict is wanted; the first violation then ends the run. */
  findings: Violation[] | undefined;
}

/** One keyword of one schema, ready to be applied. `location` is kept only while findings are wanted. */
export type Check = (
  run: Run,
  value: JsonValue,
  location: Location | undefined,
  evaluated: Evaluated | undefined,
) => boolean;

/** A schema that a value has reached, turned into checks. */
export interface PreparedSchema {
  readonly resource: Resource;
  /** `type`, `enum` and `const`. Where one fails, the rest would speak of another kind of value. */
  readonly gates: readonly Check[];
  readonly checks: readonly Check[];
  /** The `unevaluated…` keywords: they look at what all others have dealt with. */
  readonly lateChecks: readonly Check[];
  /** Steps that preparing it took. */
  readonly preparation: number;
  /** The number of the last run that reached it. */
  reachedIn: number;
}

/** A schema that is prepared when a value first reaches it: a document with a huge `$defs` costs what is used of it. */
export type LazySchema = (run: Run) => PreparedSchema;

/** Applies a schema to a value. Throws `CheckStopped` at the limits. */
export function evaluate(
  run: Run,
  schema: PreparedSchema,
  written: JsonValue,
  location: Location | undefined,
  evaluated: Evaluated | undefined,
): boolean {
  const value = rounded(written);
  charge(run, 1);
  if (schema.reachedIn !== run.number) {
    // Each run pays for all it reaches, prepared before or not: the same value always comes to the same end.
    schema.reachedIn = run.number;
    charge(run, schema.preparation);
  }
  run.depth += 1;
  if (run.depth > run.limits.depth) throw new CheckStopped();
  const outerScope = run.scope;
  if (outerScope?.resource !== schema.resource) run.scope = { resource: schema.resource, outer: outerScope };

  const own = schema.lateChecks.length > 0 ? new Evaluated() : evaluated;
  const valid =
    passesGates(run, schema.gates, value, location, own) &&
    applyAll(run, schema.checks, value, location, own) &&
    applyAll(run, schema.lateChecks, value, location, own);
  if (valid && own !== undefined && evaluated !== undefined && own !== evaluated) evaluated.merge(run, own);

  run.scope = outerScope;
  run.depth -= 1;
  return valid;
}

function passesGates(
  run: Run,
  gates: readonly Check[],
  value: JsonValue,
  location: Location | undefined,
  evaluated: Evaluated | undefined,
): boolean {
  charge(run, gates.length);
  return gates.every((gate) => gate(run, value, location, evaluated));
}

function applyAll(
  run: Run,
  checks: readonly Check[],
  value: JsonValue,
  location: Location | undefined,
  evaluated: Evaluated | undefined,
): boolean {
  let valid = true;
  for (const check of checks) {
    charge(run, 1);
    if (check(run, value, location, evaluated)) continue;
    valid = false;
    if (isDone(run)) return false;
  }
  return valid;
}

/** `perhaps`: it fits as far as can be told, but part of the schema is broken or refused. */
export type Match = "yes" | "no" | "perhaps";

/**
 * Asks whether a value fits, without adding to the findings.
 *
 * Keywords that turn a match into a mistake (`not`, `oneOf`, `maxContains`) count only a sure one, so that a broken part of
 * a schema never makes a tool uncallable.
 */
export function match(
  run: Run,
  schema: PreparedSchema,
  value: JsonValue,
  evaluated: Evaluated | undefined,
): Match {
  const { findings, guessed } = run;
  run.findings = undefined;
  run.guessed = false;
  const valid = evaluate(run, schema, value, undefined, evaluated);
  const perhaps = run.guessed;
  run.findings = findings;
  run.guessed = guessed || (valid && perhaps);
  if (!valid) return "no";
  return perhaps ? "perhaps" : "yes";
}

/** Lets pass what a broken or refused part of the schema can't judge; such a part may deal with all that is in the value. */
export function guess(run: Run, evaluated: Evaluated | undefined): true {
  run.guessed = true;
  if (evaluated !== undefined) evaluated.everything = true;
  return true;
}

/** Notes a violation when findings are wanted. Always false, so that checks can return it. */
export function fail(
  run: Run,
  location: Location | undefined,
  keyword: string,
  problem: () => Problem | string,
): false {
  if (run.findings !== undefined && run.findings.length < run.limits.mistakes) {
    const found = problem();
    run.findings.push({
      location,
      keyword,
      problem: typeof found === "string" ? { kind: "clause", text: found } : found,
    });
  }
  return false;
}

/** Whether nothing more can be learned after a violation. */
export function isDone(run: Run): boolean {
  return run.findings === undefined || run.findings.length >= run.limits.mistakes;
}

/** The place of a property or an item; not kept while only the verdict is wanted. */
export function inside(run: Run, location: Location | undefined, key: string | number): Location | undefined {
  return run.findings === undefined ? undefined : { outer: location, key };
}
