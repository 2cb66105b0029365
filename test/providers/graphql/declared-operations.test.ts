import { createHash } from "node:crypto";
import { buildSchema, parse, validate } from "graphql";
import { describe, expect, test } from "vitest";
import type { GraphqlOperationConfig, GraphqlSurface } from "../../../src/model/config.ts";
import { compileSchema } from "../../../src/providers/graphql/compile.ts";
import { shopSdl } from "./graphql-server.ts";
import { surfaceOf, surfacePlace } from "./open-surface.ts";

const schema = buildSchema(shopSdl);

function operation(text: string, settings: Partial<GraphqlOperationConfig> = {}): GraphqlOperationConfig {
  return {
    source: { kind: "text", text, place: surfacePlace },
    operation: undefined,
    name: undefined,
    description: undefined,
    fixed: {},
    hidden: [],
    persisted: undefined,
    place: surfacePlace,
    ...settings,
  };
}

/** As if each stood in a file of its own. */
function inFile(config: GraphqlOperationConfig): GraphqlOperationConfig {
  return { ...config, source: { kind: "file", path: "/shop.graphql", place: surfacePlace } };
}

async function compile(
  configs: readonly GraphqlOperationConfig[],
  settings: Partial<GraphqlSurface> = { queries: "declared", mutations: "declared" },
) {
  const sources = configs.map((config) => ({
    config: config.source.kind === "text" && config.name !== "inline" ? inFile(config) : config,
    name: "shop.graphql",
    text: config.source.kind === "text" ? config.source.text : "",
  }));
  const surface = surfaceOf("http://graphql.test/graphql", undefined, settings);
  const compiled = await compileSchema(schema, { ...surface, operations: configs }, sources);
  const bindings = compiled.operations.map(({ binding }) => {
    if (binding.kind !== "graphql") throw new Error("Not a GraphQL binding.");
    return binding;
  });
  return { ...compiled, bindings };
}

const shopDocument = /* GraphQL */ `
# The titles on offer.
# At most as many as asked for.
query Titles($limit: Int! = 5, $filter: Filter) {
  items(filter: $filter, limit: $limit) { ...Title }
}

# Not about the next one.

"""Adds a book."""
mutation AddOne("Its title." $title: String!, $pages: Int) {
  addBook(book: { title: $title, pages: $pages }) { ...Title pages price { ...Price } }
  again: addBook(book: { title: $title, tags: ["again"] }) { id }
}

query Person($id: ID!) { person(id: $id) { name } }

fragment Title on Item { id title }
fragment Price on Money { amount }
fragment Unused on Money { currency }
`;

describe("a document with several operations", () => {
  test("gives each of them, with the fragments that it uses", async () => {
    const { operations, bindings, diagnostics } = await compile([operation(shopDocument)]);
    expect(diagnostics).toEqual([]);
    expect(
      operations.map(({ id, method, tags, annotations, place }) => [
        id,
        method,
        tags,
        annotations.readOnlyHint,
        place?.line,
      ]),
    ).toEqual([
      ["Titles", "query", ["query"], true, 4],
      ["AddOne", "mutation", ["mutation"], false, 11],
      ["Person", "query", ["query"], true, 16],
    ]);
    for (const { document } of bindings) expect(validate(schema, parse(document))).toEqual([]);
    expect(bindings[0]?.document).toBe(
      "query Titles($limit:Int!=5$filter:Filter){items(filter:$filter limit:$limit){...Title}}fragment Title on Item{id title}",
    );
    expect(bindings[1]?.document).toContain("fragment Price on Money");
    expect(bindings.map(({ document }) => document).join()).not.toMatch(/Unused|Its title|Adds a book/);
  });

  test("describes them by their comment, their description, else their root field", async () => {
    const { operations } = await compile([operation(shopDocument)]);
    expect(operations.map(({ description }) => description)).toEqual([
      "The titles on offer.\nAt most as many as asked for.",
      "Adds a book.",
      "GraphQL query `person`, which returns `Person`.",
    ]);
  });

  test("makes arguments of their variables", async () => {
    const { operations, bindings } = await compile([operation(shopDocument)]);
    expect(operations[0]?.inputSchema).toMatchObject({
      properties: {
        limit: { type: "integer", default: 5 },
        filter: { anyOf: [{ $ref: "#/$defs/Filter" }, { type: "null" }] },
      },
      additionalProperties: false,
    });
    expect(operations[0]?.inputSchema["required"]).toBeUndefined();
    expect(operations[1]?.inputSchema).toMatchObject({
      properties: {
        title: { type: "string", description: "Its title." },
        pages: { type: ["integer", "null"] },
      },
      required: ["title"],
    });
    expect(bindings[1]?.variables).toEqual([
      { argument: "title", name: "title", type: "String!" },
      { argument: "pages", name: "pages", type: "Int" },
    ]);
    expect(operations[1]?.outputSchema).toMatchObject({
      properties: {
        data: { properties: { addBook: { properties: { price: {} } }, again: { properties: { id: {} } } } },
      },
    });
  });

  test("or the one that is asked for, under another name", async () => {
    const { operations, bindings } = await compile([
      operation(shopDocument, { operation: "Person", name: "who", description: "Who it is." }),
    ]);
    expect(operations.map(({ id, description }) => [id, description])).toEqual([["who", "Who it is."]]);
    expect(bindings[0]?.operationName).toBe("Person");
  });
});

test("values from the configuration are sent and are no arguments; hidden variables are neither", async () => {
  const { operations, bindings } = await compile([
    operation(shopDocument, {
      operation: "Titles",
      fixed: { filter: { title: "a", status: "OPEN" } },
      hidden: ["limit"],
    }),
  ]);
  expect(operations[0]?.inputSchema["properties"]).toEqual({});
  expect(bindings[0]).toMatchObject({ fixed: { filter: { title: "a", status: "OPEN" } }, variables: [] });
});

test("an operation without a name takes that of the configuration", async () => {
  const { operations, bindings } = await compile([operation("{ exact }", { name: "the-number" })]);
  expect(operations[0]?.id).toBe("the-number");
  expect(bindings[0]).toMatchObject({ operationName: "the_number", document: "query the_number{exact}" });
});

test("a declared operation takes the place of a generated one of its name", async () => {
  const { operations } = await compile([operation("query Items { items { title } }")], {});
  expect(operations.filter(({ id }) => id.toLowerCase() === "items").map(({ id }) => id)).toEqual(["Items"]);
  expect(operations.map(({ id }) => id)).toContain("search");
});

describe("what stands for the document on the wire", () => {
  const text = "query Number { exact }";
  const sent = "query Number{exact}";
  test.each([
    [
      { kind: "hash", hash: "sha256" },
      { kind: "hash", hash: createHash("sha256").update(sent).digest("hex") },
    ],
    [
      { kind: "hash", hash: "a".repeat(64) },
      { kind: "hash", hash: "a".repeat(64) },
    ],
    [
      { kind: "id", id: "number-v1" },
      { kind: "id", id: "number-v1" },
    ],
  ] as const)("%j", async (persisted, expected) => {
    const { bindings } = await compile([operation(text, { persisted })]);
    expect(bindings[0]?.persisted).toEqual(expected);
  });
});

describe("mistakes are reported where they stand", () => {
  const at = (line: number, column: number) => ({ file: "shop.graphql", line, column });
  test.each<[string, GraphqlOperationConfig, object, string, string]>([
    [
      "a syntax error",
      operation("query A {\n  exact(\n}"),
      at(3, 1),
      "document-syntax",
      'Expected Name, found "}"',
    ],
    [
      "an unknown field",
      operation("query A {\n  exakt\n}"),
      at(2, 3),
      "invalid-operation",
      'Cannot query field "exakt" on type "Query". Did you mean "exact"?',
    ],
    [
      "an unknown fragment",
      operation("query A { items { ...B } }"),
      at(1, 22),
      "invalid-operation",
      'Unknown fragment "B".',
    ],
    [
      "fragments in a circle",
      operation("query A { items { ...B } } fragment B on Item { ...B }"),
      at(1, 49),
      "invalid-operation",
      'Cannot spread fragment "B" within itself.',
    ],
    [
      "a wrong type of variable",
      operation("query A($id: Int) { person(id: $id) { id } }"),
      at(1, 9),
      "invalid-operation",
      'Variable "$id" of type "Int" used in position expecting type "ID!".',
    ],
    [
      "an empty selection",
      operation("query A {\n  items { }\n}"),
      at(2, 9),
      "invalid-operation",
      "A selection of the operation `A` is empty.",
    ],
    [
      "no operation",
      operation("fragment B on Item { id }"),
      surfacePlace,
      "invalid-operation",
      "holds no operation",
    ],
    [
      "another operation",
      operation("query A { exact }", { operation: "B" }),
      surfacePlace,
      "invalid-operation",
      "holds no operation `B`. It holds `A`.",
    ],
    ["no name", operation("{ exact }"), at(1, 1), "invalid-operation", "The operation has no name."],
    [
      "a subscription",
      operation("subscription A { exact }"),
      at(1, 14),
      "invalid-operation",
      "`A` is a subscription",
    ],
    [
      "an unknown variable",
      operation("query A($id: ID!) { person(id: $id) { id } }", { fixed: { idd: 1 } }),
      surfacePlace,
      "invalid-operation",
      "has no variable `idd`.",
    ],
    [
      "an impossible value",
      operation("query A($id: ID!) { person(id: $id) { id } }", { fixed: { id: true } }),
      surfacePlace,
      "invalid-operation",
      "The variable `id` of `A` can't have this value: ",
    ],
    [
      "a required variable that is hidden",
      operation("query A($id: ID!) { person(id: $id) { id } }", { hidden: ["id"] }),
      surfacePlace,
      "invalid-operation",
      "The variable `id` of `A` can't be hidden",
    ],
    [
      "a name for several",
      operation(shopDocument, { name: "all" }),
      surfacePlace,
      "invalid-operation",
      "The document holds several operations",
    ],
    [
      "a mistake in the configuration itself",
      operation("query {\n  exakt\n}", { name: "inline" }),
      surfacePlace,
      "invalid-operation",
      "`inline` (line 2, column 3 of the document): Cannot query",
    ],
    [
      "a document nested beyond reason",
      operation(`query A ${"{ a ".repeat(20_000)}`),
      surfacePlace,
      "document-syntax",
      "nested more than 200 levels deep",
    ],
  ])("%s", async (_name, config, place, code, message) => {
    const { operations, diagnostics } = await compile([config]);
    expect(operations).toEqual([]);
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]).toMatchObject({ severity: "error", code, place });
    expect(diagnostics[0]?.message).toContain(message);
  });

  test("two operations of one name", async () => {
    const { operations, diagnostics } = await compile([
      operation("query A { exact }"),
      operation("query a { exact }"),
    ]);
    expect(operations.map(({ id }) => id)).toEqual(["A"]);
    expect(diagnostics).toMatchObject([{ code: "duplicate-operation", place: at(1, 7) }]);
  });

  test("a mutation where there are to be none", async () => {
    const { diagnostics } = await compile([operation("mutation A { removeItem(id: 1) }")], {
      mutations: "none",
    });
    expect(diagnostics).toMatchObject([
      { code: "invalid-operation", message: expect.stringContaining("`mutations: none`") },
    ]);
  });
});

describe("exposure", () => {
  const fields = { search: { text: "... on Book { id }", place: surfacePlace } };
  test.each([
    [
      "all of both",
      {},
      ["items", "search", "person", "echo", "exact", "broken", "partial", "addBook", "removeItem"],
    ],
    [
      "no mutations",
      { mutations: "none" },
      ["items", "search", "person", "echo", "exact", "broken", "partial"],
    ],
    [
      "declared queries, by a document or by a selection",
      { queries: "declared", fields },
      ["A", "search", "addBook", "removeItem"],
    ],
    ["declared ones only", { queries: "declared", mutations: "declared" }, ["A"]],
  ] as const)("%s", async (_name, settings, expected) => {
    const documents = expected[0] === "A" ? [operation("query A { exact }")] : [];
    const { operations } = await compile(documents, settings);
    expect(operations.map(({ id }) => id)).toEqual(expected);
  });
});

describe("selections of the configuration", () => {
  const compileFields = (texts: Readonly<Record<string, string>>) => {
    const fields = Object.entries(texts).map(([name, text]) => [name, { text, place: surfacePlace }]);
    return compile([], { fields: Object.fromEntries(fields) });
  };

  test("take the place of generated ones, as they are written", async () => {
    const { operations, bindings, diagnostics } = await compileFields({
      person: "id who: name books(first: 2) { nodes { title } }",
      items: "{ __typename ... on Book { pages } }",
    });
    expect(diagnostics).toEqual([]);
    const documents = Object.fromEntries(
      bindings.map(({ operationName, document }) => [operationName, document]),
    );
    expect(documents["person"]).toBe(
      "query person($id: ID!) { person(id: $id) {id who:name books(first:2){nodes{title}}} }",
    );
    expect(documents["items"]).toContain("{__typename ...on Book{pages}}");
    expect(operations.find(({ id }) => id === "person")?.outputSchema).toMatchObject({
      properties: { data: { properties: { person: { properties: { who: { type: ["string", "null"] } } } } } },
    });
  });

  test.each([
    [
      "an unknown field",
      { person: "nam" },
      'Cannot query field "nam" on type "Person". Did you mean "name"?',
    ],
    ["a way out", { person: "id } exact {" }, "closes more than it opens"],
    ["a selection for a value", { exact: "id" }, "must not have a selection"],
    [
      "an unknown root field",
      { persn: "id" },
      "The schema has no root field `persn`, so its selection is of no use. Did you mean `person`?",
    ],
  ])("with %s are errors, and the field is left out", async (_name, texts, message) => {
    const { operations, diagnostics } = await compileFields(texts);
    expect(diagnostics).toMatchObject([
      { severity: "error", code: "invalid-operation", place: surfacePlace },
    ]);
    expect(diagnostics[0]?.message).toContain(message);
    expect(operations.map(({ id }) => id)).not.toContain(Object.keys(texts)[0]);
  });
});
