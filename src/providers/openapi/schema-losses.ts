import type { JsonSchema } from "../../model/json.ts";
import { visitParts } from "./schema-parts.ts";

/** Something of a schema that its result does not say. */
export interface SchemaLoss {
  /** Where in the value: `.filter.name`, `.items[].id`; empty: the value itself. */
  readonly path: string;
  /** What is missing, as a sentence. */
  readonly text: string;
}

/** Remembers what converted schemas lack, and adds it up for those that contain them. */
export interface LossFinder {
  /** Remembers what a schema lacks; gives the schema back. */
  note(schema: JsonSchema, texts: readonly string[]): JsonSchema;
  /** Remembers that a schema was made from others and lacks what they lack; gives the schema back. */
  inherit(schema: JsonSchema, from: readonly JsonSchema[]): JsonSchema;
  /** What a schema lacks, inside and out; the first few. */
  of(schema: JsonSchema): readonly SchemaLoss[];
}

/** As many as anybody reads. */
const mostLosses = 12;

/** Levels that are looked at; a place further down is no help to anybody, and chains of definitions may be endlessly long. */
const deepestLoss = 60;

/** Most schemas lack nothing. */
const none: readonly SchemaLoss[] = [];

/** Makes the finder of a converter. `definition` gives the schema behind `#/$defs/<name>`. */
export function createLossFinder(definition: (name: string) => JsonSchema): LossFinder {
  const own = new WeakMap<JsonSchema, readonly string[]>();
  const known = new WeakMap<JsonSchema, readonly SchemaLoss[]>();

  function note(schema: JsonSchema, texts: readonly string[]): JsonSchema {
    if (texts.length > 0) own.set(schema, [...new Set([...(own.get(schema) ?? []), ...texts])]);
    return schema;
  }

  function find(schema: JsonSchema, depth: number): readonly SchemaLoss[] {
    const remembered = known.get(schema);
    if (remembered) return remembered;
    if (depth > deepestLoss) return [];
    // Reached again through itself, it adds nothing.
    known.set(schema, none);
    const found = (own.get(schema) ?? []).map((text): SchemaLoss => ({ path: "", text }));
    const add = (child: JsonSchema, mark: string, name: string): void => {
      if (found.length >= mostLosses) return;
      for (const { path, text } of find(child, depth + 1))
        found.push({ path: `${mark}${name}${path}`, text });
    };
    const reference = schema["$ref"];
    if (typeof reference === "string" && found.length < mostLosses)
      add(definition(reference.slice("#/$defs/".length)), "", "");
    visitParts(schema, add);
    if (found.length === 0) return none;
    const first = found.slice(0, mostLosses);
    known.set(schema, first);
    return first;
  }

  return {
    note,
    inherit(schema, from) {
      for (const other of from) if (other !== schema) note(schema, own.get(other) ?? []);
      return schema;
    },
    of: (schema) => find(schema, 0),
  };
}
