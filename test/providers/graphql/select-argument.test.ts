import fc from "fast-check";
import { buildSchema, parse, print, validate, visit } from "graphql";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import type { GraphqlBinding, Operation } from "../../../src/model/catalog.ts";
import type { JsonValue } from "../../../src/model/json.ts";
import { bindCall } from "../../../src/providers/graphql/bind-request.ts";
import { compileSchema } from "../../../src/providers/graphql/compile.ts";
import { checkSelected, readSelectArgument } from "../../../src/providers/graphql/select-argument.ts";
import { surfaceOf } from "./open-surface.ts";

const sdl = /* GraphQL */ `
  interface Node { id: ID! }
  type Query implements Node {
    id: ID!
    user(id: ID!): User
    users(first: Int): [User!]!
    node: Node
    select(select: String): User
    version: String
    self: Query
    secret: String
  }
  type Mutation { rename(id: ID!): RenamePayload }
  type RenamePayload { user: User query: Query }
  type User implements Node {
    id: ID!
    name(upper: Boolean): String
    friends(first: Int): [User!]!
    posts(first: Int): PostPage!
    friend(id: ID!): User
  }
  type PostPage { nodes: [Post!]! }
  type Post { title: String author: User comments(first: Int): PostPage }
`;

const schema = buildSchema(sdl);
const { operations } = await compileSchema(
  schema,
  surfaceOf("http://graphql.test/graphql", undefined, { selectArgument: true }),
);

function operationOf(id: string): Operation & { readonly binding: GraphqlBinding } {
  const found = operations.find((operation) => operation.id === id);
  if (found?.binding.kind !== "graphql") throw new Error(`There is no operation ${id}.`);
  return { ...found, binding: found.binding };
}

/** The document that is sent for a selection. */
function documentFor(id: string, select: JsonValue, args = {}): string {
  const { binding } = operationOf(id);
  const call = bindCall(binding, { [binding.select?.argument ?? ""]: select, ...args });
  if (call.selectedBy !== undefined) checkSelected(schema, call.document, call.selectedBy, call.variables);
  return call.document;
}

function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof GatewayError && error.code === "invalid_arguments") return error.message;
    throw error;
  }
  return "none";
}

describe("a selection takes the place of the default one", () => {
  test.each([
    ["with braces", "{ id name }", "{id name}"],
    ["without braces", "id name", "{id name}"],
    ["on several lines with comments", "# What I need\n id, # and\n name # done", "{id name}"],
    [
      "with aliases, arguments and fragments",
      "{ loud: name(upper: true) ... on User { id } }",
      "{loud:name(upper:true)...on User{id}}",
    ],
    ["with a variable of the operation", "{ friend(id: $id) { id } }", "{friend(id:$id){id}}"],
    ["with braces inside of a text", '{ friend(id: "} secret {") { id } }', '{friend(id:"} secret {"){id}}'],
  ])("%s", (_name, select, printed) => {
    expect(documentFor("user", select)).toBe(`query user($id: ID!) { user(id: $id) ${printed} }`);
  });

  test("absent or null means the default", () => {
    const { binding } = operationOf("user");
    expect(documentFor("user", null)).toBe(binding.document);
    expect(bindCall(binding, { id: "1" }).document).toBe(binding.document);
  });
});

describe("which operations take one", () => {
  test("those that return objects; the argument gets a name that is free", () => {
    const names = operations.map(({ id, binding }) => [
      id,
      binding.kind === "graphql" && binding.select?.argument,
    ]);
    expect(Object.fromEntries(names)).toEqual({
      id: undefined,
      user: "select",
      users: "select",
      node: "select",
      select: "_select",
      version: undefined,
      // A root type leads everywhere.
      self: undefined,
      secret: undefined,
      rename: "select",
    });
  });

  test("their schema says so, and what comes back then stays open", () => {
    const { inputSchema, outputSchema } = operationOf("user");
    expect(inputSchema).toMatchObject({
      properties: { select: { type: "string", description: expect.stringContaining("fields of `User`") } },
      required: ["id"],
    });
    expect(outputSchema).toMatchObject({ properties: { data: { properties: { user: {} } } } });
  });

  test("none without the setting, nor one whose selection the configuration settles", async () => {
    const fixed = {
      user: { text: "id", place: { file: "a", line: 1, column: 1, endLine: 1, endColumn: 2 } },
    };
    for (const settings of [{}, { selectArgument: true, fields: fixed }]) {
      const compiled = await compileSchema(schema, surfaceOf("", undefined, settings));
      const user = compiled.operations.find(({ id }) => id === "user");
      expect(user?.binding).toMatchObject({ select: undefined });
      expect(Object.keys(user?.inputSchema["properties"] ?? {})).toEqual(["id"]);
    }
  });
});

describe("what is no selection is refused with a reason", () => {
  test.each<[string, JsonValue, string]>([
    ["another type", 5, "It has to be a text"],
    ["nothing", "", "A selection set is empty."],
    ["an empty selection", "{ id friends { } }", "A selection set is empty."],
    ["a brace too many", "{ id } }", "closes more than it opens"],
    ["a way out of the field", "id } secret { id", "closes more than it opens"],
    ["a way out behind a comment", "id # {\n} secret {", "closes more than it opens"],
    ["a second selection", "{ id } { secret }", "more than one selection set"],
    ["a fragment definition", "{ id } fragment F on User { name }", "more than one selection set"],
    ["an operation", "query { secret }", 'Cannot query field "query" on type "User".'],
    ["an open brace", "{ id", "Expected Name, found <EOF>"],
    ["an open text", '{ friend(id: "a) { id } }', "Unterminated string"],
    ["characters that GraphQL does not know", "{ id ; name }", "Unexpected character"],
    ["a named fragment", "{ ...F }", "The fragment `F` does not exist."],
    ["a directive", "{ id @skip(if: true) }", "Directives (`@skip`)"],
    ["a directive on a fragment", "{ ... @include(if: true) { id } }", "Directives (`@include`)"],
    ["an unknown field", "{ nam }", 'Cannot query field "nam" on type "User". Did you mean "name"?'],
    ["a missing selection", "{ posts }", 'must have a selection of subfields. Did you mean "posts { ... }"?'],
    [
      "an unknown argument",
      "{ name(uper: true) }",
      'Unknown argument "uper" on field "User.name". Did you mean "upper"?',
    ],
    [
      "a variable of nobody",
      "{ friend(id: $other) { id } }",
      'Variable "$other" is not defined by operation "user".',
    ],
    ["introspection", "{ __schema { types { name } } }", 'Cannot query field "__schema" on type "User".'],
    ["fields in conflict", "{ a: id a: name }", 'Fields "a" conflict'],
    ["too long a text", `{ ${"id ".repeat(3000)} }`, "longer than 8192 characters"],
    ["too many fields", `{ ${"id ".repeat(301)} }`, "more than 300 fields"],
    [
      "many aliases of one field",
      `{ ${Array.from({ length: 21 }, (_, index) => `a${index}: id`).join(" ")} }`,
      "more than 20 aliases",
    ],
    [
      "lists inside of lists",
      "{ friends { friends { friends { friends { friends { id } } } } } }",
      "more than 50000 values",
    ],
    [
      "large pages inside of pages",
      "{ posts(first: 1000) { nodes { comments(first: 1000) { nodes { title } } } } }",
      "more than 50000 values",
    ],
    ["3,000 levels", "{friends".repeat(900), "nested more than 12 levels deep"],
    ["3,000 levels of a value", `{ friend(id: ${"[".repeat(3000)}`, "nested more than 12 levels deep"],
  ])("%s", (_name, select, reason) => {
    const message = refusalOf(() => documentFor("user", select));
    expect(message).toContain("The argument `select` can't be used.");
    expect(message).toContain(reason);
  });

  test("a page size counts also where a variable gives it", () => {
    const pages = "{ friends(first: $first) { friends(first: $first) { id } } }";
    expect(refusalOf(() => documentFor("users", pages, { first: 1000 }))).toContain("more than 50000 values");
    expect(documentFor("users", pages, { first: 10 })).toContain("$first");
  });

  test("several mistakes are told at once", () => {
    const message = refusalOf(() => documentFor("user", "{ nam postz }"));
    expect(message.split("\n")).toHaveLength(3);
  });

  test("a page of pages of a reasonable size is none of these", () => {
    const select = "{ posts(first: 50) { nodes { title comments(first: 50) { nodes { title } } } } }";
    expect(documentFor("user", select)).toContain("comments");
  });
});

describe("nothing leads back to the root of the API", () => {
  test.each([
    ["rename", "{ query { secret } }"],
    ["rename", "{ user { id } q: query { id } }"],
    ["node", "{ ... on Query { secret } }"],
    ["node", "{ ... on Node { ... on Query { id } } }"],
  ])("%s %s", (id, select) => {
    expect(refusalOf(() => documentFor(id, select))).toContain("leads back to the root of the API");
  });
});

test("a text without a schema is read without one, for previews", () => {
  expect(readSelectArgument("select", "{ anything }")).toBe("{anything}");
});

const pieces = fc.constantFrom(
  "{",
  "}",
  "id",
  "name",
  "secret",
  "friends",
  "self",
  "(first: 1)",
  "(id: $id)",
  "query",
  "mutation",
  "fragment F on User",
  "...F",
  "... on User",
  "... on Query",
  "@skip(if: true)",
  "a:",
  "#",
  "\n",
  '"',
  '"""',
  "\\",
  ",",
  "\uFEFF",
  "$id",
  "__typename",
);

const fine = "{ id friends { name friend(id: $id) { id } } }";

/** Texts made of what could lead out of a field, and a good one with such things in it. */
const hostileTexts = fc.oneof(
  fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(" ")),
  fc
    .array(fc.tuple(fc.nat(fine.length), pieces), { maxLength: 3 })
    .map((added) =>
      added.reduce((text, [at, piece]) => `${text.slice(0, at)} ${piece} ${text.slice(at)}`, fine),
    ),
);

test("whatever is accepted stays inside the one field that was called", () => {
  const own = parse("query user($id: ID!) { user(id: $id) }").definitions[0];
  let accepted = 0;
  fc.assert(
    fc.property(hostileTexts, (text) => {
      let document: string;
      try {
        document = documentFor("user", text);
      } catch (error) {
        expect(error).toMatchObject({ name: "GatewayError", code: "invalid_arguments" });
        return;
      }
      expect(validate(schema, parse(document))).toEqual([]);
      accepted += 1;
      const bare = visit(parse(document, { noLocation: true }), {
        Field: (field) => ({ ...field, selectionSet: undefined }),
      });
      expect(bare.definitions.map((definition) => print(definition))).toEqual([print(own ?? bare)]);
      expect(document).not.toMatch(/secret|self/);
    }),
    { numRuns: 2000, seed: 20_260_728 },
  );
  expect(accepted).toBeGreaterThan(100);
});
