import { isJsonObject } from "../../json-object.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../../model/json.ts";
import type { Place } from "../../model/place.ts";

/** The schemas of a surface, gathered in one document that references are followed in. */
export interface InlineSchemas {
  /** The document; complete once every operation was read. */
  readonly root: JsonObject;
  /**
   * Adds a schema; `#/…` inside of it goes on counting from its own root.
   *
   * @param steps what tells it from all others, such as `["forecast", "query", "days"]`.
   * @param place where problems in it are reported.
   */
  add(steps: readonly string[], schema: JsonSchema, place: Place): InlineSchema;
  /** The place of the schema that holds what is at `path`. */
  placeAt(path: readonly unknown[]): Place | undefined;
}

/** A schema that was added. */
interface InlineSchema {
  readonly schema: JsonSchema;
  readonly at: readonly [string];
  /** What refers to it from the others. */
  readonly reference: string;
}

/** Makes an empty collection. */
export function createInlineSchemas(): InlineSchemas {
  const root: Record<string, JsonValue> = {};
  const places = new Map<unknown, Place>();
  return {
    root,
    add(steps, source, place) {
      const key = steps.map(escapeStep).join(":");
      const reference = `#/${key}`;
      const schema = rebase(source, reference);
      root[key] = schema;
      places.set(key, place);
      return { schema, at: [key], reference };
    },
    placeAt: ([key]) => places.get(key),
  };
}

/** A text as a part of a reference: code unit by code unit, because names may be no valid Unicode. */
function escapeStep(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]/g, (unit) => `!${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Keywords whose members are schemas under names of their author's. */
const namedSchemas: ReadonlySet<string> = new Set([
  "$defs",
  "definitions",
  "dependentSchemas",
  "patternProperties",
  "properties",
]);

/** Keywords that hold plain values. */
const plainValues: ReadonlySet<string> = new Set(["const", "default", "enum", "example", "examples"]);

/** The schema with references that count from its own root written so that they count from the document's. */
function rebase(schema: JsonSchema, base: string): JsonSchema {
  const rebaseAny = (value: JsonValue): JsonValue => {
    if (isArray(value)) return value.map(rebaseAny);
    return isJsonObject(value) ? rebase(value, base) : value;
  };
  const members = Object.entries(schema).map(([keyword, value]): readonly [string, JsonValue] => {
    if (plainValues.has(keyword)) return [keyword, value];
    if (keyword === "$ref" && typeof value === "string" && /^#(?:\/|$)/.test(value)) {
      return [keyword, `${base}${value.slice(1)}`];
    }
    if (namedSchemas.has(keyword) && isJsonObject(value)) {
      const named = Object.entries(value).map(([name, child]) => [name, rebaseAny(child)] as const);
      return [keyword, Object.fromEntries(named)];
    }
    return [keyword, rebaseAny(value)];
  });
  return Object.fromEntries(members);
}

/** `Array.isArray` does not narrow readonly arrays. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
