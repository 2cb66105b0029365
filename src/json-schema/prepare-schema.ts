import { isJsonObject } from "../json-object.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../model/json.ts";
import { charge, stepCost } from "./budget.ts";
import type { Keyword, Preparation } from "./keyword.ts";
import { applicatorKeywords } from "./keywords/applicators.ts";
import { arrayKeywords, prepareItems } from "./keywords/arrays.ts";
import { objectKeywords, prepareProperties } from "./keywords/objects.ts";
import { referenceKeywords } from "./keywords/references.ts";
import { stringKeywords } from "./keywords/strings.ts";
import { unevaluatedKeywords } from "./keywords/unevaluated.ts";
import { numberKeywords, valueKeywords } from "./keywords/values.ts";
import { compilePattern, type PatternOutcome, patternCost } from "./pattern.ts";
import { ReferenceIndex, type Resource } from "./reference-index.ts";
import { type Check, fail, type LazySchema, type PreparedSchema, type Run } from "./run.ts";

/** The keywords that do not have to see another keyword's result, in the order in which mistakes are listed. */
const checkKeywords: ReadonlyMap<string, Keyword> = new Map([
  ...referenceKeywords,
  ...numberKeywords,
  ...stringKeywords,
  ...arrayKeywords,
  ...objectKeywords,
  ...applicatorKeywords,
]);

/**
 * Gives the entry to a schema whose parts are prepared when a value first reaches them, and then kept.
 *
 * Preparation is charged to the run that needs it. A run that stops in the middle leaves nothing half-prepared behind.
 */
export function prepareLazily(root: JsonSchema): LazySchema {
  const references = new ReferenceIndex(root);
  const prepared = new Map<JsonObject, PreparedSchema>();
  const patterns = new Map<string, PatternOutcome>();
  const anything = withChecks(references.root, []);
  const nothing = withChecks(references.root, [
    (run, _value, location) => fail(run, location, "false", () => "is not allowed here"),
  ]);

  const compileOnce = (run: Run, source: string) => {
    // Charged each time, so that it does not matter who comes first.
    charge(run, patternCost(source));
    const outcome = patterns.get(source) ?? compilePattern(source);
    patterns.set(source, outcome);
    return outcome.ok ? outcome.pattern : undefined;
  };

  const prepare = (run: Run, schema: JsonValue, around: Resource): PreparedSchema => {
    if (schema === false) return nothing;
    if (!isJsonObject(schema)) return anything;
    const known = prepared.get(schema);
    if (known !== undefined) return known;

    const resource = references.resourceOf(schema, around);
    const stepsBefore = run.steps;
    charge(run, stepCost.schema);
    const pattern = (source: string) => compileOnce(run, source);
    const preparation: Preparation = { run, schema, resource, references, prepare, pattern };
    const made: PreparedSchema = {
      resource,
      gates: makeChecks(preparation, valueKeywords),
      checks: [
        ...makeChecks(preparation, checkKeywords),
        ...present(prepareProperties(preparation)),
        ...present(prepareItems(preparation)),
      ],
      lateChecks: makeChecks(preparation, unevaluatedKeywords),
      preparation: stepsBefore - run.steps,
      reachedIn: run.number,
    };
    prepared.set(schema, made);
    return made;
  };

  return (run) => prepare(run, root, references.root);
}

/** Asks for each keyword by its name: foreign schemas may have a million other members. */
function makeChecks(preparation: Preparation, keywords: ReadonlyMap<string, Keyword>): readonly Check[] {
  const checks: Check[] = [];
  for (const [name, keyword] of keywords) {
    const operand = preparation.schema[name];
    if (operand !== undefined) checks.push(...present(keyword(preparation, operand)));
  }
  return checks;
}

function present(check: Check | undefined): readonly Check[] {
  return check === undefined ? [] : [check];
}

function withChecks(resource: Resource, checks: readonly Check[]): PreparedSchema {
  return { resource, gates: [], checks, lateChecks: [], preparation: 0, reachedIn: 0 };
}
