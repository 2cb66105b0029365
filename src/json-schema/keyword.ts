import type { JsonObject, JsonValue } from "../model/json.ts";
import { charge } from "./budget.ts";
import { isArray } from "./json-type.ts";
import type { Pattern } from "./pattern.ts";
import type { ReferenceIndex, Resource } from "./reference-index.ts";
import type { Check, LazySchema, PreparedSchema, Run } from "./run.ts";

/** A schema while it is prepared. */
export interface Preparation {
  /** The run that pays. */
  readonly run: Run;
  readonly schema: JsonObject;
  readonly resource: Resource;
  readonly references: ReferenceIndex;
  prepare(run: Run, schema: JsonValue, resource: Resource): PreparedSchema;
  /** The compiled pattern; `undefined` for a refused one, which can't judge. */
  pattern(source: string): Pattern | undefined;
}

/** Makes the check of a keyword; `undefined` when its operand is unusable, which makes it an annotation. */
export type Keyword = (preparation: Preparation, operand: JsonValue) => Check | undefined;

/** A schema inside the one being prepared. */
export function child({ prepare, resource }: Preparation, schema: JsonValue): LazySchema {
  let prepared: PreparedSchema | undefined;
  return (run) => {
    prepared ??= prepare(run, schema, resource);
    return prepared;
  };
}

/** A list of schemas inside the one being prepared; empty when it is no list. */
export function children(preparation: Preparation, operand: JsonValue | undefined): readonly LazySchema[] {
  if (!isArray(operand)) return [];
  charge(preparation.run, operand.length);
  return operand.map((schema) => child(preparation, schema));
}
