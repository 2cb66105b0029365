import { isJsonObject } from "../json-object.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import { isArray } from "./json-type.ts";

/** A schema inside a schema. */
export interface Subschema {
  readonly schema: JsonValue;
  /** The steps from the schema around it: the keyword, and the name or position below it. */
  readonly keyword: string;
  readonly key: string | number | undefined;
}

/** The schemas directly inside a schema. What stands under `enum`, `const` or unknown keywords is plain data. */
export function* subschemasOf(schema: JsonObject): Generator<Subschema> {
  for (const [keyword, shape] of shapes) {
    const operand = schema[keyword];
    if (typeof operand !== "object" || operand === null) continue;
    if (isArray(operand)) {
      for (const [key, child] of operand.entries()) yield { schema: child, keyword, key };
    } else if (shape === "one") {
      yield { schema: operand, keyword, key: undefined };
    } else {
      // Not `entries`: whoever reads may stop early, and there may be a million.
      for (const key of Object.keys(operand)) {
        const child = operand[key];
        if (isJsonObject(child)) yield { schema: child, keyword, key };
      }
    }
  }
}

/** The keywords of 2020-12 that hold schemas, and those of older drafts that foreign servers still send. */
const shapes: ReadonlyMap<string, "one" | "named"> = new Map([
  ["$defs", "named"],
  ["definitions", "named"],
  ["properties", "named"],
  ["patternProperties", "named"],
  ["additionalProperties", "one"],
  ["propertyNames", "one"],
  ["dependentSchemas", "named"],
  ["dependencies", "named"],
  ["prefixItems", "one"],
  ["items", "one"],
  ["additionalItems", "one"],
  ["contains", "one"],
  ["allOf", "one"],
  ["anyOf", "one"],
  ["oneOf", "one"],
  ["not", "one"],
  ["if", "one"],
  ["then", "one"],
  ["else", "one"],
  ["unevaluatedProperties", "one"],
  ["unevaluatedItems", "one"],
]);
