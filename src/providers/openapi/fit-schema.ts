import type { JsonSchema, JsonValue } from "../../model/json.ts";
import { asObject, asText, isArray, isObject } from "./json-view.ts";
import { visitParts } from "./schema-parts.ts";
import type { SchemaMeasure } from "./schema-size.ts";
import { shorten } from "./shorten.ts";

/** Keeps tool schemas within a size that clients and context windows can take. */
export interface SchemaFitter {
  /**
   * Makes an object schema's properties and definitions fit into `budget` bytes. The largest properties lose their
   * deepest levels first: what is left out accepts anything and says so.
   */
  fitProperties(
    properties: Readonly<Record<string, JsonSchema>>,
    budget: number,
  ): {
    readonly properties: JsonSchema;
    readonly definitions: JsonSchema;
    readonly reduced: readonly string[];
  };
  /** The schema without definitions, with as many levels as fit; `undefined` when not even one does. */
  fitWhole(schema: JsonSchema, budget: number, depth: number): JsonSchema | undefined;
}

/** From the whole schema down to the bare type. */
const steps = ["whole", 6, 5, 4, 3, 2, 1, 0, "bare"] as const;
type Step = (typeof steps)[number];

/** Up to so many properties, one loses a level at a time. Of more, which nobody writes by hand, all do: the work grows with their square. */
const mostWeighed = 500;

const noNames: ReadonlySet<string> = new Set();

/** Makes the fitter of a document. `definition` gives the schema behind `#/$defs/<name>`. */
export function createSchemaFitter(
  definition: (name: string) => JsonSchema,
  measure: SchemaMeasure,
): SchemaFitter {
  const pruned = new WeakMap<JsonSchema, Map<number, JsonSchema>>();

  function prune(schema: JsonSchema, depth: number): JsonSchema {
    const known = pruned.get(schema)?.get(depth);
    if (known) return known;
    const result = pruneFresh(schema, depth);
    const forms = pruned.get(schema) ?? new Map<number, JsonSchema>();
    pruned.set(schema, forms.set(depth, result));
    return result;
  }

  function pruneFresh(schema: JsonSchema, depth: number): JsonSchema {
    const reference = schema["$ref"];
    if (typeof reference === "string") return prune(definition(nameOf(reference)), depth);
    if (depth === 0 && isStructured(schema)) return outline(schema);
    const result: Record<string, JsonValue> = {};
    for (const [key, value] of Object.entries(schema)) {
      if (key === "description") result[key] = shorten(String(value), 160);
      else if (key === "properties") {
        const properties = Object.entries(asObject(value));
        result[key] = Object.fromEntries(
          properties.map(([name, child]) => [name, prune(asObject(child), depth - 1)]),
        );
      } else if ((key === "items" || key === "additionalProperties" || key === "not") && isObject(value)) {
        result[key] = prune(value, depth - 1);
      } else if (key === "prefixItems" && isArray(value)) {
        result[key] = value.map((child) => prune(asObject(child), depth - 1));
      } else if ((key === "anyOf" || key === "allOf") && isArray(value)) {
        result[key] = value.map((child) => prune(asObject(child), depth));
      } else result[key] = value;
    }
    return result;
  }

  function atStep(schema: JsonSchema, step: Step): JsonSchema {
    if (step === "whole") return schema;
    return step === "bare" ? bareType(prune(schema, 0)) : prune(schema, step);
  }

  /** Names of the definitions that schemas need, directly or not; `undefined` as soon as they exceed the budget. */
  function closure(schemas: readonly JsonSchema[], budget: number): ReadonlySet<string> | undefined {
    const pending = schemas.filter(measure.mayRefer);
    if (pending.length === 0) return noNames;
    const names = new Set<string>();
    const seen = new Set<JsonSchema>();
    const add = (schema: JsonSchema): void => {
      if (measure.mayRefer(schema)) pending.push(schema);
    };
    let size = 0;
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      if (seen.has(value)) continue;
      seen.add(value);
      const reference = value["$ref"];
      if (typeof reference === "string" && !names.has(nameOf(reference))) {
        names.add(nameOf(reference));
        const target = definition(nameOf(reference));
        size += measure.sizeOf(target) + nameOf(reference).length + 4;
        if (size > budget) return undefined;
        add(target);
      }
      visitParts(value, add);
    }
    return names;
  }

  function fitsWhole(schema: JsonSchema, budget: number): boolean {
    const rest = budget - measure.sizeOf(schema);
    return rest >= 0 && closure([schema], rest) !== undefined;
  }

  function fitProperties(
    source: Readonly<Record<string, JsonSchema>>,
    budget: number,
  ): ReturnType<SchemaFitter["fitProperties"]> {
    const overhead = Object.keys(source).reduce((sum, name) => sum + measure.sizeOf(name) + 2, 2);
    const schemas = Object.values(source);
    const whole = schemas.reduce((sum, schema) => sum + measure.sizeOf(schema), overhead);
    // Reversed, so that definitions are made in the order of the properties.
    const needed = whole <= budget ? closure(schemas.toReversed(), budget - whole) : undefined;
    if (needed) return { properties: source, definitions: definitionsOf(needed), reduced: [] };

    const states = Object.entries(source).map(([name, schema]) => {
      const step = fitsWhole(schema, budget) ? 0 : 1;
      const result = atStep(schema, steps[step] ?? "bare");
      return { name, schema, step, result, size: measure.sizeOf(result) };
    });
    for (;;) {
      const whole = states.filter(({ step }) => step === 0).map(({ schema }) => schema);
      const size = states.reduce((sum, state) => sum + state.size, overhead);
      const names = size <= budget ? closure(whole, budget - size) : undefined;
      const candidates = states.filter(({ step }) => step < steps.length - 1);
      if (names || candidates.length === 0) {
        const kept = names ?? noNames;
        return {
          properties: Object.fromEntries(states.map(({ name, result }) => [name, result])),
          definitions: definitionsOf(kept),
          reduced: states.filter(({ step }) => step > 0).map(({ name }) => name),
        };
      }
      // What refers to definitions weighs more than its own text.
      const weigh = (state: (typeof states)[number]): number =>
        state.step === 0 ? measure.sizeOf(prune(state.schema, 6)) : state.size;
      const heaviest = candidates.reduce((first, second) => (weigh(second) > weigh(first) ? second : first));
      for (const state of states.length > mostWeighed ? candidates : [heaviest]) {
        state.step += 1;
        state.result = atStep(state.schema, steps[state.step] ?? "bare");
        state.size = measure.sizeOf(state.result);
      }
    }
  }

  function definitionsOf(names: ReadonlySet<string>): JsonSchema {
    return Object.fromEntries([...names].sort().map((name) => [name, definition(name)]));
  }

  function fitWhole(schema: JsonSchema, budget: number, depth: number): JsonSchema | undefined {
    for (let levels = depth; levels > 0; levels -= 1) {
      const candidate = prune(schema, levels);
      if (measure.sizeOf(candidate) <= budget) return candidate;
    }
    return undefined;
  }

  return { fitProperties, fitWhole };
}

function isStructured(schema: JsonSchema): boolean {
  return ["properties", "items", "prefixItems", "anyOf", "allOf"].some(
    (keyword) => schema[keyword] !== undefined,
  );
}

const cutMark = "(Structure not shown.)";

/** True for a schema whose parts were left out. */
export function isCut(schema: JsonSchema): boolean {
  return asText(schema["description"])?.endsWith(cutMark) === true;
}

/** What remains of a schema whose parts are left out. */
function outline(schema: JsonSchema): JsonSchema {
  const { type, enum: values } = schema;
  const description = asText(schema["description"]);
  const isArrayType = type === "array" || (isArray(type) && type.includes("array"));
  return {
    ...(type !== undefined && { type }),
    ...(values !== undefined && { enum: values }),
    ...(isArrayType && { items: {} }),
    description: `${description === undefined ? "" : `${shorten(description, 120)} `}${cutMark}`,
  };
}

function bareType(schema: JsonSchema): JsonSchema {
  const { type } = schema;
  const isArrayType = type === "array" || (isArray(type) && type.includes("array"));
  return { ...(type !== undefined && { type }), ...(isArrayType && { items: {} }) };
}

function nameOf(reference: string): string {
  return reference.slice("#/$defs/".length);
}
