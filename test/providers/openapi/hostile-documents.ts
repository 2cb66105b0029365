import type { JsonValue } from "../../../src/model/json.ts";

/** An API description that is made to be expensive. */
export interface HostileDocument {
  readonly name: string;
  readonly text: () => string;
  /** What a caller might send for its schema. */
  readonly value: JsonValue;
}

/** Descriptions that cost too much where they are taken without a budget. */
export function hostileDocuments(): readonly HostileDocument[] {
  return [
    body("a union of 2,000 branches", () => ({ oneOf: numbered(2_000, objectOf) })),
    body("2,000 branches of 2,000 branches", () => ({
      anyOf: numbered(2_000, () => ({ $ref: "#/components/schemas/wide" })),
      schemas: { wide: { anyOf: numbered(2_000, objectOf) } },
    })),
    body("allOf of 2,000 schemas", () => ({ allOf: numbered(2_000, objectOf) })),
    body("allOf in a ladder: 2 to the 30th ways", () => ({
      $ref: "#/components/schemas/s0",
      schemas: ladder(30, (next) => ({ allOf: [next, next] })),
    })),
    body("oneOf in a ladder: 2 to the 30th ways", () => ({
      $ref: "#/components/schemas/s0",
      schemas: ladder(30, (next) => ({ oneOf: [next, { type: "object", properties: { next } }] })),
    })),
    body("properties in a ladder: 3 to the 30th ways", () => ({
      $ref: "#/components/schemas/s0",
      schemas: ladder(30, (next) => ({ type: "object", properties: { a: next, b: next, c: next } })),
    })),
    body("allOf and properties in a ladder: 22 to the 40th ways", () => ({
      $ref: "#/components/schemas/s0",
      schemas: ladder(40, (next) => ({
        allOf: [next, next],
        properties: Object.fromEntries(numbered(20, (index) => [`p${index}`, next])),
      })),
    })),
    body("a chain of 10,000 schemas", () => ({
      $ref: "#/components/schemas/s0",
      schemas: ladder(10_000, (next) => ({ type: "object", properties: { next } })),
    })),
    body("a chain of 10,000 references", () => ({
      $ref: "#/components/schemas/s0",
      schemas: ladder(10_000, (next) => next),
    })),
    body("a chain of 10,000 allOf", () => ({
      $ref: "#/components/schemas/s0",
      schemas: ladder(10_000, (next) => ({ allOf: [next], properties: { own: { type: "string" } } })),
    })),
    body("300 schemas that all contain each other", () => ({
      $ref: "#/components/schemas/s0",
      schemas: Object.fromEntries(
        numbered(300, (index) => [
          `s${index}`,
          {
            type: "object",
            properties: Object.fromEntries(
              numbered(300, (other) => [`p${other}`, { $ref: `#/components/schemas/s${other}` }]),
            ),
          },
        ]),
      ),
    })),
    body("a discriminator with 2,000 children", () => ({
      $ref: "#/components/schemas/base",
      schemas: {
        base: {
          type: "object",
          discriminator: { propertyName: "kind" },
          properties: { kind: { type: "string" } },
        },
        ...Object.fromEntries(
          numbered(2_000, (index) => [
            `child${index}`,
            { allOf: [{ $ref: "#/components/schemas/base" }, objectOf(index)] },
          ]),
        ),
      },
    })),
    body("an enum of 100,000 texts", () => ({
      type: "string",
      enum: numbered(100_000, (index) => `value ${index}`),
    })),
    body("5,000 patterns that backtrack", () => ({
      type: "object",
      properties: Object.fromEntries(
        numbered(5_000, (index) => [
          `p${index}`,
          { type: "string", pattern: `^(a+)+${index}$|([a-z]+)*x{1,50}` },
        ]),
      ),
    })),
    body("a pattern that is large", () => ({ type: "string", pattern: `(${"(a|b)*".repeat(20_000)})+$` })),
    body("20,000 properties", () => ({
      type: "object",
      properties: Object.fromEntries(numbered(20_000, (index) => [`p${index}`, { type: "string" }])),
    })),
    body("names of a megabyte", () => ({
      type: "object",
      properties: { ["n".repeat(1_000_000)]: { type: "string" }, [`${"n".repeat(1_000_000)}2`]: {} },
    })),
    body("a description of 5 MB", () => ({ type: "string", description: "<b>*word* ".repeat(500_000) })),
    document("10,000 parameters of one operation", () => ({
      get: {
        parameters: numbered(10_000, (index) => ({
          name: `p[${index}]`,
          in: "query",
          schema: { type: "string" },
        })),
        responses: {},
      },
    })),
    document("10,000 answers of one operation", () => ({
      get: {
        responses: Object.fromEntries(
          numbered(10_000, (index) => [
            `${200 + index}`,
            { content: { [`application/${index}+json`]: { schema: objectOf(index) } } },
          ]),
        ),
      },
    })),
    document("10,000 tags and servers", () => ({
      get: {
        tags: numbered(10_000, (index) => `tag ${index}`),
        servers: numbered(10_000, (index) => ({
          url: `https://{v}.example.com/${index}`,
          variables: { v: { default: "x" } },
        })),
        security: numbered(10_000, (index) => ({ [`scheme ${index}`]: [] })),
        responses: {},
      },
    })),
    {
      name: "a path of 20,000 variables",
      text: () =>
        JSON.stringify({
          openapi: "3.1.0",
          paths: { [`/${"{a}-{b}/".repeat(10_000)}`]: { get: { responses: {} } } },
        }),
      value: "",
    },
    {
      name: "5,000 operations of one name",
      text: () =>
        JSON.stringify({
          openapi: "3.1.0",
          paths: Object.fromEntries(
            numbered(5_000, (index) => [
              `/p${index}`,
              { get: { operationId: "same", summary: "Same.", responses: {} } },
            ]),
          ),
        }),
      value: "",
    },
    {
      name: "YAML that only the patient parser takes",
      text: () =>
        `openapi: 3.1.0\npaths: {}\nx: &a {<<: {b: 1}}\ninfo:\n  description: "one\ntwo"\n${numbered(3_000, (index) => `x-${index}: !odd {a: [1, 2], b: "text"}`).join("\n")}\n`,
      value: "",
    },
    {
      name: "YAML aliases that grow",
      text: () =>
        `openapi: 3.1.0\nx0: &a0 [1, 2]\n${numbered(30, (index) => `x${index + 1}: &a${index + 1} [*a${index}, *a${index}]`).join("\n")}\npaths: {}\n`,
      value: "",
    },
    {
      name: "60,000 empty objects",
      text: () => `{"openapi":"3.1.0","paths":{},"x":[${"{},".repeat(60_000)}{}]}`,
      value: "",
    },
    {
      name: "brackets that never close",
      text: () => `openapi: 3.1.0\nx: ${"[".repeat(100_000)}`,
      value: "",
    },
  ];
}

function numbered<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function objectOf(index: number): object {
  return {
    type: "object",
    properties: { [`p${index}`]: { type: "string", minLength: 1 } },
    required: [`p${index}`],
  };
}

/** Schemas `s0` to the last, each made of a reference to the next. */
function ladder(count: number, make: (next: object) => object): Readonly<Record<string, object>> {
  return Object.fromEntries(
    numbered(count + 1, (index) => [
      `s${index}`,
      index === count ? { type: "string" } : make({ $ref: `#/components/schemas/s${index + 1}` }),
    ]),
  );
}

/** A document whose only operation takes and gives a schema; `schemas` beside it are its components. */
function body(name: string, schema: () => { readonly schemas?: object } & object): HostileDocument {
  return document(name, () => {
    const { schemas, ...own } = schema();
    const content = { "application/json": { schema: own } };
    return {
      post: {
        parameters: [{ name: "q", in: "query", schema: own }],
        requestBody: { content },
        responses: { 200: { content } },
      },
      schemas,
    };
  });
}

function document(
  name: string,
  item: () => { readonly schemas?: object | undefined } & object,
): HostileDocument {
  return {
    name,
    text: () => {
      const { schemas, ...pathItem } = item();
      return JSON.stringify({ openapi: "3.1.0", paths: { "/x": pathItem }, components: { schemas } });
    },
    value: { next: { next: "x" }, p1: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", a: { b: { c: "x" } } },
  };
}
