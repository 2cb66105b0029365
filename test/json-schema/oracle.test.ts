import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileSchema } from "../../src/json-schema/compile-schema.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";

// Differential: on sound schemas the interpreter and ajv must come to the same verdict.

/** Few names, so that schemas and values meet. */
const name = fc.constantFrom("a", "b", "foo", "bar", "x1");
const pattern = fc.constantFrom("^a", "o$", "^x[0-9]+$", "^.{1,2}$");
const typeName = fc.constantFrom("null", "boolean", "integer", "number", "string", "array", "object");
const small = fc.integer({ min: 0, max: 3 });

const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<JsonValue[]>(
      null,
      true,
      false,
      0,
      1,
      2,
      3,
      -3,
      1.5,
      0.5,
      "",
      "a",
      "foo",
      "xx",
      "hé😀",
      "x1",
    ),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(name, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

const reference: fc.Arbitrary<JsonObject> = fc
  .constantFrom("#/$defs/first", "#/$defs/second", "#second", "#")
  .map(($ref) => ({ $ref }));

interface Generated {
  readonly schema: JsonObject | boolean;
  readonly keyword: JsonObject;
}

const { schema } = fc.letrec<Generated>((tie: fc.LetrecTypedTie<Generated>) => {
  const inner = tie("schema");
  const pair = fc.tuple(inner, inner);
  const one = (keyword: string, operand: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonObject> =>
    operand.map((chosen) => ({ [keyword]: chosen }));
  const named = (keyword: string, names: fc.Arbitrary<string>): fc.Arbitrary<JsonObject> =>
    one(keyword, fc.dictionary(names, inner, { minKeys: 1, maxKeys: 2, noNullPrototype: true }));
  const leaf = fc.oneof(
    one("type", fc.oneof(typeName, fc.uniqueArray(typeName, { minLength: 2, maxLength: 3 }))),
    one("enum", fc.array(value, { minLength: 1, maxLength: 3 })),
    one("const", value),
    one("minimum", small),
    one("exclusiveMaximum", small),
    one("multipleOf", fc.constantFrom(1, 2, 0.5)),
    one("minLength", small),
    one("maxLength", small),
    one("pattern", pattern),
    one("minItems", small),
    one("maxItems", small),
    one("uniqueItems", fc.constant(true)),
    one("required", fc.uniqueArray(name, { minLength: 1, maxLength: 2 })),
    one("minProperties", small),
    one("maxProperties", small),
    one(
      "dependentRequired",
      fc.dictionary(name, fc.uniqueArray(name, { maxLength: 2 }), { maxKeys: 2, noNullPrototype: true }),
    ),
  );
  const branch = fc.oneof(
    named("properties", name),
    named("patternProperties", pattern),
    one("additionalProperties", inner),
    one("propertyNames", inner),
    named("dependentSchemas", name),
    one("prefixItems", pair),
    one("items", inner),
    one("contains", inner),
    fc
      .tuple(one("contains", inner), one("minContains", small), one("maxContains", small))
      .map((parts): JsonObject => Object.assign({}, ...parts)),
    one("allOf", pair),
    one("anyOf", pair),
    one("oneOf", pair),
    one("not", inner),
    fc
      .tuple(one("if", inner), one("then", inner), fc.oneof(fc.constant({}), one("else", inner)))
      .map((parts): JsonObject => Object.assign({}, ...parts)),
    one("unevaluatedProperties", fc.oneof(fc.constant(false), inner)),
    // Below a property or an item a reference can't lead back to the same value.
    one("properties", fc.dictionary(name, reference, { minKeys: 1, maxKeys: 1, noNullPrototype: true })),
    one("items", reference),
  );
  return {
    keyword: fc.oneof({ depthSize: "small" }, leaf, branch),
    schema: fc.oneof(
      { arbitrary: fc.boolean(), weight: 1 },
      {
        arbitrary: fc
          .array(tie("keyword"), { minLength: 1, maxLength: 4 })
          .map((parts): JsonObject => Object.assign({}, ...parts))
          // Beside `prefixItems`, ajv lets the empty array pass `contains`.
          .filter((made) => !("contains" in made && "prefixItems" in made)),
        weight: 12,
      },
    ),
  };
});

function verdictOf(validate: () => boolean): boolean | undefined {
  try {
    return validate();
  } catch {
    return undefined;
  }
}

test("the verdict is that of ajv", () => {
  let fitting = 0;
  let compared = 0;
  const property = fc.property(
    schema.filter((made) => typeof made === "object"),
    schema,
    schema,
    fc.array(value, { minLength: 8, maxLength: 8 }),
    (root, first, second, values) => {
      const document = { allOf: [root], $defs: { first, second: { $anchor: "second", allOf: [second] } } };
      const ajv = new Ajv2020({ strict: false, validateFormats: false });
      const compiled = ajv.compile(document);
      const checker = compileSchema(document);
      for (const each of values) {
        const fits = verdictOf(() => compiled(each));
        // On some of these schemas ajv's generated code fails.
        if (fits === undefined) continue;
        compared += 1;
        if (fits) fitting += 1;
        expect({ value: each, fits: checker.check(each).length === 0 }).toEqual({ value: each, fits });
      }
    },
  );
  fc.assert(property, { seed: 20261120, numRuns: 1_000 });
  // The generator is worth something only while both verdicts are common.
  expect(fitting).toBeGreaterThan(compared / 10);
  expect(fitting).toBeLessThan((compared * 9) / 10);
});

test("whatever the schema is made of, a check ends with an answer", () => {
  const keywords = [
    ...[
      "$ref",
      "$dynamicRef",
      "$id",
      "$anchor",
      "$dynamicAnchor",
      "$defs",
      "type",
      "enum",
      "const",
      "minimum",
      "multipleOf",
    ],
    ...[
      "minLength",
      "pattern",
      "minItems",
      "uniqueItems",
      "contains",
      "minContains",
      "required",
      "properties",
      "not",
    ],
    ...[
      "patternProperties",
      "additionalProperties",
      "propertyNames",
      "dependentSchemas",
      "dependencies",
      "prefixItems",
    ],
    ...[
      "items",
      "additionalItems",
      "allOf",
      "anyOf",
      "oneOf",
      "if",
      "then",
      "unevaluatedProperties",
      "unevaluatedItems",
    ],
  ];
  const texts = fc.constantFrom(
    "#",
    "#/$defs/a",
    "#a",
    "a",
    "https://example.com/a#a",
    "%",
    "object",
    "(",
    "^a",
    "",
  );
  const { anything } = fc.letrec<{ anything: JsonValue }>((tie) => ({
    anything: fc.oneof(
      { depthSize: "medium" },
      fc.oneof(texts, fc.double(), fc.boolean(), fc.constant(null)),
      fc.array(tie("anything"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("a", ...keywords), tie("anything"), {
        maxKeys: 5,
        noNullPrototype: true,
      }),
    ),
  }));
  const property = fc.property(
    fc.dictionary(fc.constantFrom(...keywords), anything, { maxKeys: 6, noNullPrototype: true }),
    value,
    (foreign, each) => {
      const checker = compileSchema(foreign);
      const mistakes = checker.check(each);
      expect(checker.check(each)).toEqual(mistakes);
      for (const { message } of mistakes) expect(message).toMatch(/^(`|The arguments ).*[.?]$/);
    },
  );
  fc.assert(property, { seed: 20261120, numRuns: 3_000 });
});
