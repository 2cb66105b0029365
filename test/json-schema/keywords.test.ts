import { describe, expect, test } from "vitest";
import { compileSchema } from "../../src/json-schema/compile-schema.ts";
import type { JsonSchema, JsonValue } from "../../src/model/json.ts";

interface Row {
  readonly schema: JsonSchema;
  readonly fits: readonly JsonValue[];
  readonly refused: readonly JsonValue[];
}

const tables: Readonly<Record<string, readonly Row[]>> = {
  type: [
    { schema: { type: "null" }, fits: [null], refused: [false, 0, "", [], {}] },
    { schema: { type: "boolean" }, fits: [true, false], refused: [null, 0, "true"] },
    { schema: { type: "integer" }, fits: [0, -3, 2.0, 1e20], refused: [1.5, "1", true] },
    { schema: { type: "number" }, fits: [0, 1.5], refused: ["1", null] },
    { schema: { type: "string" }, fits: ["", "1"], refused: [1, ["x"]] },
    { schema: { type: "array" }, fits: [[]], refused: [{}, "[]"] },
    { schema: { type: "object" }, fits: [{}], refused: [[], null] },
    { schema: { type: ["string", "null"] }, fits: ["x", null], refused: [1, {}] },
  ],
  "enum and const": [
    {
      schema: { enum: [1, "1", null, { a: [1], b: 2 }, [0]] },
      fits: [1, 1.0, "1", null, { b: 2, a: [1] }, [0], [-0]],
      refused: [true, 2, { a: [1] }, { a: [1], b: 2, c: 3 }, [], [false], '{"a":[1]}'],
    },
    { schema: { const: { a: {} } }, fits: [{ a: {} }], refused: [{ a: [] }, {}, "[object Object]"] },
    { schema: { const: false }, fits: [false], refused: [0, null, ""] },
    { schema: { const: null }, fits: [null], refused: [0, false, {}] },
    { schema: { const: 0 }, fits: [0, -0], refused: ["0", false] },
  ],
  numbers: [
    { schema: { minimum: 2 }, fits: [2, 3, "1", null], refused: [1.99, -5] },
    { schema: { maximum: 2 }, fits: [2, -3], refused: [2.01] },
    { schema: { exclusiveMinimum: 2 }, fits: [2.01], refused: [2, 1] },
    { schema: { exclusiveMaximum: 2 }, fits: [1.99], refused: [2, 3] },
    { schema: { minimum: 2, exclusiveMinimum: true }, fits: [3], refused: [2] },
    { schema: { maximum: 2, exclusiveMaximum: true }, fits: [1], refused: [2] },
    { schema: { multipleOf: 3 }, fits: [0, -6, 9, "x"], refused: [1, 3.5] },
    { schema: { multipleOf: 0.01 }, fits: [0.07, 19.99, 4.35, 1e20], refused: [0.075] },
    { schema: { multipleOf: 1e-7 }, fits: [3e-7, 1], refused: [1.5e-7] },
  ],
  strings: [
    { schema: { minLength: 2 }, fits: ["ab", "😀😀", 1], refused: ["", "😀"] },
    { schema: { maxLength: 2 }, fits: ["", "😀😀", "é"], refused: ["abc", "😀😀😀"] },
    { schema: { maxLength: 0 }, fits: [""], refused: ["a"] },
    { schema: { pattern: "b" }, fits: ["abc", 1, null], refused: ["ac"] },
    { schema: { format: "email" }, fits: ["not an address"], refused: [] },
  ],
  arrays: [
    { schema: { minItems: 1, maxItems: 2 }, fits: [[1], [1, 2], "", {}], refused: [[], [1, 2, 3]] },
    {
      schema: { uniqueItems: true },
      fits: [[], [1, "1", true, null], [{ a: 1 }, { a: 2 }], [[1], [2]], ["{}", {}]],
      refused: [
        [1, 1.0],
        [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
        [[[]], [[]]],
      ],
    },
    { schema: { uniqueItems: false }, fits: [[1, 1]], refused: [] },
    { schema: { items: { type: "integer" } }, fits: [[], [1, 2], "x"], refused: [[1, "2"]] },
    { schema: { items: false }, fits: [[]], refused: [[1]] },
    {
      schema: { prefixItems: [{ type: "integer" }, { type: "string" }] },
      fits: [[], [1], [1, "a"], [1, "a", null]],
      refused: [["a"], [1, 2]],
    },
    { schema: { prefixItems: [true], items: { type: "null" } }, fits: [[1], [1, null]], refused: [[1, 1]] },
    {
      schema: { items: [{ type: "integer" }], additionalItems: false },
      fits: [[], [1]],
      refused: [["a"], [1, 2]],
    },
    { schema: { contains: { type: "null" } }, fits: [[null], [1, null], "x"], refused: [[], [1]] },
    {
      schema: { contains: { type: "null" }, minContains: 2, maxContains: 3 },
      fits: [
        [null, null],
        [null, 1, null, null],
      ],
      refused: [[null], [null, null, null, null]],
    },
    { schema: { contains: { type: "null" }, minContains: 0 }, fits: [[], [1]], refused: [] },
  ],
  objects: [
    { schema: { required: ["a", "b"] }, fits: [{ a: null, b: 1, c: 2 }, [], 1], refused: [{}, { a: 1 }] },
    {
      schema: { minProperties: 1, maxProperties: 2 },
      fits: [{ a: 1 }, []],
      refused: [{}, { a: 1, b: 2, c: 3 }],
    },
    {
      schema: { properties: { a: { type: "integer" } } },
      fits: [{}, { a: 1 }, { b: "x" }, "x"],
      refused: [{ a: "1" }],
    },
    {
      schema: { patternProperties: { "^x-": { type: "integer" }, y$: { minimum: 3 } } },
      fits: [{ "x-a": 1 }, { a: "x" }, { "x-y": 3 }],
      refused: [{ "x-a": "1" }, { "x-y": 2 }],
    },
    {
      schema: { properties: { a: true }, patternProperties: { "^x": true }, additionalProperties: false },
      fits: [{}, { a: 1, x1: 2 }],
      refused: [{ b: 1 }],
    },
    { schema: { additionalProperties: { type: "null" } }, fits: [{ a: null }], refused: [{ a: 1 }] },
    { schema: { propertyNames: { pattern: "^[a-z]+$" } }, fits: [{ ab: 1 }, {}], refused: [{ a1: 1 }] },
    { schema: { propertyNames: false }, fits: [{}], refused: [{ a: 1 }] },
    { schema: { dependentRequired: { a: ["b"] } }, fits: [{ b: 1 }, { a: 1, b: 2 }], refused: [{ a: 1 }] },
    {
      schema: { dependentSchemas: { a: { maxProperties: 1 } } },
      fits: [{ a: 1 }, { b: 1, c: 2 }],
      refused: [{ a: 1, b: 2 }],
    },
    {
      schema: { dependencies: { a: ["b"], c: { required: ["d"] } } },
      fits: [
        { a: 1, b: 1 },
        { c: 1, d: 1 },
      ],
      refused: [{ a: 1 }, { c: 1 }],
    },
  ],
  applicators: [
    { schema: { allOf: [{ minimum: 1 }, { maximum: 2 }] }, fits: [1, 2, "x"], refused: [0, 3] },
    { schema: { anyOf: [{ type: "string" }, { minimum: 2 }] }, fits: ["x", 2, null], refused: [1] },
    { schema: { oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }] }, fits: [2, 3], refused: [6, 1] },
    { schema: { not: { type: "string" } }, fits: [1], refused: ["x"] },
    { schema: { not: { not: { type: "string" } } }, fits: ["x"], refused: [1] },
    {
      schema: JSON.parse(
        '{"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}',
      ),
      fits: [{ a: 1, b: 1 }, { c: 1 }],
      refused: [{ a: 1 }, {}, { a: 1, c: 1 }],
    },
    { schema: JSON.parse('{"then": false, "else": false}'), fits: [1], refused: [] },
    { schema: { allOf: [true, false] }, fits: [], refused: [1, null, {}] },
    { schema: {}, fits: [1, null, {}], refused: [] },
  ],
  references: [
    { schema: { $ref: "#/$defs/a", $defs: { a: { type: "integer" } } }, fits: [1], refused: ["x"] },
    { schema: { $ref: "#/$defs/a", minimum: 2, $defs: { a: { type: "integer" } } }, fits: [2], refused: [1] },
    {
      schema: { $ref: "#/definitions/a", definitions: { a: { type: "integer" } } },
      fits: [1],
      refused: ["x"],
    },
    {
      schema: { $ref: "#/$defs/a~1b~0c%25", $defs: { "a/b~c%": { type: "integer" } } },
      fits: [1],
      refused: ["x"],
    },
    { schema: { $ref: "#/$defs/a%", $defs: { "a%": { type: "integer" } } }, fits: [1], refused: ["x"] },
    { schema: { $ref: "#/allOf/0", allOf: [{ type: "integer" }] }, fits: [1], refused: ["x"] },
    {
      schema: { $ref: "#here", $defs: { a: { $anchor: "here", type: "integer" } } },
      fits: [1],
      refused: ["x"],
    },
    {
      schema: { $ref: "#here", definitions: { a: { $id: "#here", type: "integer" } } },
      fits: [1],
      refused: ["x"],
    },
    {
      schema: { properties: { next: { $ref: "#" } }, additionalProperties: false },
      fits: [{ next: { next: {} } }],
      refused: [{ next: { next: { other: 1 } } }],
    },
    {
      schema: {
        $id: "https://example.com/root",
        $ref: "part",
        $defs: {
          part: { $id: "part", $ref: "#/$defs/a", $defs: { a: { type: "integer" } } },
          a: { type: "string" },
        },
      },
      fits: [1],
      refused: ["x"],
    },
    {
      schema: {
        $ref: "https://example.com/part#inner",
        $defs: {
          part: { $id: "https://example.com/part", $defs: { x: { $anchor: "inner", type: "integer" } } },
        },
      },
      fits: [1],
      refused: ["x"],
    },
    {
      schema: { const: { $id: "https://example.com/data" }, $ref: "https://example.com/data" },
      fits: [{ $id: "https://example.com/data" }],
      refused: [1],
    },
    {
      // A tree whose nodes are stricter where the tree is extended.
      schema: {
        $id: "https://example.com/strict",
        $dynamicAnchor: "node",
        $ref: "tree",
        unevaluatedProperties: false,
        $defs: {
          tree: {
            $id: "tree",
            $dynamicAnchor: "node",
            properties: { children: { items: { $dynamicRef: "#node" } } },
          },
        },
      },
      fits: [{ children: [{ children: [] }] }],
      refused: [{ children: [{ other: 1 }] }, { other: 1 }],
    },
  ],
  unevaluated: [
    {
      schema: { allOf: [{ properties: { a: true } }], properties: { b: true }, unevaluatedProperties: false },
      fits: [{ a: 1, b: 2 }, []],
      refused: [{ a: 1, c: 2 }],
    },
    {
      schema: {
        anyOf: [
          { required: ["a"], properties: { a: true } },
          { required: ["b"], properties: { b: true } },
        ],
        unevaluatedProperties: false,
      },
      fits: [{ a: 1 }, { a: 1, b: 1 }],
      refused: [{ a: 1, b: 1, c: 1 }],
    },
    {
      schema: {
        oneOf: [
          { properties: { a: { const: 1 } }, required: ["a"] },
          { properties: { b: true }, required: ["b"] },
        ],
        unevaluatedProperties: false,
      },
      fits: [{ a: 1 }, { b: 1 }],
      refused: [{ a: 2, b: 1 }],
    },
    {
      schema: JSON.parse(`{
        "if": {"properties": {"a": {"const": 1}}, "required": ["a"]},
        "then": {"properties": {"b": true}},
        "unevaluatedProperties": false
      }`),
      fits: [{ a: 1 }, { a: 1, b: 2 }, {}],
      refused: [{ b: 2 }, { a: 2 }],
    },
    {
      schema: { not: { properties: { a: false } }, unevaluatedProperties: false },
      fits: [],
      refused: [{ a: 1 }, {}],
    },
    {
      schema: { dependentSchemas: { a: { properties: { a: true, b: true } } }, unevaluatedProperties: false },
      fits: [{ a: 1, b: 1 }],
      refused: [{ b: 1 }],
    },
    {
      schema: {
        $ref: "#/$defs/a",
        unevaluatedProperties: { type: "integer" },
        $defs: { a: { properties: { a: true } } },
      },
      fits: [{ a: "x", b: 1 }],
      refused: [{ b: "x" }],
    },
    {
      schema: { additionalProperties: { type: "integer" }, unevaluatedProperties: false },
      fits: [{ a: 1 }],
      refused: [{ a: "x" }],
    },
    {
      schema: { allOf: [{ unevaluatedProperties: true }], unevaluatedProperties: false },
      fits: [{ a: 1 }],
      refused: [],
    },
    {
      schema: { allOf: [{ properties: { a: true } }, { unevaluatedProperties: false }] },
      fits: [{}],
      refused: [{ a: 1 }],
    },
    {
      schema: { allOf: [{ prefixItems: [true] }], unevaluatedItems: false },
      fits: [[], [1]],
      refused: [[1, 2]],
    },
    {
      schema: { contains: { type: "null" }, unevaluatedItems: { type: "integer" } },
      fits: [[null, 1]],
      refused: [[null, "x"]],
    },
    {
      schema: { oneOf: [{ items: { type: "null" } }, { type: "array" }], unevaluatedItems: false },
      fits: [],
      refused: [[1]],
    },
    { schema: { allOf: [{ items: true }], unevaluatedItems: false }, fits: [[1, 2]], refused: [] },
  ],
};

describe.each(Object.entries(tables))("%s", (_name, rows) => {
  for (const { schema, fits, refused } of rows) {
    test(JSON.stringify(schema), () => {
      const checker = compileSchema(schema);
      for (const value of fits)
        expect({ value, mistakes: checker.check(value) }).toEqual({ value, mistakes: [] });
      for (const value of refused) {
        const mistakes = checker.check(value);
        expect({ value, refused: mistakes.length > 0 }).toEqual({ value, refused: true });
        expect(mistakes.filter(({ keyword }) => keyword === "limit")).toEqual([]);
      }
    });
  }
});
