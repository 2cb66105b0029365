import { afterAll, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { hostileCases } from "../json-schema/hostile-cases.ts";
import { callModern, readMcp, startSystem } from "./system.ts";
import { plainTool, startMcpUpstream, startUpstream } from "./upstream.ts";

const largest = { body: 1_000_000, tool: 250_000 };
let longest = { name: "none", milliseconds: 0 };
afterAll(() => {
  process.stdout.write(
    `Longest stretch of CPU for a hostile schema: ${longest.milliseconds} ms (${longest.name}).\n`,
  );
});

/** Runs a call and notes the CPU time of the whole process meanwhile. */
async function timed<T>(name: string, run: () => Promise<T>): Promise<T> {
  const before = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(before);
  const milliseconds = Math.round((user + system) / 1_000);
  if (milliseconds > longest.milliseconds) longest = { name, milliseconds };
  return result;
}

const list = (length: number, make: (index: number) => JsonValue): readonly JsonValue[] =>
  Array.from({ length }, (_none, index) => make(index));
const named = (length: number, make: (index: number) => readonly [string, JsonValue]): JsonObject =>
  Object.fromEntries(Array.from({ length }, (_none, index) => make(index)));

/** Room for values that cost more than most servers would be sent. */
const room = {
  limits: {
    requests: { body_size: "2MB", arguments_size: "2MB", json_values: 1_000_000, json_string: "2MB" },
  },
};

/** Those of the unit tests that fit into a tool and a call, and patterns and shapes of other kinds. */
const cases: readonly { readonly name: string; readonly schema: JsonValue; readonly value: JsonValue }[] = [
  ...[...hostileCases()]
    .filter(({ name }) => !name.includes("ten thousand deep"))
    .flatMap(({ name, schema, value }) => {
      try {
        const fits =
          JSON.stringify(schema).length < largest.tool && JSON.stringify(value).length < largest.body;
        return fits ? [{ name, schema, value }] : [];
      } catch {
        return [];
      }
    }),
  ...[
    "(a*)*b",
    "(a|a)*b",
    "(a|aa)+$",
    "(.*a){30}",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(\\w+\\s?)*$",
    "(x+x+)+y",
    "^(\\d+)*$",
    "(?=a)b",
    "(?<=a)b",
    "(a)\\1",
    "(?<n>a)\\k<n>",
    "[",
    "(",
    "a{1000000}",
    "(a{1000}){1000}",
    "\\p{L}+\\p{Nope}",
    "(?i)ſ",
    "\\u{110000}",
    "[z-a]",
    "$^",
    "",
    "((((((((((a?){10}){10}){10}){10}){10}){10}){10}){10}){10}){10}",
  ].map((pattern) => ({
    name: `the pattern ${pattern}`,
    schema: { type: "string", pattern },
    value: `${"a".repeat(5_000)}!`,
  })),
  ...[
    "(a+){1,100}$",
    "^(a|a|a|a|a)+$",
    "(?:a?){100}a{100}",
    "((a{1,50}){1,10})!",
    "^(?:.*,){40}P",
    "([a-z]+)+@([a-z]+)+\\.",
    "(\\d+)+(\\d+)+x",
    "^(\\S+\\s?)+$",
    "\\b(a+)+\\b!",
    "[\\p{L}\\p{N}]{1,500}!",
    "(?i)[a-z]{1,900}",
    "\\p{Script=Han}|\\p{Lu}{50}",
    "(?<!a)b",
    "(?!a)",
    "\\Z",
    "\\cA",
    "\\x{10ffff}",
    "[[:alpha:]]",
    "(?P<n>a)(?P=n)",
    "(?>a+)b",
    "a++b",
    "(?#comment)a",
    "(?-i:a)",
    "\\Qa+\\E",
    "[a&&b]",
    "[a--b]",
    "{}",
    "a{,5}",
    "a{5,1}",
    "*a",
    "|||||",
    "^^^^$$$$",
    "\\",
    "(?",
    "a\u0000b",
    "💥{1,300}",
  ].map((pattern) => ({
    name: `names by the pattern ${JSON.stringify(pattern)}`,
    schema: {
      type: "object",
      patternProperties: { [pattern]: { type: "string" } },
      additionalProperties: false,
    },
    value: { [`${"a".repeat(3_000)}!`]: 1, "": 2 },
  })),
  ...[
    ...[
      "allOf",
      "anyOf",
      "oneOf",
      "not",
      "if",
      "items",
      "prefixItems",
      "contains",
      "properties",
      "propertyNames",
    ],
    ...[
      "patternProperties",
      "additionalProperties",
      "dependentSchemas",
      "dependentRequired",
      "unevaluatedProperties",
    ],
    ...[
      "unevaluatedItems",
      "enum",
      "const",
      "required",
      "$ref",
      "$dynamicRef",
      "$id",
      "$anchor",
      "$defs",
      "format",
    ],
  ].map((keyword) => ({
    name: `${keyword} of every kind of value, inside of one another`,
    schema: {
      [keyword]: [
        { [keyword]: { [keyword]: "#" } },
        { $ref: "#" },
        null,
        5,
        "x",
        { a: { [keyword]: [true, {}] } },
      ],
      type: ["object", "array", "string"],
      properties: { a: { [keyword]: { a: { $ref: "#" }, "": 1 } } },
    },
    value: { a: [{ a: {} }, "x", null], b: { a: "x" } },
  })),
  ...["allOf", "anyOf", "oneOf", "prefixItems", "enum", "required"].flatMap((keyword) =>
    [10, 300, 3_000].map((length) => ({
      name: `${keyword} of ${length}`,
      schema: {
        [keyword]: list(length, (index) =>
          keyword === "required" ? `n${index}` : { const: `c${index}`, maxLength: 5 },
        ),
      },
      value: keyword === "prefixItems" ? list(length, () => "c") : "c",
    })),
  ),
  ...["properties", "patternProperties", "dependentSchemas", "$defs"].flatMap((keyword) =>
    [10, 300, 3_000].map((length) => ({
      name: `${keyword} of ${length}`,
      schema: {
        [keyword]: named(length, (index) => [`p${index}`, { $ref: `#/${keyword}/p${(index + 1) % length}` }]),
      },
      value: named(length, (index) => [`p${index}`, { p0: {} }]),
    })),
  ),
  { name: "a type that is none", schema: { type: "nothing" }, value: 1 },
  { name: "types that are no list", schema: { type: { a: 1 } }, value: 1 },
  {
    name: "keywords of the wrong kind",
    schema: {
      minimum: "a",
      maxLength: [],
      required: 5,
      properties: 1,
      items: "x",
      enum: {},
      allOf: {},
      anyOf: null,
      not: 3,
    },
    value: { a: 1 },
  },
  {
    name: "negative and broken numbers",
    schema: { minLength: -1, maxItems: 1.5, multipleOf: 0, minimum: null },
    value: 5,
  },
  { name: "a multiple of nearly nothing", schema: { multipleOf: 5e-324 }, value: 1e308 },
  {
    name: "names of the prototype",
    schema: {
      properties: { __proto__: { type: "string" }, constructor: false },
      required: ["toString"],
      additionalProperties: false,
    },
    value: { constructor: 1 },
  },
  { name: "a reference to the prototype", schema: { $ref: "#/__proto__" }, value: 1 },
  { name: "a reference to a number", schema: { $ref: "#/maxLength", maxLength: 5 }, value: "abcdefgh" },
  { name: "a reference to elsewhere", schema: { $ref: "https://evil.example/schema" }, value: 1 },
  {
    name: "a dynamic reference to itself",
    schema: { $dynamicAnchor: "a", $dynamicRef: "#a" },
    value: { a: 1 },
  },
  {
    name: "a recursive reference",
    schema: { $recursiveAnchor: true, properties: { a: { $recursiveRef: "#" } } },
    value: { a: { a: {} } },
  },
  { name: "not of not of itself", schema: { not: { not: { $ref: "#" } } }, value: 1 },
  {
    name: "if that needs itself",
    schema: JSON.parse('{"if":{"$ref":"#"},"then":false,"else":true}'),
    value: 1,
  },
  { name: "5,000 alternatives", schema: { oneOf: list(5_000, (index) => ({ const: index })) }, value: -1 },
  {
    name: "alternatives inside alternatives",
    schema: {
      anyOf: list(30, () => ({
        anyOf: list(30, () => ({ anyOf: list(30, (index) => ({ const: index })) })),
      })),
    },
    value: "x",
  },
  {
    name: "dependencies of each other",
    schema: { dependentRequired: named(500, (index) => [`p${index}`, list(50, (other) => `p${other}`)]) },
    value: named(500, (index) => [`p${index}`, 1]),
  },
  {
    name: "3,000 enumerated objects",
    schema: { enum: list(3_000, (index) => ({ index, list: [index] })) },
    value: { index: -1 },
  },
  {
    name: "unique large objects",
    schema: { uniqueItems: true },
    value: list(300, (index) => named(100, (member) => [`m${member}`, index])),
  },
  {
    name: "contains on a long list",
    schema: { contains: { contains: { const: 1 } }, minContains: 1_000 },
    value: list(300, () => list(300, () => 0)),
  },
  {
    name: "names checked by alternatives",
    schema: { propertyNames: { anyOf: list(200, (index) => ({ const: `n${index}` })) } },
    value: named(5_000, (index) => [`m${index}`, 1]),
  },
  {
    name: "a value of 250 levels",
    schema: { $ref: "#/$defs/a", $defs: { a: { items: { $ref: "#/$defs/a" } } } },
    value: JSON.parse(`${"[".repeat(240)}${"]".repeat(240)}`),
  },
  { name: "a schema that says false", schema: false, value: 1 },
  {
    name: "a format of a megabyte of text",
    schema: { format: "email", maxLength: 10 },
    value: "a@".repeat(100_000),
  },
  {
    name: "a schema of another time",
    schema: {
      $schema: "http://json-schema.org/draft-03/schema#",
      extends: { $ref: "#" },
      divisibleBy: 0,
      disallow: "any",
    },
    value: 1,
  },
];

test("there are at least 150", () => {
  expect(cases.length).toBeGreaterThanOrEqual(150);
});

test.each(cases)(
  "an MCP tool with a hostile schema, $name: the call ends with a refusal or a result",
  async ({ name, schema, value }) => {
    // References inside the case count from its own root, which is put below the argument's definition.
    const text = JSON.stringify({ ...(typeof schema === "object" ? schema : { not: {} }) })
      .replaceAll('"#', '"#/properties/value')
      .replaceAll('"#/properties/valueanchor', '"#anchor');
    const tool = plainTool("go", {
      inputSchema: { type: "object", properties: { value: JSON.parse(text) } },
    });
    await using upstream = await startMcpUpstream([tool, plainTool("plain")]);
    await using system = await startSystem({ mcp: { mcp_url: `${upstream.url}/mcp` } }, { settings: room });
    // It may be left out of the list; the others have to be there.
    const names = system.gateway.snapshot.catalog.tools.map((one) => one.name);
    expect(names).toContain("mcp_plain");
    const outcome = await timed(name, async () => readMcp(await callModern(system.url, "mcp_go", { value })));
    expect(["result", "refused", "unknown"], outcome.text.slice(0, 500)).toContain(outcome.kind);
    expect(outcome.text.length).toBeLessThan(100_000);
    expect(readMcp(await callModern(system.url, "mcp_plain", {})).kind).toBe("result");
    expect(system.log.filter((line) => line.includes("failed"))).toEqual([]);
  },
);

test.each(cases.filter((_one, index) => index % 2 === 0))(
  "an OpenAPI body with a hostile schema, $name: the call ends with a refusal or a result",
  async ({ name, schema, value }) => {
    const document = {
      openapi: "3.1.0",
      info: { title: "a", version: "1" },
      paths: {
        "/go": {
          post: {
            operationId: "go",
            requestBody: {
              required: true,
              content: {
                "application/json": {
                  schema: { type: "object", properties: { value: { $ref: "#/components/schemas/Case" } } },
                },
              },
            },
            responses: {},
          },
        },
        "/plain": { post: { operationId: "plain", responses: {} } },
      },
      components: { schemas: { Case: schema } },
    };
    await using upstream = await startUpstream();
    await using system = await startSystem(
      { api: { surfaces: { openapi: { document: "./api.json", base_url: upstream.url } } } },
      { files: { "api.json": JSON.stringify(document) }, settings: room },
    );
    for (const given of [{ value }, { body: { value } }]) {
      const outcome = await timed(name, async () => readMcp(await callModern(system.url, "api_go", given)));
      expect(["result", "refused"], outcome.text.slice(0, 500)).toContain(outcome.kind);
    }
    expect(readMcp(await callModern(system.url, "api_plain", {})).kind).toBe("result");
    expect(system.log.filter((line) => line.includes("failed"))).toEqual([]);
  },
);
