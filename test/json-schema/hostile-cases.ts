import type { JsonObject, JsonSchema, JsonValue } from "../../src/model/json.ts";

/** A schema and a value made to cost a validator far more than they cost their sender. */
export interface HostileCase {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly value: JsonValue;
  /** What the check must come to: no mistake, a mistake that is found, or an end at a limit. */
  readonly end: "fits" | "refused" | "limit";
}

/** Builds all cases anew; some are tens of megabytes. */
export function* hostileCases(): Generator<HostileCase> {
  yield {
    name: "a pattern that backtracks exponentially",
    schema: { pattern: "^(a+)+$" },
    value: `${"a".repeat(28)}!`,
    end: "refused",
  };
  yield {
    name: "a pattern against a megabyte of text",
    schema: { pattern: "^(a+)+$" },
    value: `${"a".repeat(1_000_000)}!`,
    end: "limit",
  };
  yield {
    name: "a pattern whose repetitions multiply to half a million instructions",
    schema: { pattern: ".{1,1000}".repeat(100) },
    value: "a",
    end: "fits",
  };
  yield {
    name: "a pattern with an exponential automaton",
    schema: { pattern: "^(a|b)*a(a|b){150}$" },
    value: list(20_000, (index) => ((index * 7919) % 13 > 6 ? "a" : "b")).join(""),
    end: "fits",
  };
  yield {
    name: "two hundred patterns on two thousand property names",
    schema: { patternProperties: named(200, (index) => [`^(x${index}|y)+z{1,50}$`, { type: "string" }]) },
    value: named(2_000, (index) => [`${"y".repeat(20)}${index}`, "v"]),
    end: "limit",
  };
  yield {
    name: "many patterns that are slow to compile",
    schema: {
      allOf: list(500, (index) => ({ pattern: `(?i)[\\x{0}-\\x{ffff}]{${(index % 9) + 1}}${index}|a` })),
    },
    value: "a",
    end: "limit",
  };
  yield {
    name: "a union of two thousand objects, the last one fitting",
    schema: { oneOf: list(2_000, taggedObject) },
    value: { kind: "kind1999", first: "x", second: 1 },
    end: "fits",
  };
  yield {
    name: "a union of two thousand objects, none fitting",
    schema: { oneOf: list(2_000, taggedObject) },
    value: { kind: "none", first: 1 },
    end: "refused",
  };
  yield {
    name: "an array of unions",
    schema: { items: { anyOf: list(2_000, taggedObject) } },
    value: list(500, () => ({ kind: "none", first: "x" })),
    end: "refused",
  };
  yield {
    name: "objects nested ten thousand deep, in the schema and in the value",
    schema: nested(10_000, (inner) => ({ properties: { inner } }), { type: "string" }),
    value: nested(10_000, (inner) => ({ inner }), {}),
    end: "limit",
  };
  yield {
    name: "allOf nested ten thousand deep",
    schema: nested(10_000, (inner) => ({ allOf: [inner] }), { type: "string" }),
    value: "x",
    end: "limit",
  };
  yield {
    name: "a recursive schema on a deep value",
    schema: { properties: { next: { $ref: "#" } } },
    value: nested(20_000, (next) => ({ next }), {}),
    end: "limit",
  };
  yield {
    name: "equality of values nested ten thousand deep",
    schema: { uniqueItems: true },
    value: list(2, () => nested(10_000, (inner) => ({ inner }), {})),
    end: "limit",
  };
  yield {
    name: "references in a circle",
    schema: { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } },
    value: 1,
    end: "fits",
  };
  yield {
    name: "references in a circle that branches",
    schema: {
      $ref: "#/$defs/a",
      $defs: {
        a: { allOf: [{ $ref: "#/$defs/b" }, { $ref: "#/$defs/b" }, { $ref: "#/$defs/c" }] },
        b: { allOf: [{ $ref: "#/$defs/a" }, { $ref: "#/$defs/a" }, { $ref: "#/$defs/c" }] },
        c: { allOf: [{ $ref: "#/$defs/a" }, { $ref: "#/$defs/b" }, { $ref: "#/$defs/b" }] },
      },
    },
    value: 1,
    end: "fits",
  };
  yield {
    name: "references that double at each of thirty levels",
    schema: { $ref: "#/$defs/level0", $defs: doublingLevels(30, "allOf", { type: "integer" }) },
    value: 1,
    end: "limit",
  };
  yield {
    name: "the same below unevaluatedProperties",
    schema: {
      $ref: "#/$defs/level0",
      unevaluatedProperties: false,
      $defs: doublingLevels(25, "anyOf", { properties: { a: true } }),
    },
    value: { a: 1 },
    end: "limit",
  };
  yield {
    name: "five hundred alternatives that each deal with one of five hundred properties",
    schema: {
      anyOf: list(500, (index) => ({ properties: { [`p${index}`]: true } })),
      unevaluatedProperties: false,
    },
    value: named(500, (index) => [`p${index}`, 1]),
    end: "limit",
  };
  yield {
    name: "a hundred thousand items that must differ",
    schema: { uniqueItems: true },
    value: list(100_000, (index) => ({ index, list: [index] })),
    end: "limit",
  };
  yield {
    name: "a hundred thousand constants",
    schema: { enum: list(100_000, (index) => ({ index })) },
    value: { index: -1 },
    end: "limit",
  };
  yield {
    name: "a hundred thousand required names",
    schema: { required: list(100_000, (index) => `name${index}`) },
    value: {},
    end: "refused",
  };
  yield {
    name: "a million members that are no keywords",
    schema: named(1_000_000, (index) => [`x-${index}`, index]),
    value: {},
    end: "fits",
  };
  yield {
    name: "a hundred thousand small objects",
    schema: { items: { properties: { a: { type: "string" } }, required: ["a"] } },
    value: list(100_000, (index) => ({ a: `x${index}` })),
    end: "limit",
  };
  yield {
    name: "contains in contains",
    schema: nested(6, (contains) => ({ contains, minContains: 99 }), { type: "integer" }),
    value: nested(4, (inner) => list(15, () => inner), "x"),
    end: "limit",
  };
  yield {
    name: "exact remainders of numbers six hundred digits apart",
    schema: { items: { multipleOf: 1e-300 } },
    value: list(20_000, (index) => 1.234567e300 + index),
    end: "limit",
  };
  yield {
    name: "the length of ten million surrogates",
    schema: { maxLength: 5 },
    value: "😀".repeat(5_000_000),
    end: "refused",
  };
  yield {
    name: "a hundred thousand property names as long as they are unknown",
    schema: {
      properties: named(1_000, (index) => [`${"p".repeat(60)}${index}`, true]),
      additionalProperties: false,
    },
    value: named(20_000, (index) => [`${"q".repeat(60)}${index}`, 1]),
    end: "refused",
  };
  yield {
    name: "a huge document with anchors",
    schema: { $ref: "#anchor", $defs: named(150_000, (index) => [`d${index}`, { $anchor: `a${index}` }]) },
    value: 1,
    end: "limit",
  };
}

function list<Item>(length: number, make: (index: number) => Item): readonly Item[] {
  return Array.from({ length }, (_unused, index) => make(index));
}

function named(length: number, make: (index: number) => readonly [string, JsonValue]): JsonObject {
  return Object.fromEntries(list(length, make));
}

function nested<Outer extends JsonValue>(
  levels: number,
  wrap: (inner: JsonValue) => Outer,
  innermost: JsonValue,
): Outer {
  let outer = wrap(innermost);
  for (let level = 1; level < levels; level += 1) outer = wrap(outer);
  return outer;
}

function taggedObject(index: number): JsonObject {
  return {
    type: "object",
    properties: {
      kind: { const: `kind${index}` },
      first: { type: "string" },
      second: { type: "integer", minimum: 0 },
      third: { type: "array", items: { type: "string" } },
      [`own${index}`]: { type: "object", properties: { inner: { type: "number" } } },
    },
    required: ["kind", "first"],
  };
}

function doublingLevels(levels: number, keyword: string, innermost: JsonObject): JsonObject {
  const schemas = named(levels, (index) => {
    const next = { $ref: `#/$defs/level${index + 1}` };
    return [`level${index}`, { [keyword]: [next, next] }];
  });
  return { ...schemas, [`level${levels}`]: innermost };
}
