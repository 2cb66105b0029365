import type { JsonValue } from "../../model/json.ts";
import { charge } from "../budget.ts";
import { branchOf } from "../evaluated.ts";
import { child, children, type Keyword, type Preparation } from "../keyword.ts";
import type { Location } from "../location.ts";
import { explainAlternatives } from "../nearest-alternative.ts";
import { type Check, evaluate, fail, guess, isDone, type LazySchema, match, type Run } from "../run.ts";
import type { Violation } from "../violation.ts";

/** The keywords that combine schemas on one value (2020-12, Core section 10.2). */
export const applicatorKeywords: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  [
    "allOf",
    (preparation, operand) => {
      const schemas = children(preparation, operand);
      if (schemas.length === 0) return undefined;
      return (run, value, location, evaluated) => {
        let valid = true;
        for (const schema of schemas) {
          if (evaluate(run, schema(run), value, location, evaluated)) continue;
          valid = false;
          if (isDone(run)) return false;
        }
        return valid;
      };
    },
  ],
  [
    "anyOf",
    (preparation, operand) => {
      const schemas = children(preparation, operand);
      if (schemas.length === 0) return undefined;
      return (run, value, location, evaluated) => {
        let valid = false;
        for (const schema of schemas) {
          const branch = branchOf(run, evaluated);
          if (match(run, schema(run), value, branch) === "no") continue;
          if (evaluated === undefined || branch === undefined) return true;
          valid = true;
          evaluated.merge(run, branch);
        }
        return valid || failAlternatives(run, schemas, value, location, "anyOf");
      };
    },
  ],
  [
    "oneOf",
    (preparation, operand) => {
      const schemas = children(preparation, operand);
      if (schemas.length === 0) return undefined;
      return (run, value, location, evaluated) => {
        let sure = 0;
        let possible = 0;
        for (const schema of schemas) {
          const branch = branchOf(run, evaluated);
          const verdict = match(run, schema(run), value, branch);
          if (verdict === "no") continue;
          possible += 1;
          if (verdict === "yes") sure += 1;
          if (sure > 1) {
            return fail(
              run,
              location,
              "oneOf",
              () => "must fit exactly one of its alternatives, but fits several",
            );
          }
          if (evaluated !== undefined && branch !== undefined) evaluated.merge(run, branch);
        }
        return possible > 0 || failAlternatives(run, schemas, value, location, "oneOf");
      };
    },
  ],
  [
    "not",
    (preparation, operand) => {
      const schema = child(preparation, operand);
      return (run, value, location) =>
        match(run, schema(run), value, undefined) !== "yes" ||
        fail(run, location, "not", () => "has a form that its schema excludes");
    },
  ],
  ["if", prepareCondition],
]);

function prepareCondition(preparation: Preparation, operand: JsonValue): Check {
  const { then: consequence, else: alternative } = preparation.schema;
  const condition = child(preparation, operand);
  const whenTrue = consequence === undefined ? undefined : child(preparation, consequence);
  const whenFalse = alternative === undefined ? undefined : child(preparation, alternative);
  return (run, value, location, evaluated) => {
    const branch = branchOf(run, evaluated);
    const verdict = match(run, condition(run), value, branch);
    if (verdict === "perhaps") return guess(run, evaluated);
    if (verdict === "yes" && branch !== undefined) evaluated?.merge(run, branch);
    const next = verdict === "yes" ? whenTrue : whenFalse;
    return next === undefined || evaluate(run, next(run), value, location, evaluated);
  };
}

function failAlternatives(
  run: Run,
  schemas: readonly LazySchema[],
  value: JsonValue,
  location: Location | undefined,
  keyword: string,
): false {
  const { findings } = run;
  if (findings === undefined) return false;
  const branches: Violation[][] = [];
  try {
    for (const schema of schemas) {
      const branch: Violation[] = [];
      run.findings = branch;
      evaluate(run, schema(run), value, location, undefined);
      charge(run, branch.length * costOfComparing);
      branches.push(branch);
    }
  } finally {
    // Also when the budget ends here: what is known so far is worth saying.
    run.findings = findings;
    const room = Math.max(0, run.limits.mistakes - findings.length);
    findings.push(...explainAlternatives(branches, location, keyword).slice(0, room));
  }
  return false;
}

const costOfComparing = 10;
