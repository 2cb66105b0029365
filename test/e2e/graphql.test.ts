import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { Client as ClientV2, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Ajv2020 } from "ajv/dist/2020.js";
import { buildSchema, graphqlSync, introspectionFromSchema } from "graphql";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { type System, startSystem } from "../attack/system.ts";
import { listen } from "../upstream/loopback.ts";
import { connectClient, type TestClient, type ToolResult } from "./connect-clients.ts";
import { type GraphqlBookshop, startBookshop } from "./graphql-bookshop.ts";

const sdl = await readFile("examples/upstream/schema.graphql", "utf8");
const introspected = introspectionFromSchema(buildSchema(sdl));

const operationsFile = `
  # The newest books of an author.
  query BooksOf($author: ID!, $withPrice: Boolean = false) {
    author(id: $author) { name books { ...Short price @include(if: $withPrice) { amount } } }
  }
  mutation Note($book: ID!, $text: String, $colour: NoteColour!) {
    noteOnBook(bookId: $book, note: $text, colour: $colour) { text colour change }
  }
  fragment Short on Book { id title }
`;

const genreQuery = `
  # Titles of one genre.
  query Titles($genre: Genre!, $first: Int! = 2, $after: String) {
    books(filter: { genres: [$genre] }, first: $first, after: $after) { totalCount edges { node { title } } }
  }`;
const priceQuery = "query Price($id: ID!) { book(id: $id) { price { amount } } }";

let shop: GraphqlBookshop;
let system: System;
let modern: TestClient;
let legacy: TestClient;

beforeAll(async () => {
  shop = await startBookshop();
  const { url } = shop;
  const graphql = (settings: object, more: object = {}): object => ({
    ...more,
    surfaces: { graphql: { url, ...settings } },
  });
  const schema = "./schema.graphql";
  system = await startSystem(
    {
      shop: graphql({
        fields: { author: "{ title: name books { title } }" },
        scalars: { Date: { type: "string", pattern: "^[0-9-]{10}$", description: "A day." } },
      }),
      chosen: graphql({ schema, select_argument: true, mutations: "none" }),
      written: graphql({
        schema,
        queries: "declared",
        mutations: "declared",
        operations: [
          { document: genreQuery, name: "titles", variables: { first: 1 }, hidden: ["after"] },
          { file: "./operations.graphql" },
          { document: priceQuery, persisted: "sha256" },
          {
            document: "query EditionsOfShelf($shelf: String!) { shelf(name: $shelf) { name } }",
            document_id: "editions-of-a-shelf/1",
          },
          { document: "query Unknown { gifts { __typename } }", document_id: "nobody-knows" },
        ],
      }),
      bare: graphql({ schema: "./bare.json", mutations: "none" }),
      enveloped: graphql({ schema: "./enveloped.json", queries: "none" }),
      picked: graphql({ schema }, { select: { include: ["book*", "tag:mutation"], exclude: ["add*"] } }),
      allowed: graphql(
        { schema },
        { allowed_operations: { "*Edition": {}, editions: { alias: "all_editions" } } },
      ),
      staff: graphql(
        { schema, connection: "token" },
        {
          connections: {
            token: {
              mode: "identity",
              auth: { type: "bearer", credentials: [{ name: "token", value: "${env:SHOP_TOKEN}" }] },
            },
          },
          select: { include: ["salesReport"] },
        },
      ),
    },
    {
      files: {
        "schema.graphql": sdl,
        "operations.graphql": operationsFile,
        "bare.json": JSON.stringify(introspected),
        "enveloped.json": JSON.stringify({ data: introspected }),
      },
      environment: { SHOP_TOKEN: "demo-token" },
    },
  );
  modern = await connectClient("SDK v2, modern", system.url);
  legacy = await connectClient("SDK v1", system.url);
});
afterAll(async () => {
  await modern?.close();
  await legacy?.close();
  await system?.close();
  await shop?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  shop.seen.length = 0;
});

/** Calls over `/mcp` with both clients and over the HTTP API, which have to agree, and returns what came of it. */
async function callEverywhere(provider: string, operation: string, given: JsonObject): Promise<ToolResult> {
  const tool = `${provider}_${operation}`;
  const result = await modern.callTool(tool, { ...given });
  const old = await legacy.callTool(tool, { ...given });
  const api = await fetch(`${system.url}/api/v1/${provider}/${operation}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(given),
  });
  expect(old.text).toBe(result.text);
  expect(old.structured).toEqual(result.structured);
  if (!result.isError) expect(await api.text()).toBe(result.text);
  return result;
}

/** The parameters of the request before last, and so on. */
function sent(index = -1): { readonly [name: string]: JsonValue } {
  return asObject(JSON.parse(shop.seen.at(index)?.body ?? "null")) ?? {};
}

async function toolNames(prefix: string): Promise<readonly string[]> {
  const tools = await modern.listTools();
  return tools.flatMap(({ name }) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
}

async function schemaOf(tool: string): Promise<JsonObject> {
  const found = (await modern.listTools()).find(({ name }) => name === tool);
  return JSON.parse(JSON.stringify(found?.inputSchema ?? null));
}

test("everything compiles, and nothing is to be mended", () => {
  expect(system.diagnostics).toEqual([]);
});

describe("which tools there are", () => {
  const queries =
    "author authors book books edition editions findBooks gifts order salesReport search shelf stocktaking";
  const mutations =
    "addCover addCovers addReview cancelOrder describeEdition noteOnBook placeOrder removeReview";

  test.each([
    [
      "introspection: all root fields, but no subscription and nothing of the federation",
      "shop",
      `${queries} ${mutations}`,
    ],
    ["an SDL file, without mutations", "chosen", queries],
    ["the JSON of an introspection result, bare", "bare", queries],
    ["the answer that holds one, without queries", "enveloped", mutations],
    ["declared operations only", "written", "BooksOf EditionsOfShelf Note Price Unknown titles"],
    [
      "select, by name and tag",
      "picked",
      "book books cancelOrder describeEdition noteOnBook placeOrder removeReview",
    ],
    ["allowed_operations, by pattern and alias", "allowed", "all_editions describeEdition"],
  ])("%s", async (_name, provider, names) => {
    expect([...(await toolNames(`${provider}_`))].sort()).toEqual(names.split(" ").sort());
  });

  test("hints tell queries from mutations, and what adds from what may destroy", async () => {
    const client = new ClientV2({ name: "test", version: "1.0.0" });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${system.url}/mcp`)));
    const { tools } = await client.listTools();
    await client.close();
    const hints = (name: string) => tools.find((tool) => tool.name === name)?.annotations;
    expect(hints("shop_book")).toMatchObject({ readOnlyHint: true, destructiveHint: false });
    expect(hints("shop_addReview")).toMatchObject({ readOnlyHint: false, destructiveHint: false });
    expect(hints("shop_cancelOrder")).toMatchObject({ readOnlyHint: false, destructiveHint: true });
  });
});

describe("generated operations", () => {
  test("return two levels of fields", async () => {
    const { structured } = await callEverywhere("shop", "book", { id: "frankenstein" });
    expect(structured).toMatchObject({
      data: { book: { title: "Frankenstein", author: { name: "Mary Shelley" }, price: { currency: "EUR" } } },
    });
    expect(sent()["variables"]).toEqual({ id: "frankenstein" });
  });

  test("return what `fields` says in place of that", async () => {
    const { structured } = await callEverywhere("shop", "author", { id: "jane-austen" });
    expect(structured).toEqual({
      data: {
        author: { title: "Jane Austen", books: [{ title: "Pride and Prejudice" }, { title: "Emma" }] },
      },
    });
  });

  test("page through a connection with edges", async () => {
    const first = asObject(
      JSON.parse((await callEverywhere("shop", "books", { first: 5, sort: "PUBLISHED" })).text),
    );
    const page = asObject(asObject(first?.["data"])?.["books"]);
    expect(page).toMatchObject({ totalCount: 12, edges: { length: 5 }, pageInfo: { hasNextPage: true } });
    const after = asObject(page?.["pageInfo"])?.["endCursor"] ?? "";
    const last = await callEverywhere("shop", "books", { first: 10, sort: "PUBLISHED", after });
    expect(last.structured).toMatchObject({
      data: { books: { edges: { length: 7 }, pageInfo: { hasNextPage: false } } },
    });
  });

  test("page through a connection with nodes, and give a page size below the root where one is needed", async () => {
    const page = await callEverywhere("shop", "editions", { first: 2 });
    expect(page.structured).toMatchObject({
      data: { editions: { totalCount: 3, nodes: { length: 2 }, pageInfo: { hasNextPage: true } } },
    });
    const { structured } = await callEverywhere("shop", "shelf", { name: "emma" });
    expect(sent()["query"]).toContain("editions(first: 10)");
    expect(structured).toMatchObject({
      data: { shelf: { name: "emma", editions: { totalCount: 2, pageInfo: { hasNextPage: false } } } },
    });
  });

  test("return every type of a union under the schema's own names, whatever aliases it took", async () => {
    const { text, structured } = await callEverywhere("shop", "gifts", {});
    expect(sent()["query"]).toMatch(/Audiobook_length: ?length/);
    expect(sent()["query"]).toMatch(/Voucher_added: ?added/);
    expect(text).not.toContain("_length");
    expect(structured).toMatchObject({
      data: {
        gifts: [
          { __typename: "Hardcover", length: 474 },
          { __typename: "Audiobook", length: "PT16H2M", reader: "Juliet" },
          { __typename: "Hardcover", length: 280 },
          { __typename: "Voucher", worth: 20, added: "2026-10-01" },
        ],
      },
    });
    expect(shop.seen[0]?.body).not.toContain("code");
  });
});

describe("inputs", () => {
  test("that contain themselves", async () => {
    const schema = await schemaOf("shop_findBooks");
    expect(JSON.stringify(schema)).toContain('"$ref":"#/$defs/Condition"');
    const where = {
      any: [{ all: [{ genre: "NOVEL" }, { publishedBefore: "1814-01-01" }] }, { titleHas: "Grass" }],
      not: { titleHas: "Emma" },
    };
    const { structured } = await callEverywhere("shop", "findBooks", { where });
    expect(structured).toMatchObject({
      data: { findBooks: [{ title: "Leaves of Grass" }, { title: "Pride and Prejudice" }] },
    });
    const refused = await callEverywhere("shop", "findBooks", {
      where: { not: { not: { genre: "NOVELLA" } } },
    });
    expect(refused).toMatchObject({ isError: true, text: expect.stringContaining("not.not.genre") });
  });

  test.each([
    [{ id: "emma-read" }, "emma-read"],
    [{ isbn: "97800000000000000001" }, "emma-bound"],
    [{ copy: { shelf: "emma" } }, "emma-bound"],
    [{ copy: { shelf: "emma", position: 2 } }, "emma-read"],
  ])("of which one member is given, with defaults inside: %j", async (by, id) => {
    const { structured } = await callEverywhere("shop", "edition", { by });
    expect(structured).toMatchObject({ data: { edition: { id } } });
  });

  test.each([{}, { id: "emma-read", isbn: "1" }, { id: null }])(
    "of which one member is given: %j is refused before it is sent",
    async (by) => {
      expect((await callEverywhere("shop", "edition", { by })).isError).toBe(true);
      expect(shop.seen).toEqual([]);
    },
  );

  test("that are left out and that are null are different things", async () => {
    const note = async (given: JsonObject) => {
      const result = await modern.callTool("shop_noteOnBook", { bookId: "emma", ...given });
      return asObject(asObject(JSON.parse(result.text))?.["data"])?.["noteOnBook"];
    };
    expect(await note({ note: "Sold by weight." })).toMatchObject({ change: "written", colour: "YELLOW" });
    expect(sent()["variables"]).toEqual({ bookId: "emma", note: "Sold by weight." });
    expect(await note({ colour: "PINK" })).toMatchObject({
      change: "kept",
      text: "Sold by weight.",
      colour: "PINK",
    });
    expect(await note({ note: null })).toMatchObject({ change: "removed", text: null });
    expect(sent()["variables"]).toEqual({ bookId: "emma", note: null });
  });

  test("that can't be null may be left out where they have a default", async () => {
    const schema = await schemaOf("shop_noteOnBook");
    expect(schema["required"]).toEqual(["bookId"]);
    expect((await modern.callTool("shop_noteOnBook", { bookId: "emma", colour: null })).isError).toBe(true);
  });

  test("enums say what their values mean", async () => {
    const { properties } = await schemaOf("shop_noteOnBook");
    expect(asObject(properties)?.["colour"]).toMatchObject({
      enum: ["YELLOW", "PINK"],
      default: "YELLOW",
      description: expect.stringContaining("PINK: For the staff."),
    });
  });

  test("custom scalars are what `scalars` says of them, what is known of them, or anything", async () => {
    const { properties } = await schemaOf("shop_authors");
    expect(asObject(properties)?.["bornAfter"]).toMatchObject({
      description: "A day.",
      pattern: "^[0-9-]{10}$",
    });
    expect((await modern.callTool("shop_authors", { bornAfter: "lately" })).isError).toBe(true);
    expect(shop.seen).toEqual([]);
    // `chosen` has no such map: there the server refuses.
    const refused = await modern.callTool("chosen_authors", { bornAfter: "lately" });
    expect(refused).toMatchObject({ isError: true, text: expect.stringContaining("A Date looks like") });
    expect(shop.seen).toMatchObject([{ status: 400 }]);
  });

  test.each([null, "text", 1.5, ["a", { b: null }], { deep: { list: [1, 2] } }])(
    "JSON goes there and back: %j",
    async (details) => {
      const { structured } = await callEverywhere("shop", "describeEdition", { id: "emma-read", details });
      expect(structured).toMatchObject({ data: { describeEdition: { details } } });
    },
  );

  test("GraphQL in a text stays a text", async () => {
    const text = '") { id } evil: books { totalCount } #\\" $id @include(if: true) """';
    const { structured } = await callEverywhere("shop", "search", { text });
    expect(structured).toEqual({ data: { search: [] } });
    expect(sent()["variables"]).toEqual({ text });
    expect(sent()["query"]).not.toContain("evil");
  });
});

describe("long numbers", () => {
  const long = "97800000000000000001";

  test("keep their digits in answers, also in those that are written anew because of aliases", async () => {
    const { text } = await callEverywhere("shop", "edition", { by: { id: "emma-bound" } });
    expect(text).toContain(`"isbn":${long}`);
    expect((await callEverywhere("shop", "gifts", {})).text).toContain(`"isbn":${long}`);
  });

  test("are given as texts; as numbers they are refused, not rounded", async () => {
    const api = (isbn: string): Promise<Response> =>
      fetch(`${system.url}/api/v1/shop/edition`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: `{"by":{"isbn":${isbn}}}`,
      });
    expect(await (await api(`"${long}"`)).text()).toContain('"id":"emma-bound"');
    const refused = await api(long);
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain("send it as a string");
    expect(shop.seen).toHaveLength(1);
  });
});

describe("declared operations", () => {
  test("from the configuration, with one variable fixed and one never sent", async () => {
    const { properties } = await schemaOf("written_titles");
    expect(Object.keys(properties ?? {})).toEqual(["genre"]);
    const { structured } = await callEverywhere("written", "titles", { genre: "POETRY" });
    expect(structured).toEqual({
      data: { books: { totalCount: 1, edges: [{ node: { title: "Leaves of Grass" } }] } },
    });
    expect(sent()["variables"]).toEqual({ genre: "POETRY", first: 1 });
    const tools = await modern.listTools();
    expect(tools.find(({ name }) => name === "written_titles")?.description).toBe("Titles of one genre.");
  });

  test("from a file, with a fragment and a directive of its own", async () => {
    const given = { author: "walt-whitman", withPrice: true };
    const { structured } = await callEverywhere("written", "BooksOf", given);
    expect(structured).toEqual({
      data: {
        author: {
          name: "Walt Whitman",
          books: [{ id: "leaves-of-grass", title: "Leaves of Grass", price: { amount: 11 } }],
        },
      },
    });
    const noted = await modern.callTool("written_Note", { book: "emma", text: "Hm.", colour: "PINK" });
    expect(noted.structured).toEqual({
      data: { noteOnBook: { text: "Hm.", colour: "PINK", change: "written" } },
    });
  });

  test("by their hash: the document goes along once, when the server does not have it", async () => {
    const call = () => modern.callTool("written_Price", { id: "emma" });
    const document = "query Price($id:ID!){book(id:$id){price{amount}}}";
    const sha256Hash = createHash("sha256").update(document).digest("hex");
    expect((await call()).structured).toEqual({ data: { book: { price: { amount: 8.9 } } } });
    expect(shop.seen).toHaveLength(2);
    expect(sent(0)).not.toHaveProperty("query");
    expect(sent(1)).toMatchObject({
      query: document,
      extensions: { persistedQuery: { version: 1, sha256Hash } },
    });
    expect((await call()).structured).toEqual({ data: { book: { price: { amount: 8.9 } } } });
    expect(shop.seen).toHaveLength(3);
    expect(sent(2)).not.toHaveProperty("query");
  });

  test("by their id: the document never goes along", async () => {
    const { structured } = await callEverywhere("written", "EditionsOfShelf", { shelf: "emma" });
    expect(structured).toMatchObject({ data: { shelf: { name: "emma", editions: { totalCount: 2 } } } });
    expect(sent()).toMatchObject({ documentId: "editions-of-a-shelf/1", variables: { shelf: "emma" } });
    const unknown = await callEverywhere("written", "Unknown", {});
    expect(unknown).toMatchObject({
      isError: true,
      text: expect.stringContaining("PERSISTED_QUERY_NOT_FOUND"),
    });
    expect(shop.seen.some(({ body }) => body.includes('"query"'))).toBe(false);
  });
});

describe("the select argument", () => {
  test("says what comes back, aliases included", async () => {
    const select = "{ nodes { number: isbn ... on Audiobook { reader } } pageInfo { endCursor } }";
    const { structured } = await callEverywhere("chosen", "editions", { first: 2, select });
    expect(structured).toMatchObject({
      data: { editions: { nodes: [{}, { number: expect.any(Number), reader: "Juliet" }] } },
    });
  });

  test("is refused with what is wrong about it, and nothing is sent", async () => {
    const result = await callEverywhere("chosen", "book", { id: "emma", select: "{ titel }" });
    expect(result).toMatchObject({ isError: true, text: expect.stringContaining('Did you mean "title"') });
    expect(shop.seen).toEqual([]);
  });
});

describe("files", () => {
  const content = "It was a dark and stormy night.";
  const base64 = Buffer.from(content).toString("base64");
  const sha256 = createHash("sha256").update(content).digest("hex");

  test.each([
    ["base64", base64, { mediaType: "application/octet-stream", fileName: "file" }],
    [
      "a data URI",
      `data:image/png;name=cover.png;base64,${base64}`,
      { mediaType: "image/png", fileName: "cover.png" },
    ],
    [
      "the contents of a resource",
      { blob: base64, mimeType: "image/webp", uri: "file:///covers/a%20b.webp" },
      { mediaType: "image/webp", fileName: "a b.webp" },
    ],
    ["a text", { text: content, mimeType: "text/markdown", name: "c.md" }, { fileName: "c.md" }],
  ])("as %s", async (_name, file, expected) => {
    const { structured, text } = await callEverywhere("shop", "addCover", { bookId: "emma", file });
    expect(structured, text).toMatchObject({
      data: { addCover: { bookId: "emma", bytes: content.length, sha256, ...expected } },
    });
    expect(shop.seen[0]?.headers["content-type"]).toMatch(/^multipart\/form-data/);
  });

  test("several of them, inside of inputs", async () => {
    const covers = [
      { bookId: "emma", file: base64, caption: "front" },
      { bookId: "mrs-dalloway", file: { text: "x", name: "back.txt" } },
    ];
    const { structured } = await callEverywhere("shop", "addCovers", { covers });
    expect(structured).toMatchObject({
      data: {
        addCovers: [
          { caption: "front", sha256 },
          { bytes: 1, fileName: "back.txt", caption: null },
        ],
      },
    });
  });
});

describe("answers", () => {
  test("with data and errors keep both", async () => {
    const { structured, isError, text } = await callEverywhere("shop", "book", {
      id: "twenty-thousand-leagues-under-the-seas",
    });
    expect(isError).toBe(false);
    expect(structured).toMatchObject({
      data: { book: { title: "Twenty Thousand Leagues Under the Seas", wholesalePrice: null } },
      errors: [{ path: ["book", "wholesalePrice"], extensions: { code: "INTERNAL_SERVER_ERROR" } }],
    });
    expect(shop.seen[0]?.answer).toContain("stacktrace");
    expect(text).not.toMatch(/stacktrace|\.ts:/);
  });

  test("whose root field is null because of an error have failed, with the error's code", async () => {
    const { isError, text } = await callEverywhere("shop", "stocktaking", {});
    expect(isError).toBe(true);
    expect(text).toContain("The list of the last stocktaking is lost.");
    expect(text).toContain('"code":"LOST"');
    expect(text).not.toMatch(/stacktrace|\.ts:/);
  });

  test("whose root field is null without an error have not", async () => {
    const { isError, structured } = await callEverywhere("shop", "book", { id: "none" });
    expect({ isError, structured }).toEqual({ isError: false, structured: { data: { book: null } } });
  });

  test("without any data have failed", async () => {
    const { isError, text } = await callEverywhere("shop", "cancelOrder", { id: "order-2" });
    expect(isError).toBe(true);
    expect(text).toContain('"code":"CONFLICT"');
  });

  test("with a status of their own keep it", async () => {
    const { isError, text } = await callEverywhere("shop", "salesReport", {});
    expect(isError).toBe(true);
    expect(text).toMatch(/HTTP 403[\s\S]*"code":"FORBIDDEN"/);
    const api = await fetch(`${system.url}/api/v1/shop/salesReport`);
    expect(api.status).toBe(403);
    expect(await api.text()).not.toMatch(/stacktrace|\.ts:/);
    // With the credential that it asks for, the same field answers.
    const allowed = await callEverywhere("staff", "salesReport", {});
    expect(allowed).toMatchObject({
      isError: false,
      structured: { data: { salesReport: expect.any(Array) } },
    });
  });

  test("fit the output schema that the tool has", async () => {
    const client = new ClientV2({ name: "test", version: "1.0.0" });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${system.url}/mcp`)));
    const { tools } = await client.listTools();
    await client.close();
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    for (const [name, given] of [
      ["shop_gifts", {}],
      ["shop_editions", {}],
      ["shop_book", { id: "twenty-thousand-leagues-under-the-seas" }],
      ["chosen_book", { id: "emma", select: "{ x: title }" }],
      ["written_titles", { genre: "NOVEL" }],
    ] as const) {
      const { outputSchema } = tools.find((tool) => tool.name === name) ?? {};
      const isValid = ajv.compile(JSON.parse(JSON.stringify(outputSchema)));
      const { structured } = await modern.callTool(name, given);
      expect(outputSchema, name).toBeDefined();
      expect([name, isValid(structured), isValid.errors]).toEqual([name, true, null]);
    }
  });
});

test("servers that know only plain JSON are understood as well", async () => {
  const schema = buildSchema("type Query { hello(name: String): String! }");
  await using upstream = await listen(
    createServer(async (request, response) => {
      let text = "";
      for await (const chunk of request) text += String(chunk);
      const { query, variables } = JSON.parse(text);
      const rootValue = {
        hello: ({ name }: { readonly name?: string }) => {
          if (name === undefined) throw new Error("Who?");
          return `Hello, ${name}.`;
        },
      };
      const result = graphqlSync({ schema, source: query, rootValue, variableValues: variables });
      response.writeHead(200, { "content-type": "text/plain" }).end(JSON.stringify(result));
    }),
  );
  await using own = await startSystem({ old: { surfaces: { graphql: { url: upstream.url } } } });
  const client = await connectClient("SDK v1", own.url);
  expect(await client.callTool("old_hello", { name: "Ada" })).toMatchObject({
    isError: false,
    structured: { data: { hello: "Hello, Ada." } },
  });
  expect(await client.callTool("old_hello", {})).toMatchObject({
    isError: true,
    text: expect.stringContaining("Who?"),
  });
  await client.close();
});

test("a schema that has changed reaches clients that listen", async () => {
  let fields = "first: String";
  await using upstream = await listen(
    createServer(async (request, response) => {
      let text = "";
      for await (const chunk of request) text += String(chunk);
      const { query } = JSON.parse(text);
      const schema = buildSchema(`type Query { ${fields} }`);
      const result = graphqlSync({ schema, source: query, rootValue: { first: "1", second: "2" } });
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result));
    }),
  );
  await using own = await startSystem(
    { live: { surfaces: { graphql: { url: upstream.url, refresh: "1m" } } } },
    {
      adjust: (config) => ({
        ...config,
        providers: config.providers.map((provider) => ({
          ...provider,
          surfaces: provider.surfaces.map((surface) =>
            surface.kind === "graphql" ? { ...surface, refresh: 50 } : surface,
          ),
        })),
      }),
    },
  );
  let changes = 0;
  const client = new ClientV2(
    { name: "test", version: "1.0.0" },
    {
      versionNegotiation: { mode: { pin: "2026-07-28" } },
      listChanged: {
        tools: {
          autoRefresh: false,
          debounceMs: 0,
          onChanged: () => {
            changes += 1;
          },
        },
      },
    },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(`${own.url}/mcp`)));
  const names = async (): Promise<readonly string[]> =>
    (await client.listTools(undefined, { cacheMode: "refresh" })).tools.map(({ name }) => name);
  expect(await names()).toEqual(["live_first"]);
  fields = "first: String second: String";
  await expect.poll(() => changes, { timeout: 20_000 }).toBeGreaterThan(0);
  expect(await names()).toEqual(["live_first", "live_second"]);
  const called = await client.callTool({ name: "live_second", arguments: {} });
  expect(called.structuredContent).toEqual({ data: { second: "2" } });
  await client.close();
});
