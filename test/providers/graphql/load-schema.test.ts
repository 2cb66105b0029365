import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSchema, introspectionFromSchema } from "graphql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Secret } from "../../../src/secret.ts";
import { buildShop, type Loopback, serveGraphql, serveText, shopSdl } from "./graphql-server.ts";
import { surfaceOf, surfacePlace, withSurface } from "./open-surface.ts";
import { asGraphql } from "./survey-tools.ts";

const closers: (() => Promise<void>)[] = [];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "graphql-schema-"));
});
afterAll(async () => {
  for (const close of closers) await close();
  await rm(folder, { recursive: true });
});

async function started(starting: Promise<Loopback>): Promise<Loopback> {
  const server = await starting;
  closers.push(server.close);
  return server;
}

/** Opens a surface whose endpoint is never asked, with a schema file of this content. */
async function openFile(name: string, content: string) {
  const path = join(folder, name);
  await writeFile(path, content);
  return withSurface(
    surfaceOf("http://127.0.0.1:9/graphql", path),
    { workingDirectory: folder },
    async (opened) => opened,
  );
}

/** Opens a surface by introspection. */
function openEndpoint(url: string) {
  return withSurface(surfaceOf(url), {}, async (opened) => opened);
}

const shopIds = ["items", "search", "person", "echo", "exact", "broken", "partial", "addBook", "removeItem"];

describe("a schema file", () => {
  const shop = buildSchema(shopSdl);
  const introspection = introspectionFromSchema(shop, { inputValueDeprecation: true });
  test.each([
    ["SDL", "shop.graphql", shopSdl],
    ["SDL behind a byte order mark", "shop-bom.graphql", `\uFEFF${shopSdl}`],
    ["a bare introspection result", "shop.json", JSON.stringify(introspection)],
    [
      "an introspection result in data",
      "shop-data.json",
      JSON.stringify({ data: introspection }, undefined, 2),
    ],
  ])("as %s", async (_name, file, content) => {
    const { operations, diagnostics, origin } = await openFile(file, content);
    expect(operations.map(({ id }) => id)).toEqual(shopIds);
    expect(diagnostics).toEqual([]);
    expect(origin).toBe("declared");
  });

  test("gives the same operations as SDL and as introspection result, but for places", async () => {
    const fromSdl = await openFile("shop.graphql", shopSdl);
    const fromJson = await openFile("shop.json", JSON.stringify(introspection));
    expect(fromJson.operations).toEqual(
      fromSdl.operations.map((operation) => ({ ...operation, place: undefined })),
    );
  });

  test("that live servers serve although it breaks a rule of the specification", async () => {
    const sdl =
      "interface Named { name: String } type Query implements Named { name: String @deprecated } input Empty";
    const { operations } = await openFile("lenient.graphql", sdl);
    expect(operations.map(({ id }) => id)).toEqual(["name"]);
  });

  test("that extends types it does not define, as parts of a federation do, defines them", async () => {
    const sdl = `
      extend schema { query: Root }
      extend type Root { node(by: By, mode: Mode, at: Day): Node thing: Thing }
      extend interface Node { id: ID! }
      extend union Thing = Book
      extend type Book implements Node { id: ID! }
      extend input By { id: ID! }
      extend enum Mode { FAST }
      extend scalar Day @specifiedBy(url: "https://day.test")
    `;
    const { operations, diagnostics } = await openFile("extended.graphql", sdl);
    expect(diagnostics).toEqual([]);
    expect(operations.map(({ id, binding }) => [id, asGraphql(binding).document])).toEqual([
      [
        "node",
        "query node($by: By, $mode: Mode, $at: Day) { node(by: $by, mode: $mode, at: $at) { __typename id } }",
      ],
      ["thing", "query thing { thing { __typename ... on Book { id } } }"],
    ]);
  });

  test("whose directives take types that only a federation knows is read without those directives", async () => {
    const sdl = `
      directive @key(fields: federation__FieldSet!) repeatable on OBJECT
      directive @tone(loud: Boolean) on QUERY
      type Query { me: User }
      type User @key(fields: "id") { id: ID }
    `;
    const { operations, diagnostics } = await openFile("directives.graphql", sdl);
    expect(diagnostics).toEqual([]);
    expect(operations.map(({ id }) => id)).toEqual(["me"]);
  });

  test("whose default values are not written as GraphQL writes them is read without those", async () => {
    const sdl = "type Query { find(count: Int = 3, by: By = { id: 1 }): Int } input By { id: Int = 5 }";
    const json = JSON.stringify(introspectionFromSchema(buildSchema(sdl)))
      .replace('"defaultValue":"{ id: 1 }"', '"defaultValue":"{id=1}"')
      .replace('"defaultValue":"5"', '"defaultValue":""');
    const { operations, diagnostics } = await openFile("defaults.json", json);
    expect(diagnostics).toEqual([]);
    expect(operations[0]?.inputSchema["properties"]).toEqual({
      count: { type: ["integer", "null"], default: 3 },
      by: {
        type: ["object", "null"],
        properties: { id: { type: ["integer", "null"] } },
        additionalProperties: false,
      },
    });
  });

  test.each([
    [
      "a syntax error",
      "broken.graphql",
      "type Query {\n  pets: [Pet!\n}\n",
      "document-syntax",
      { file: "broken.graphql", line: 3, column: 1 },
      'The schema is not valid GraphQL SDL: Expected "]", found "}".',
    ],
    [
      "an unknown type",
      "unknown.graphql",
      "type Query {\n  pet: Pet\n}\n",
      "unresolved-reference",
      { file: "unknown.graphql", line: 2, column: 8, endColumn: 11 },
      "The schema uses the type `Pet` but does not declare it. Declare it, such as by `scalar Pet`, or add the file that does.",
    ],
    [
      "no root type",
      "rootless.graphql",
      "type Pet { name: String }\n",
      "document-unsupported",
      { file: "rootless.graphql", line: 1, column: 1 },
      "The schema has neither a query nor a mutation type",
    ],
    [
      "JSON that breaks off",
      "broken.json",
      '{"__schema": {',
      "document-syntax",
      { file: "broken.json", line: 1, column: 1 },
      "The introspection result is not valid JSON: ",
    ],
    [
      "other JSON",
      "openapi.json",
      '{"openapi": "3.1.0"}',
      "document-unsupported",
      { file: "openapi.json", line: 1, column: 1 },
      "The document is JSON without a `__schema`",
    ],
    [
      "an incomplete introspection result",
      "partial.json",
      '{"__schema": {"queryType": {"name": "Query"}, "types": [], "directives": []}}',
      "document-unsupported",
      { file: "partial.json", line: 1, column: 1 },
      "The introspection result is incomplete: ",
    ],
    [
      "a schema nested beyond reason",
      "deep.graphql",
      `type Query { deep: ${"[".repeat(50_000)}String${"]".repeat(50_000)} }`,
      "document-syntax",
      { file: "deep.graphql", line: 1, column: 1 },
      "it is nested too deeply",
    ],
  ])("with %s is an error at its place", async (_name, file, content, code, place, message) => {
    const { operations, diagnostics } = await openFile(file, content);
    expect(operations).toEqual([]);
    expect(diagnostics).toEqual([expect.objectContaining({ severity: "error", code })]);
    expect(diagnostics[0]?.place).toMatchObject(place);
    expect(diagnostics[0]?.message).toContain(message);
  });

  test("that does not exist is an error where it is named", async () => {
    const surface = surfaceOf("http://127.0.0.1:9/graphql", join(folder, "none.graphql"));
    const { diagnostics } = await withSurface(
      surface,
      { workingDirectory: folder },
      async (opened) => opened,
    );
    expect(diagnostics).toMatchObject([{ code: "document-not-found", place: surfacePlace }]);
  });

  test("at a URL", async () => {
    const server = await started(
      serveText(() => ({ status: 200, headers: {}, text: "type Query { one: Int }" })),
    );
    const surface = {
      ...surfaceOf(server.url),
      schema: { kind: "url", url: server.url, place: surfacePlace },
    } as const;
    const { operations } = await withSurface(surface, {}, async (opened) => opened);
    expect(operations.map(({ id }) => id)).toEqual(["one"]);
  });
});

describe("introspection", () => {
  test("asks the endpoint with the gateway's own credential", async () => {
    const server = await started(serveGraphql({ schema: buildShop(), rootValue: {} }));
    const credential = {
      reference: undefined,
      headers: { authorization: new Secret("Bearer own") },
      query: {},
    };
    const { operations, origin } = await withSurface(
      surfaceOf(server.url),
      { credential },
      async (opened) => opened,
    );
    expect(operations.map(({ id }) => id)).toEqual(shopIds);
    expect(origin).toBe("upstream");
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer own"]);
  });

  test("asks an older server for what it knows", async () => {
    const introspection = JSON.stringify({ data: introspectionFromSchema(buildShop(), { oneOf: false }) });
    const server = await started(
      serveText((seen) =>
        seen.body.query.includes("isOneOf")
          ? { status: 400, headers: {}, text: '{"errors":[{"message":"Unknown field isOneOf."}]}' }
          : { status: 200, headers: {}, text: introspection },
      ),
    );
    const { operations } = await openEndpoint(server.url);
    expect(operations.map(({ id }) => id)).toEqual(shopIds);
    expect(server.requests).toHaveLength(2);
  });

  test("that is disabled is an error that names the way out", async () => {
    const server = await started(serveGraphql({ schema: buildShop(), rootValue: {}, introspection: false }));
    const { operations, diagnostics } = await openEndpoint(server.url);
    expect(operations).toEqual([]);
    expect(diagnostics).toMatchObject([
      { severity: "error", code: "document-unreadable", place: surfacePlace },
    ]);
    expect(diagnostics[0]?.message).toContain(
      `\`${server.url}\` does not tell its schema: introspection is disabled`,
    );
    expect(diagnostics[0]?.message).toContain('It said: "GraphQL introspection has been disabled');
    expect(diagnostics[0]?.message).toContain("Set `schema:` to an SDL file");
  });

  test.each([
    [
      "an HTML page",
      200,
      { "content-type": "text/html; charset=utf-8" },
      "<!doctype html>",
      "with status 200 and an HTML page",
    ],
    [
      "nothing that is known",
      404,
      { "content-type": "text/plain" },
      "Not found",
      "with status 404 and `text/plain`",
    ],
    [
      "JSON of another kind",
      200,
      { "content-type": "application/json" },
      '{"ok":true}',
      "is not a GraphQL endpoint",
    ],
    [
      "a refusal",
      401,
      { "content-type": "application/json" },
      '{"errors":[{"message":"no"}]}',
      "refused the introspection query with status 401",
    ],
    [
      "a redirect",
      308,
      { location: "https://example.com/graphql" },
      "",
      'redirects to "https://example.com/graphql"',
    ],
  ])("answered by %s is an error", async (_name, status, headers, text, message) => {
    const server = await started(serveText(() => ({ status, headers, text })));
    const { operations, diagnostics } = await openEndpoint(server.url);
    expect(operations).toEqual([]);
    expect(diagnostics).toMatchObject([{ severity: "error", place: surfacePlace }]);
    expect(diagnostics[0]?.message).toContain(message);
  });

  test("of an endpoint that is out of order can be tried again", async () => {
    const server = await started(serveText(() => ({ status: 503, headers: {}, text: "" })));
    await expect(openEndpoint(server.url)).rejects.toMatchObject({
      code: "provider_unavailable",
      retryable: true,
      message: `\`${server.url}\` answered the introspection query with status 503.`,
    });
  });

  test("of an endpoint that is not there can be tried again", async () => {
    const server = await serveText(() => ({ status: 200, headers: {}, text: "" }));
    await server.close();
    await expect(openEndpoint(server.url)).rejects.toMatchObject({
      code: "provider_unavailable",
      retryable: true,
    });
  });
});
