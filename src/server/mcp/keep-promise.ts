import { compileSchema, type SchemaChecker } from "../../json-schema/compile-schema.ts";
import { isModernVersion } from "../../mcp/versions.ts";
import type { JsonSchema, JsonValue } from "../../model/json.ts";
import { needsWrapping } from "./wrap-output-schema.ts";

/** Whether a value fits an output schema; one that is too large to tell does. */
export type FitsSchema = (schema: JsonSchema, value: JsonValue) => boolean;

/** Makes what tells whether values fit. Each schema is prepared once, as long as it is there. */
export function createSchemaFit(): FitsSchema {
  const checkers = new WeakMap<JsonSchema, SchemaChecker>();
  return (schema, value) => {
    const checker = checkers.get(schema) ?? compileSchema(schema);
    checkers.set(schema, checker);
    return checker.check(value).every(({ keyword }) => keyword === "limit");
  };
}

/** Stand for an answer of another shape; the first that fits is taken. */
const placeholders: readonly JsonValue[] = [{}, [], null, "", 0, false];

/** What is sent in place of a structure that its schema does not describe, and a sentence for whoever wonders. */
export interface Replacement {
  readonly structure: JsonValue;
  readonly remark: string;
}

/**
 * Replaces the structured content of an answer that a document's output schema describes wrongly: clients throw away a result that does
 * not fit the schema its tool was listed with. Where the schema lets it, the value is put under `result`; else it is left to the text.
 *
 * @param structure as it would be sent; `undefined` where the answer has none.
 * @returns `undefined` when nothing has to be replaced, or nothing fits.
 */
export function replaceMisfit(
  structure: JsonValue | undefined,
  outputSchema: JsonSchema,
  version: string,
  fits: FitsSchema,
): Replacement | undefined {
  const wraps = !isModernVersion(version) && needsWrapping(outputSchema);
  const value = wraps ? unwrap(structure) : structure;
  if (value !== undefined && fits(outputSchema, value)) return undefined;
  const moved = value === undefined ? [] : [{ result: value }];
  const found = [...moved, ...placeholders].find((candidate) => fits(outputSchema, candidate));
  if (found === undefined) return undefined;
  const where = found === moved[0] ? "holds it as `result`" : "is left empty: the content is all of it";
  return {
    structure: wraps ? { result: found } : found,
    remark: `The answer is not what the output schema of this tool describes, so \`structuredContent\` ${where}.`,
  };
}

function unwrap(structure: JsonValue | undefined): JsonValue | undefined {
  if (typeof structure !== "object" || structure === null || !("result" in structure)) return undefined;
  return structure.result;
}
