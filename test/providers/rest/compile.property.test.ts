import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileSchema } from "../../../src/json-schema/compile-schema.ts";
import type { RestBodyConfig, RestOperationConfig, RestParameterConfig } from "../../../src/model/config.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../../../src/model/json.ts";
import { bindRequest } from "../../../src/providers/http/bind-request.ts";
import { describeRequest } from "../../../src/providers/http/describe-request.ts";
import { compileRest } from "../../../src/providers/rest/compile.ts";
import { bindingProblems, schemaProblems, validatorProblems } from "../openapi/check-operation.ts";

fc.configureGlobal({ seed: 20_261_120, numRuns: 300 });

const place = { file: "gestalt.yaml", line: 3, column: 5, endLine: 3, endColumn: 9 };

/** A schema and a value that it allows. */
interface Shape {
  readonly schema: JsonSchema;
  readonly value: JsonValue;
}

const names = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    "$filter",
    "ids[]",
    "body",
    "_instance",
    "a b",
    "ключ",
    "x".repeat(80),
    "__proto__",
  ),
  fc.string({ minLength: 1 }).filter((name) => name.isWellFormed()),
);

const plain: fc.Arbitrary<Shape> = fc.oneof(
  fc.integer().map((value) => ({ schema: { type: "integer" }, value })),
  fc.boolean().map((value) => ({ schema: { type: "boolean" }, value })),
  fc.constantFrom(1, 2).map((value) => ({ schema: { enum: [1, 2, "x"] }, value })),
);

const { shape } = fc.letrec<{ shape: Shape; list: Shape; object: Shape; union: Shape; referred: Shape }>(
  (tie) => ({
    shape: fc.oneof(
      { maxDepth: 3 },
      plain,
      fc.string().map((value) => ({ schema: { type: "string", maxLength: 1000 }, value })),
      tie("list"),
      tie("object"),
      tie("union"),
      tie("referred"),
    ),
    list: fc.tuple(tie("shape"), fc.boolean()).map(([{ schema, value }, open]) => ({
      schema: open ? { type: "array" } : { type: "array", items: schema },
      value: [value],
    })),
    object: fc
      .tuple(fc.dictionary(names, tie("shape"), { maxKeys: 4 }), fc.constantFrom(undefined, true, false))
      .map(([members, open]) => {
        const entries = Object.entries(members);
        return {
          schema: {
            type: "object",
            properties: Object.fromEntries(entries.map(([name, { schema }]) => [name, schema])),
            required: entries.map(([name]) => name),
            ...(open !== undefined && { additionalProperties: open }),
          },
          value: Object.fromEntries(entries.map(([name, { value }]) => [name, value])),
        };
      }),
    union: tie("shape").map(({ schema, value }) => ({
      schema: { oneOf: [schema, { type: "object", properties: { other: {} }, required: ["other"] }] },
      value,
    })),
    // What a schema refers to counts from the root of its own, so only roots refer.
    referred: tie("shape").map(({ schema, value }) => ({ schema: { allOf: [schema] }, value })),
  }),
);

const root: fc.Arbitrary<Shape> = fc.oneof(
  shape,
  shape.map(({ schema, value }) => ({ schema: { $defs: { it: schema }, $ref: "#/$defs/it" }, value })),
);

interface Given {
  readonly config: RestParameterConfig;
  readonly value: JsonValue;
}

function given(
  location: RestParameterConfig["in"],
  name: string,
  { schema, value }: Shape,
  changes: Partial<RestParameterConfig> = {},
): Given {
  const style = location === "path" || location === "header" ? "simple" : "form";
  const config: RestParameterConfig = {
    name,
    in: location,
    schema,
    style,
    explode: style === "form",
    required: location === "path",
    description: undefined,
    default: undefined,
    allowReserved: false,
    content: undefined,
    deprecated: false,
    place,
    ...changes,
  };
  return { config, value };
}

const flags = { required: fc.boolean(), deprecated: fc.boolean() };
const parameters = fc
  .tuple(
    fc.array(
      fc.tuple(names, root, fc.record({ ...flags, content: fc.constantFrom(undefined, "application/json") })),
    ),
    fc.array(fc.tuple(fc.constantFrom("X-A", "X-B", "a"), plain, fc.record(flags))),
    fc.array(fc.tuple(fc.constantFrom("a", "id"), plain)),
  )
  .map(([query, header, path]) => [
    ...unique(query).map(([name, value, changes]) => given("query", name, value, changes)),
    ...unique(header).map(([name, value, changes]) => given("header", name, value, changes)),
    ...unique(path).map(([name, value]) => given("path", name, value)),
  ]);

const contentTypes = fc.constantFrom(
  "application/json",
  "application/merge-patch+json",
  "application/x-www-form-urlencoded",
  "multipart/form-data",
);
const described = fc.record({
  contentType: contentTypes,
  required: fc.boolean(),
  description: fc.constant(undefined),
});
const members = fc
  .array(fc.tuple(names, root, fc.record(flags)), { minLength: 1, maxLength: 4 })
  .map((list) => unique(list).map(([name, value, changes]) => given("body", name, value, changes)));

/** A body with its value, as one schema or by its members. */
const body: fc.Arbitrary<{
  readonly config: RestBodyConfig;
  readonly members: readonly Given[];
  readonly value: JsonValue;
}> = fc.oneof(
  fc.tuple(described, root).map(([facts, { schema, value }]) => {
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    const contentType = isObject ? facts.contentType : "application/json";
    return { config: { ...facts, contentType, schema, encoding: {}, place }, members: [], value };
  }),
  fc.tuple(described, members).map(([facts, list]) => ({
    config: { ...facts, schema: undefined, encoding: {}, place },
    members: list,
    value: Object.fromEntries(list.map(({ config, value }) => [config.name, value])),
  })),
);

function unique<Entry extends readonly [string, ...(readonly unknown[])]>(
  entries: readonly Entry[],
): readonly Entry[] {
  return [...new Map(entries.map((entry) => [entry[0].toLowerCase(), entry])).values()];
}

function operationOf(list: readonly Given[], config: RestBodyConfig | undefined): RestOperationConfig {
  const variables = list.filter(({ config: { in: location } }) => location === "path");
  return {
    ...{ name: "run", method: "POST", title: undefined, description: undefined, tags: [], deprecated: false },
    path: `/run${variables.map(({ config: { name } }) => `/{${name}}`).join("")}`,
    ...{ annotations: {}, accept: undefined, outputSchema: undefined, responseMapping: undefined },
    ...{ pagination: undefined, connection: undefined, place },
    parameters: list.map((each) => each.config),
    body: config,
  };
}

describe("whatever is declared", () => {
  test("the tool is fit for clients, and what it asks for makes a request", () => {
    fc.assert(
      fc.property(parameters, fc.option(body, { nil: undefined }), root, (placed, sent, answer) => {
        const list = [...placed, ...(sent?.members ?? [])];
        const config = { ...operationOf(list, sent?.config), outputSchema: answer.schema };
        const surface = {
          kind: "rest",
          baseUrl: "https://api.example.com",
          connection: undefined,
          place,
        } as const;
        const { operations, diagnostics } = compileRest(
          { ...surface, operations: [config] },
          { headers: {}, managedParameters: [] },
        );
        expect(diagnostics).toEqual([]);
        const [operation] = operations;
        if (operation?.binding.kind !== "http") throw new Error("Nothing was compiled.");
        expect(schemaProblems(operation)).toEqual([]);
        expect(bindingProblems(operation)).toEqual([]);
        expect(validatorProblems(operation)).toEqual([]);

        const given = new Map<string, JsonValue>();
        for (const { argument, in: location, wireName } of describeRequest(operation.binding)) {
          const found = list.find(({ config: { in: at, name } }) => at === location && name === wireName);
          const value =
            wireName === undefined ? sent?.value : (found?.value ?? memberOf(sent?.value, wireName));
          if (value !== undefined) given.set(argument, value);
        }
        const args = Object.fromEntries(given);
        expect(compileSchema(operation.inputSchema).check(args)).toEqual([]);
        const request = bindRequest(operation.binding, args);
        expect(request.url).toMatch(/^https:\/\/api\.example\.com\/run/);
        if (operation.outputSchema !== undefined) {
          expect(compileSchema(operation.outputSchema).check(answer.value)).toEqual([]);
        }
      }),
    );
  });
});

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return undefined;
  const members: JsonObject = Object(value);
  return Object.hasOwn(members, name) ? members[name] : undefined;
}
