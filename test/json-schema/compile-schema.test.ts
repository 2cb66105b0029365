import { describe, expect, test } from "vitest";
import { compileSchema } from "../../src/json-schema/compile-schema.ts";
import type { JsonSchema, JsonValue } from "../../src/model/json.ts";

function messagesOf(schema: JsonSchema, value: JsonValue): readonly string[] {
  return compileSchema(schema)
    .check(value)
    .map(({ message }) => message);
}

describe("what a caller is told", () => {
  const text = { type: "string" };
  const table: readonly (readonly [
    name: string,
    schema: JsonSchema,
    value: JsonValue,
    ...messages: string[],
  ])[] = [
    [
      "a wrong type",
      { properties: { days: { type: "integer" } } },
      { days: "3" },
      "`days` must be an integer, but is a string.",
    ],
    [
      "several types",
      { properties: { days: { type: ["integer", "string", "null"] } } },
      { days: [] },
      "`days` must be an integer, a string or null, but is an array.",
    ],
    [
      "a fraction",
      { properties: { days: { type: "integer" } } },
      { days: 1.5 },
      "`days` must be an integer, but is a number with a fraction.",
    ],
    ["a missing argument", { required: ["city"] }, {}, "`city` is missing."],
    [
      "a misspelt argument",
      { properties: { color: text, size: text }, additionalProperties: false },
      { colour: "red" },
      "`colour` is not an argument; did you mean `color`?",
    ],
    [
      "an unknown argument",
      { properties: { color: text, size: text }, additionalProperties: false },
      { weight: 3 },
      "`weight` is not an argument; known are `color` and `size`.",
    ],
    [
      "an argument where there are none",
      { additionalProperties: false },
      { weight: 3 },
      "`weight` is not an argument; there are none.",
    ],
    [
      "an unknown property further in",
      { properties: { paint: { properties: { color: text }, additionalProperties: false } } },
      { paint: { gloss: 3 } },
      "`paint.gloss` is not a property of `paint`; known is `color`.",
    ],
    [
      "an unknown argument, with unevaluatedProperties",
      { properties: { color: text }, unevaluatedProperties: false },
      { Color: "red" },
      "`Color` is not an argument; did you mean `color`?",
    ],
    [
      "an unknown argument where a pattern allows more",
      { properties: { color: text }, patternProperties: { "^x-": true }, additionalProperties: false },
      { weight: 3 },
      "`weight` is not an argument.",
    ],
    [
      "a choice of constants",
      { properties: { status: { enum: ["open", "closed"] } } },
      { status: "shut" },
      '`status` must be one of "open", "closed".',
    ],
    ["one constant", { properties: { version: { const: 2 } } }, { version: 3 }, "`version` must be 2."],
    [
      "a long choice",
      { properties: { letter: { enum: [..."abcdefghijklmnop"] } } },
      { letter: "z" },
      '`letter` must be one of "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l" and 4 more.',
    ],
    [
      "a type before all that follows from it",
      { properties: { name: { type: "string", not: {} } } },
      { name: 1 },
      "`name` must be a string, but is a number.",
    ],
    [
      "a place in an object",
      { properties: { address: { required: ["street"] } } },
      { address: {} },
      "`address.street` is missing.",
    ],
    [
      "a place in a list",
      { properties: { items: { items: { properties: { name: text } } } } },
      { items: [{}, {}, {}, { name: 1 }] },
      "`items[3].name` must be a string, but is a number.",
    ],
    [
      "a place whose name is not plain",
      { additionalProperties: { additionalProperties: text } },
      { headers: { "x.y": 1 } },
      '`headers["x.y"]` must be a string, but is a number.',
    ],
    ["a minimum", { properties: { days: { minimum: 1 } } }, { days: 0 }, "`days` must be at least 1."],
    [
      "an exclusive maximum",
      { properties: { days: { exclusiveMaximum: 9 } } },
      { days: 9 },
      "`days` must be less than 9.",
    ],
    [
      "a multiple",
      { properties: { price: { multipleOf: 0.25 } } },
      { price: 0.3 },
      "`price` must be a multiple of 0.25.",
    ],
    [
      "a short text",
      { properties: { name: { minLength: 1 } } },
      { name: "" },
      "`name` must have at least 1 character.",
    ],
    [
      "a long text",
      { properties: { name: { maxLength: 2 } } },
      { name: "secret" },
      "`name` must have at most 2 characters.",
    ],
    [
      "a pattern",
      { properties: { code: { pattern: "^\\d+$" } } },
      { code: "secret" },
      "`code` must match the regular expression /^\\d+$/.",
    ],
    [
      "a short list",
      { properties: { tags: { minItems: 2 } } },
      { tags: ["secret"] },
      "`tags` must have at least 2 items, but has 1.",
    ],
    [
      "equal items",
      { properties: { tags: { uniqueItems: true } } },
      { tags: ["x", "y", "x"] },
      "`tags` must not repeat items, but [0] and [2] are equal.",
    ],
    [
      "a tuple",
      { properties: { pair: { prefixItems: [true, true], items: false } } },
      { pair: [1, 2, 3] },
      "`pair` must have at most 2 items, but has 3.",
    ],
    [
      "items that nothing describes",
      { properties: { pair: { prefixItems: [true], unevaluatedItems: false } } },
      { pair: [1, 2] },
      "`pair[1]` is an item too many.",
    ],
    [
      "a list without a wanted item",
      { properties: { tags: { contains: { const: 1 } } } },
      { tags: [2] },
      "`tags` must contain at least 1 item of the kind that its schema describes, but contains 0.",
    ],
    [
      "no arguments at all",
      { minProperties: 1 },
      {},
      "The arguments object must have at least 1 property, but has 0.",
    ],
    [
      "arguments that are no object",
      { type: "object" },
      [],
      "The arguments object must be an object, but is an array.",
    ],
    ["a forbidden argument", { properties: { id: false } }, { id: 1 }, "`id` is not allowed here."],
    [
      "a name that is not allowed",
      { propertyNames: { maxLength: 2 } },
      { abc: 1 },
      "`abc` has a name that is not allowed here.",
    ],
    [
      "a companion",
      { dependentRequired: { card: ["address"] } },
      { card: 1 },
      "`address` is missing; it is required with `card`.",
    ],
    [
      "an excluded form",
      { properties: { id: { not: { type: "string" } } } },
      { id: "x" },
      "`id` has a form that its schema excludes.",
    ],
    [
      "two alternatives at once",
      { properties: { id: { oneOf: [{ minimum: 1 }, { minimum: 2 }] } } },
      { id: 3 },
      "`id` must fit exactly one of its alternatives, but fits several.",
    ],
    [
      "alternatives of different types",
      { properties: { id: { anyOf: [text, { type: "null" }] } } },
      { id: 3 },
      "`id` must be a string or null, but is a number.",
    ],
    [
      "a choice or null",
      { properties: { status: { anyOf: [{ enum: ["open", "closed"] }, { type: "null" }] } } },
      { status: "shut" },
      '`status` must be null or one of "open", "closed".',
    ],
    [
      "alternatives told apart by a constant that none has",
      { oneOf: [tagged("cat", "lives"), tagged("dog", "breed")] },
      { kind: "cow" },
      '`kind` must be one of "cat", "dog".',
    ],
    [
      "the alternative that was meant",
      { oneOf: [tagged("cat", "lives"), tagged("dog", "breed")] },
      { kind: "dog" },
      "`breed` is missing.",
    ],
    [
      "the object behind null",
      { properties: { at: { anyOf: [{ type: "object", required: ["x"] }, { type: "null" }] } } },
      { at: {} },
      "`at.x` is missing.",
    ],
    [
      "a mistake inside of what may be null",
      {
        $defs: {
          condition: {
            type: "object",
            properties: {
              not: { anyOf: [{ $ref: "#/$defs/condition" }, { type: "null" }] },
              genre: { enum: ["novel", "essay"] },
            },
          },
        },
        $ref: "#/$defs/condition",
      },
      { not: { not: { genre: "opera" } } },
      "`not.not` fits none of its 2 alternatives; to fit the nearest one, mend what follows.",
      '`not.not.genre` must be one of "novel", "essay".',
    ],
    [
      "alternatives of which none was clearly meant",
      { anyOf: [{ required: ["a", "b"] }, { required: ["c"] }] },
      {},
      "The arguments object fits none of its 2 alternatives; to fit the nearest one, mend what follows.",
      "`c` is missing.",
    ],
    [
      "all mistakes at once",
      { required: ["city"], properties: { days: { type: "integer" } }, additionalProperties: false },
      { days: "3", town: 1 },
      "`city` is missing.",
      "`days` must be an integer, but is a string.",
      "`town` is not an argument; known is `days`.",
    ],
  ];

  for (const [name, schema, value, ...messages] of table) {
    test(name, () => expect(messagesOf(schema, value)).toEqual(messages));
  }

  function tagged(kind: string, own: string): JsonSchema {
    return { type: "object", properties: { kind: { const: kind } }, required: ["kind", own] };
  }

  test("a mistake names its place as a JSON Pointer, and the keyword", () => {
    const schema = { properties: { "a/b": { items: { required: ["~"] } } } };
    expect(compileSchema(schema).check({ "a/b": [{}] })).toEqual([
      { path: "/a~1b/0/~0", keyword: "required", message: '`a/b[0]["~"]` is missing.' },
    ]);
  });

  test("no message holds a value of the arguments", () => {
    const keywords: readonly JsonSchema[] = [
      { type: "null" },
      { enum: ["x", 1] },
      { const: { a: 1 } },
      { minLength: 99 },
      { maxLength: 1 },
      { pattern: "^x$" },
      { not: {} },
      { anyOf: [{ const: 1 }, { maxLength: 1 }] },
      { oneOf: [{}, true] },
      { $ref: "#/$defs/short" },
    ];
    for (const keyword of keywords) {
      const messages = messagesOf(
        { additionalProperties: keyword, $defs: { short: { maxLength: 1 } } },
        { a: "hunter2" },
      );
      expect(messages.length).toBeGreaterThan(0);
      expect(messages.join("\n")).not.toContain("hunter2");
    }
  });

  test("names from the arguments are cut, and lose what can't be seen", () => {
    const hidden = "ev`il\n\u0007\u200b\u202e\u2028\ud800name";
    expect(messagesOf({ additionalProperties: false }, { [hidden]: 1 })).toEqual([
      "`evilname` is not an argument; there are none.",
    ]);
    const [message] = messagesOf({ additionalProperties: false }, { ["x".repeat(1_000_000)]: 1 });
    expect(message).toBe(`\`${"x".repeat(64)}…\` is not an argument; there are none.`);
  });

  test("a name is suggested only when it is sure", () => {
    const suggested = (wrong: string, ...known: string[]): boolean => {
      const properties = Object.fromEntries(known.map((name) => [name, true]));
      return messagesOf({ properties, additionalProperties: false }, { [wrong]: 1 })
        .join()
        .includes("did you mean");
    };
    expect(suggested("user_id", "userId")).toBe(true);
    expect(suggested("calender", "calendar")).toBe(true);
    expect(suggested("limti", "limit")).toBe(true);
    expect(suggested("lmit", "limit")).toBe(true);
    expect(suggested("limits", "limit")).toBe(true);
    expect(suggested("id", "ip")).toBe(false);
    expect(suggested("form", "from", "forms")).toBe(false);
    expect(suggested("start", "end")).toBe(false);
    expect(suggested("limmitt", "limit")).toBe(false);
  });

  test("the list of mistakes is bounded", () => {
    const value = Object.fromEntries(Array.from({ length: 100 }, (_unused, index) => [`name${index}`, 1]));
    expect(messagesOf({ additionalProperties: false }, value)).toHaveLength(20);
  });
});

describe("schemas that are broken", () => {
  const table: readonly (readonly [name: string, schema: JsonSchema, value: JsonValue])[] = [
    ["a reference to nothing", { $ref: "#/$defs/gone" }, { a: 1 }],
    [
      "a reference to another document",
      { properties: { a: { $ref: "https://example.com/schema" } } },
      { a: 1 },
    ],
    ["a reference into plain data", { $ref: "#/$defs/0", $defs: [7] }, 1],
    ["a dynamic reference to nothing", { $dynamicRef: "#gone" }, 1],
    [
      "a circle of references",
      { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } },
      1,
    ],
    ["a circle through allOf", { allOf: [{ $ref: "#" }] }, 1],
    ["a circle through not", { not: { $ref: "#" } }, 1],
    ["a broken part below not", { not: { $ref: "#/$defs/gone" } }, 1],
    ["two broken alternatives of oneOf", { oneOf: [{ $ref: "#/$defs/a" }, { $ref: "#/$defs/b" }] }, 1],
    ["a broken alternative beside one that fits", { oneOf: [{ $ref: "#/$defs/a" }, { type: "integer" }] }, 1],
    ["a broken condition", JSON.parse('{"if": {"$ref": "#/$defs/gone"}, "then": false, "else": false}'), 1],
    ["a broken item that may be contained", { contains: { $ref: "#/$defs/gone" }, maxContains: 0 }, [1]],
    ["a refused pattern", { pattern: "^(?=a)" }, "b"],
    ["a refused pattern below not", { not: { pattern: "^(?=a)" } }, "b"],
    [
      "a refused pattern for names",
      { patternProperties: { "^(?=a)": false }, additionalProperties: false },
      { a: 1 },
    ],
    [
      "a refused pattern for names, and unevaluatedProperties",
      { patternProperties: { "^(?=a)": true }, unevaluatedProperties: false },
      { a: 1 },
    ],
    [
      "a broken part that may deal with everything",
      { $ref: "#/$defs/gone", unevaluatedProperties: false },
      { a: 1 },
    ],
    ["a broken part that may deal with all items", { $ref: "#/$defs/gone", unevaluatedItems: false }, [1]],
    ["a type of another dialect", { type: "file" }, "x"],
    [
      "operands of wrong types",
      {
        type: 1,
        enum: "x",
        required: "a",
        properties: [],
        items: 3,
        anyOf: {},
        minLength: "2",
        pattern: 4,
        $ref: 5,
        multipleOf: 0,
      },
      1,
    ],
    ["an empty choice", { enum: [] }, 1],
  ];

  test.each(table)("%s keeps the tool callable", (_name, schema, value) => {
    expect(compileSchema(schema).check(value)).toEqual([]);
  });

  test("the rest of a broken schema still holds", () => {
    const schema = {
      properties: { a: { $ref: "#/$defs/gone", type: "string" }, b: { $ref: "#/$defs/circle" } },
      $defs: { circle: { allOf: [{ $ref: "#/$defs/circle" }, { type: "integer" }] } },
    };
    expect(messagesOf(schema, { a: 1, b: "x" })).toEqual([
      "`a` must be a string, but is a number.",
      "`b` must be an integer, but is a string.",
    ]);
    expect(
      messagesOf({ oneOf: [{ $ref: "#/$defs/gone" }, { type: "string" }, { minLength: 1 }] }, "x"),
    ).toHaveLength(1);
  });
});

describe("limits", () => {
  const refusal = [
    { path: "", keyword: "limit", message: expect.stringContaining("too large or too deeply nested") },
  ];

  test("a check without a verdict refuses", () => {
    const schema = { items: { type: "integer" } };
    expect(
      compileSchema(schema, { limits: { steps: 50 } }).check(Array.from({ length: 100 }, () => 1)),
    ).toEqual(refusal);
    expect(
      compileSchema({ properties: { a: { $ref: "#" } } }, { limits: { depth: 4 } }).check({
        a: { a: { a: {} } },
      }),
    ).toEqual(refusal);
  });

  test("a part whose preparation was cut short is never used half", () => {
    const schemas: readonly JsonSchema[] = [
      { enum: Array.from({ length: 100 }, (_unused, index) => index) },
      { required: Array.from({ length: 500 }, (_unused, index) => `name${index}`) },
      { allOf: Array.from({ length: 500 }, () => false) },
      {
        patternProperties: Object.fromEntries(
          Array.from({ length: 100 }, (_unused, index) => [`a{${index}}`, false]),
        ),
      },
    ];
    for (const schema of schemas) {
      const checker = compileSchema(schema, { limits: { steps: 150 } });
      for (let round = 0; round < 5; round += 1) expect(checker.check({ a: 1 })).toEqual(refusal);
    }
  });

  test("whether a value fits does not depend on what was checked before", () => {
    const schema = {
      properties: {
        a: { enum: ["x", "y", "z"] },
        b: { pattern: "^x{1,9}$" },
        c: { $ref: "#/$defs/deep" },
      },
      $defs: { deep: { anyOf: [{ required: ["q"] }, { properties: { d: { $ref: "#/$defs/deep" } } }] } },
    };
    const values: readonly JsonValue[] = [
      { a: "x" },
      { b: "xx" },
      { a: "x", b: "x" },
      { c: { d: { d: {} } } },
      { a: "w" },
    ];
    for (let steps = 10; steps < 2_500; steps += 15) {
      const options = { limits: { steps } };
      const used = compileSchema(schema, options);
      for (const value of [...values, ...values.toReversed()]) {
        expect(used.check(value)).toEqual(compileSchema(schema, options).check(value));
      }
    }
  });
});
