import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { naughtyTexts } from "./naughty.ts";
import { measureSlices } from "./slices.ts";
import { callApi, callModern, readMcp, type System, startSystem } from "./system.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

const sdl = `
  interface Node { id: ID! }
  union Thing = User | Post
  type Query implements Node { id: ID! user(id: ID!, first: Int): User things: [Thing!]! secret: String }
  type User implements Node {
    id: ID! name: String! tags: [String!]! boss: User viewer: Query thing: Thing
    posts(first: Int, after: String): [Post!]! friends(first: Int): [User!]! note(key: String!, list: [[String]]): String
  }
  type Post implements Node { id: ID! title: String! author: User! }
  type Payload { ok: Boolean query: Query user: User }
  type Mutation { rename(id: ID!, name: String): Payload remove(id: ID!): Payload }
  type Subscription { renamed: User }
`;

const slices = measureSlices();
let upstream: Upstream;
let system: System;
let before = 0;

beforeAll(async () => {
  upstream = await startUpstream(({ body }, response) => {
    const { variables } = JSON.parse(body);
    response.end(JSON.stringify({ data: { user: null, rename: { ok: true, given: variables.name } } }));
  });
  const graphql = { url: upstream.url, schema: "./schema.graphql", select_argument: true };
  // What a request may be is not what is looked at here.
  const requests = { body_size: "16MiB", arguments_size: "16MiB", json_string: "16MiB" };
  system = await startSystem(
    { shop: { surfaces: { graphql } } },
    { files: { "schema.graphql": sdl }, settings: { limits: { requests } } },
  );
  // What is loaded and compiled once is no part of an attack.
  await callModern(system.url, "shop_user", { id: "1", select: "{ id }" });
});
afterAll(async () => {
  slices.print("selections and arguments of GraphQL calls");
  await system.close();
  await upstream[Symbol.asyncDispose]();
});
beforeEach(() => {
  before = upstream.seen.length;
});

const many = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_none, index) => make(index)).join(" ");
/** `a: boss { a: boss {…} b: boss {…} } b: boss {…}`: twice as many fields with each level. */
const doubling = (levels: number): string =>
  levels === 0 ? "id" : `a: boss { ${doubling(levels - 1)} } b: boss { ${doubling(levels - 1)} }`;

const attacks: Readonly<Record<string, readonly JsonValue[]>> = {
  "leaves its field": [
    "id } secret",
    "{ id } secret",
    "{ id } secret { id }",
    "{ id }, secret",
    "id } } query Evil { secret } fragment F on User { id",
    "{ id } } query Evil { secret",
    "} secret user2: user(id: 2) { id",
    "id } things { __typename",
    "{ id } mutation { remove(id: 1) { ok } }",
    "} } mutation Evil { remove(id: 1) { ok } } query B { user(id: 1) { id",
    "{ id } subscription { renamed { id } }",
    "query { secret }",
    "mutation { remove(id: 1) { ok } }",
    "subscription { renamed { id } }",
    "{ id } #\n } secret {",
    "id # }\n } secret { #",
    '{ note(key: "a") } secret',
    '{ note(key: """ """) } } { secret',
    '{ note(key: "\\") } secret { note(key: "") }',
    "{ id } { secret }",
    "{ id\u2028} secret",
    "{ id\r} secret",
    "\ufeff{ id } secret",
    "{ id } type Query { evil: String }",
    "{ id } schema { query: Mutation }",
    "{ id } extend type User { evil: String }",
    "(id: 2) { id }",
    "@include(if: true) { id }",
    ": user(id: 2) { id }",
  ],
  "returns to the root": [
    "{ viewer { secret } }",
    "{ viewer { user(id: 1) { id } } }",
    "{ boss { boss { viewer { secret } } } }",
    "{ ... on Query { secret } }",
    "{ ... on Mutation { remove(id: 1) { ok } } }",
    "{ thing { ... on Query { secret } } }",
    "{ ... on Node { ... on Query { secret } } }",
    "{ __schema { types { name } } }",
    '{ __type(name: "Query") { name } }',
    "{ v: viewer { __typename } }",
  ],
  "is an alias bomb": [
    `{ ${many(21, (index) => `a${index}: name`)} }`,
    `{ ${many(1_000, (index) => `a${index}: id`)} }`,
    `{ ${many(300, (index) => `a${index}: posts(first: 100) { id }`)} }`,
    `{ ${doubling(5)} }`,
    `{ ${doubling(7)} }`,
    "{ a: id a: name }",
    `{ ${many(20, (index) => `a${index}: friends(first: 100) { friends(first: 100) { id } }`)} }`,
  ],
  "is deep": [
    ...[13, 100, 900, 3_000, 50_000].map((levels) => `${"{boss".repeat(levels)}{id}${"}".repeat(levels)}`),
    ...[3_000, 30_000].map((levels) => "{boss".repeat(levels)),
    ...[100, 3_000, 100_000].map(
      (levels) => `{ note(key: "a", list: ${"[".repeat(levels)}${"]".repeat(levels)}) }`,
    ),
    `{ note(key: ${"{a:".repeat(1_000)}1${"}".repeat(1_000)}) }`,
    `${"... on User {".repeat(600)} id ${"}".repeat(600)}`,
    `{ ${"(".repeat(4_000)} }`,
    "}".repeat(8_000),
  ],
  "smuggles directives": [
    "{ id @include(if: true) }",
    "{ id @skip(if: false) }",
    "{ ... @defer { id } }",
    "{ ... on User @include(if: true) { id } }",
    "{ friends @stream(initialCount: 0) { id } }",
    '{ id @evil(text: "x") }',
    `{ id ${many(500, () => "@include(if: true)")} }`,
    "{ friends(first: 5) @connection { id } }",
  ],
  "smuggles fragments": [
    "{ ...F }",
    "{ ... F }",
    "{ ...F ...G }",
    "{ id ...user }",
    "{ ...__proto__ }",
    "{ ...F } fragment F on User { ...F }",
    "{ id } fragment F on Query { secret }",
    "fragment F on User { id } { id }",
    "{ ... on Nothing { id } }",
    "{ ... on Post { title } }",
    "{ ... on String { length } }",
  ],
  "is huge": [
    `{ ${"name ".repeat(2_000)} }`,
    `{ ${many(301, () => "id")} }`,
    `{ ${many(400, () => "id name")} }`,
    "x".repeat(1_000_000),
    " ".repeat(900_000),
    `{ id ${"#".repeat(9_000)}\n }`,
    `{ note(key: "${"x".repeat(9_000)}") }`,
    `{ ${many(310, (index) => `unknown${index}`)} }`,
    "{ friends(first: 100000) { id } }",
    "{ friends(first: 1000) { friends(first: 1000) { id } } }",
    "{ friends(first: -100000) { id } }",
    "{ friends { friends { friends { friends { friends { id } } } } } }",
    "{ friends(first: 99999999999999999999) { id } }",
    "{ friends(first: 1e9) { id } }",
  ],
  "smuggles variables": [
    "{ friends(first: $nope) { id } }",
    "{ note(key: $first) }",
    "{ note(key: $id, list: $id) }",
    "{ posts(first: $id) { id } }",
    "($evil: String) { id }",
    "{ id } ($evil: String)",
    "{ friends(first: $first) { friends(first: $first) { friends(first: $first) { id } } } }",
    "{ $id }",
    "{ $id: id }",
  ],
  "is no selection": [
    "",
    " ",
    "{",
    "}",
    "{}",
    "{ }",
    "{ boss { } }",
    "{ id boss }",
    "{ id { x } }",
    "# nothing",
    "{ ; }",
    "{ id \0 }",
    "{ id \u202e }",
    "{ \ud800 }",
    "{ iԁ }",
    "{ __proto__ }",
    "{ constructor }",
    "{ toString { id } }",
    5,
    true,
    [],
    ["{ id }"],
    {},
    { toString: "{ id }" },
  ],
};

const cases = Object.entries(attacks).flatMap(([kind, texts]) => texts.map((select) => ({ kind, select })));

test.each(cases.map(({ kind, select }) => ({ kind, select, shown: JSON.stringify(select).slice(0, 60) })))(
  "a selection that $kind is refused with a reason, and nothing is sent: $shown",
  async ({ kind, select, shown }) => {
    const given = { id: "1", first: 50, select };
    await slices.run(`${kind}: ${shown}`, async () => {
      for (const outcome of [
        readMcp(await callModern(system.url, "shop_user", given)),
        await callApi(system.url, "shop/user", given),
      ]) {
        expect([outcome.kind, outcome.code], outcome.text.slice(0, 500)).toEqual([
          "refused",
          "invalid_arguments",
        ]);
        expect(outcome.text).toContain("select");
        expect(outcome.text.length).toBeLessThan(5_000);
        expect(outcome.text).not.toMatch(/\.(?:ts|js):\d+|RangeError|TypeError|Maximum call stack/);
      }
    });
    expect(upstream.seen.length).toBe(before);
  },
);

/** What a request asked for, apart from its variables. */
function askedFor(body: string): { readonly query: string; readonly variables: JsonValue } {
  const { query, variables } = JSON.parse(body);
  return { query, variables };
}

test("whatever is given as an argument stays a value: the document never changes", async () => {
  const documents = new Set<string>();
  const syntax = [
    '") { id } secret #',
    '"}) { ok } remove(id: 1) { ok } #',
    '""" } secret """',
    "$id",
    "${id}",
    "{ id } secret",
    "@include(if: false)",
    "...F",
    "query { secret }",
    "null",
    "[1, 2]",
    "ENUM_VALUE",
  ];
  await slices.run("texts as arguments", async () => {
    for (const name of [...syntax, ...naughtyTexts].filter((text) => text.isWellFormed())) {
      const outcome = readMcp(await callModern(system.url, "shop_rename", { id: name, name }));
      expect([name.slice(0, 50), outcome.kind]).toEqual([name.slice(0, 50), "result"]);
      const { query, variables } = askedFor(upstream.seen.at(-1)?.body ?? "{}");
      documents.add(query);
      expect(variables).toEqual({ id: name, name });
    }
  });
  expect([...documents]).toEqual([
    expect.stringMatching(
      /^mutation rename\(\$id: ID!, \$name: String\) \{ rename\(id: \$id, name: \$name\)/,
    ),
  ]);
});

const strangers: readonly JsonObject[] = [
  { query: "{ secret }" },
  { operationName: "evil" },
  { variables: { id: "2" } },
  { extensions: { persistedQuery: { version: 1, sha256Hash: "0" } } },
  { documentId: "evil" },
  { id: { toString: "1" } },
  { id: ["1"] },
  { constructor: "x" },
  JSON.parse('{"__proto__":{"select":"{ viewer { secret } }"}}'),
];

test.each(strangers)("what a request consists of can't be given as an argument: %j", async (given) => {
  const outcome = readMcp(await callModern(system.url, "shop_user", { id: "1", ...given }));
  // A name that means something to programs makes no message.
  const code = Object.hasOwn(given, "__proto__") ? "-32600" : "invalid_arguments";
  expect([outcome.kind, outcome.code]).toEqual(["refused", code]);
  expect(upstream.seen.length).toBe(before);
});

test("a selection that keeps inside its field is sent", async () => {
  const select = "{ a: boss { friends(first: $first) { id ... on Node { id } } } thing { __typename } }";
  const outcome = readMcp(await callModern(system.url, "shop_user", { id: "1", first: 5, select }));
  expect(outcome.kind, outcome.text).toBe("result");
  expect(upstream.seen.length).toBe(before + 1);
});

test("none of it held the thread up", () => {
  // A generous bound: a selection is at most 8 KB, and parsing 10 MB of JSON is one piece of work.
  expect(slices.worst()).toBeLessThan(20);
});
