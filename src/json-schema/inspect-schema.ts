import { isJsonObject } from "../json-object.ts";
import type { JsonSchema, JsonValue } from "../model/json.ts";
import { type Budget, CheckStopped, charge, stepCost } from "./budget.ts";
import { isArray } from "./json-type.ts";
import { type Location, pointerOf, readableName } from "./location.ts";
import { compilePattern, patternCost } from "./pattern.ts";
import { ReferenceIndex, type Resource } from "./reference-index.ts";
import { subschemasOf } from "./subschemas.ts";

/** Something about a foreign schema that keeps it, in part or whole, from being enforced. */
export interface SchemaProblem {
  /** JSON Pointer (RFC 6901) into the schema. */
  readonly path: string;
  readonly kind: "too-large" | "too-deep" | "pattern-refused" | "reference-unresolved" | "reference-remote";
  /** One sentence on what is wrong and what follows from it. */
  readonly message: string;
}

/** Bounds of an inspection. */
export interface InspectionLimits {
  /** Units of work, as in checks. */
  readonly steps: number;
  /** Schemas inside one another. */
  readonly depth: number;
  readonly problems: number;
}

/** Enough for 10,000 schemas, and below 100 ms of CPU. */
export const defaultInspectionLimits: InspectionLimits = { steps: 500_000, depth: 200, problems: 20 };

/** What several inspections may cost together; each takes its steps off. */
export interface InspectionAllowance {
  steps: number;
}

interface Pending {
  readonly schema: JsonValue;
  readonly location: Location | undefined;
  readonly depth: number;
  readonly around: Resource;
}

/**
 * Looks for what a schema asks and checks can't enforce, once, for diagnostics. Never throws; ends early at a limit.
 *
 * @param options `limits` of this inspection, and the `allowance` that it shares with others.
 */
export function inspectSchema(
  schema: JsonSchema,
  options: { readonly limits?: InspectionLimits; readonly allowance?: InspectionAllowance } = {},
): readonly SchemaProblem[] {
  const { limits = defaultInspectionLimits, allowance } = options;
  const budget: Budget = { steps: Math.min(limits.steps, allowance?.steps ?? limits.steps) };
  const before = budget.steps;
  const problems: SchemaProblem[] = [];
  try {
    for (const problem of findProblems(schema, limits, budget)) {
      problems.push(problem);
      if (problems.length >= limits.problems) break;
    }
  } catch (error) {
    if (!(error instanceof CheckStopped)) throw error;
    const message =
      "The schema is too large to be inspected whole, so there may be problems in it that are not reported.";
    problems.push({ path: "", kind: "too-large", message });
  } finally {
    if (allowance !== undefined) allowance.steps -= before - budget.steps;
  }
  return problems;
}

function* findProblems(root: JsonSchema, limits: InspectionLimits, budget: Budget): Generator<SchemaProblem> {
  const references = new ReferenceIndex(root);
  const seen = new Set<JsonValue>();
  const refusals = new Map<string, string | undefined>();
  const pending: Pending[] = [{ schema: root, location: undefined, depth: 0, around: references.root }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { schema, location, depth, around } = next;
    // Compiled schemas share their parts.
    if (!isJsonObject(schema) || seen.has(schema)) continue;
    seen.add(schema);
    charge(budget, stepCost.schema);
    if (depth > limits.depth) {
      const message = `The schema is nested more than ${limits.depth} levels deep; arguments that reach so deep are refused.`;
      yield { path: pointerOf(location), kind: "too-deep", message };
      return;
    }
    const resource = references.resourceOf(schema, around);
    for (const { source, at } of patternsOf(schema, location)) {
      charge(budget, stepCost.key);
      if (!refusals.has(source)) {
        charge(budget, patternCost(source));
        refusals.set(source, refusalOf(source));
      }
      const refusal = refusals.get(source);
      if (refusal === undefined) continue;
      const message = `The regular expression is not enforced: ${readableName(refusal)}.`;
      yield { path: pointerOf(at), kind: "pattern-refused", message };
    }
    for (const keyword of ["$ref", "$dynamicRef"]) {
      const reference = schema[keyword];
      if (typeof reference !== "string") continue;
      charge(budget, reference.length / stepCost.charactersPerStep);
      if (references.resolve(reference, resource) !== undefined) continue;
      yield describeReference(reference, { outer: location, key: keyword });
    }
    for (const { schema: inner, keyword, key } of subschemasOf(schema)) {
      charge(budget, stepCost.key);
      const outer: Location = { outer: location, key: keyword };
      const place = key === undefined ? outer : { outer, key };
      pending.push({ schema: inner, location: place, depth: depth + 1, around: resource });
    }
  }
}

function* patternsOf(schema: JsonSchema, location: Location | undefined) {
  const { pattern, patternProperties } = schema;
  if (typeof pattern === "string") yield { source: pattern, at: { outer: location, key: "pattern" } };
  if (!isJsonObject(patternProperties) || isArray(patternProperties)) return;
  const outer: Location = { outer: location, key: "patternProperties" };
  for (const source of Object.keys(patternProperties)) yield { source, at: { outer, key: source } };
}

function refusalOf(source: string): string | undefined {
  const outcome = compilePattern(source);
  return outcome.ok ? undefined : outcome.refusal;
}

function describeReference(reference: string, location: Location): SchemaProblem {
  const path = pointerOf(location);
  const name = readableName(reference);
  if (reference.startsWith("#")) {
    const message = `The reference \`${name}\` leads nowhere, so any value is allowed in its place.`;
    return { path, kind: "reference-unresolved", message };
  }
  const message = `The reference \`${name}\` leads out of the schema and is not followed, so any value is allowed in its place.`;
  return { path, kind: "reference-remote", message };
}
