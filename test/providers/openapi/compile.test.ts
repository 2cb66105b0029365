import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../../src/diagnostics/diagnostic.ts";
import type { OpenApiSurface, ProviderConfig } from "../../../src/model/config.ts";
import type { JsonValue } from "../../../src/model/json.ts";
import { compileOpenApi } from "../../../src/providers/openapi/compile.ts";
import { noRelatedDocuments } from "../../../src/providers/openapi/related-documents.ts";
import { Secret } from "../../../src/secret.ts";
import { compileValue, surfaceOf } from "./compile-text.ts";

const get = { get: { operationId: "x", responses: {} } };

async function serverOf(document: object, surface?: OpenApiSurface): Promise<string | readonly Diagnostic[]> {
  const compiled = await compileValue(
    { openapi: "3.0.0", paths: { "/x": get }, ...document },
    surface ?? surfaceOf("d.json", null),
  );
  const [operation] = compiled.operations;
  return operation?.binding.kind === "http" ? operation.binding.baseUrl : compiled.diagnostics;
}

function fromUrl(url: string): OpenApiSurface {
  const surface = surfaceOf("d.json", null);
  return { ...surface, document: { kind: "url", url, place: surface.place } };
}

describe("the address that calls go to", () => {
  const variables = { region: { default: "eu" }, version: { enum: ["v2", "v3"], default: "v2" } };
  test.each([
    [
      "the first server",
      { servers: [{ url: "https://a.example/v1/" }, { url: "https://b.example" }] },
      "https://a.example/v1",
    ],
    [
      "variables at their defaults",
      { servers: [{ url: "https://{region}.a.example/{version}", variables }] },
      "https://eu.a.example/v2",
    ],
    [
      "the path's server before the document's",
      {
        servers: [{ url: "https://a.example" }],
        paths: { "/x": { ...get, servers: [{ url: "https://b.example" }] } },
      },
      "https://b.example",
    ],
    [
      "the operation's before both",
      {
        paths: {
          "/x": {
            servers: [{ url: "https://b.example" }],
            get: { ...get.get, servers: [{ url: "https://c.example" }] },
          },
        },
      },
      "https://c.example",
    ],
    [
      "2.0: https where it is offered",
      { openapi: undefined, swagger: "2.0", host: "a.example", basePath: "/v1", schemes: ["http", "https"] },
      "https://a.example/v1",
    ],
    [
      "2.0: http where it is not",
      { openapi: undefined, swagger: "2.0", host: "a.example:81", schemes: ["http"] },
      "http://a.example:81",
    ],
  ])("%s", async (_title, document, expected) => {
    expect(await serverOf(document)).toBe(expected);
  });

  test("a relative server counts from the document's URL; none is the root of it", async () => {
    expect(await serverOf({ servers: [{ url: "/api/v1" }] }, fromUrl("https://a.example/docs/d.json"))).toBe(
      "https://a.example/api/v1",
    );
    expect(await serverOf({ servers: [{ url: "v1" }] }, fromUrl("https://a.example/docs/d.json"))).toBe(
      "https://a.example/docs/v1",
    );
    expect(await serverOf({}, fromUrl("https://a.example/docs/d.json"))).toBe("https://a.example");
  });

  test("the configuration's base_url replaces all servers", async () => {
    expect(await serverOf({ servers: [{ url: "https://a.example" }] }, surfaceOf("d.json"))).toBe(
      "https://api.example.com",
    );
  });

  test.each([
    ["names no server", {}],
    ["names the server `/v1`, which is relative", { servers: [{ url: "/v1" }] }],
    [
      "names the server `ftp://a.example`, which is neither http nor https",
      { servers: [{ url: "ftp://a.example" }] },
    ],
    [
      "names the server `https://{x}.example`, whose variables have no default",
      { servers: [{ url: "https://{x}.example" }] },
    ],
    ["names a server with a user name in its address", { servers: [{ url: "https://u:p@a.example" }] }],
  ])("a document in a file that %s needs base_url", async (problem, document) => {
    const diagnostics = await serverOf(document);
    expect(diagnostics).toMatchObject([
      { severity: "error", code: "missing-key", place: surfaceOf("").place },
    ]);
    expect(JSON.stringify(diagnostics)).toContain(JSON.stringify(problem).slice(1, -1));
    expect(JSON.stringify(diagnostics)).toContain("Set `base_url`");
  });
});

describe("what a fetched document may decide", () => {
  const operation = (id: string, ...servers: readonly string[]) => ({
    get: { operationId: id, responses: {}, servers: servers.map((url) => ({ url })) },
  });
  const withServer = (url: string) => ({ openapi: "3.1.0", servers: [{ url }], paths: { "/x": get } });
  const fetched = fromUrl("https://docs.example/d.json");
  const withoutConnection = { ...fetched, connection: undefined };

  test.each([
    "http://localhost:8080",
    "http://127.0.0.1",
    "http://2130706433",
    "http://[::ffff:10.0.0.1]",
    "http://[64:ff9b::a9fe:a9fe]/latest",
    "http://169.254.169.254/latest/meta-data",
    "https://vault.internal",
    "http://printer.local.",
    "//10.1.2.3",
  ])("not to call %s", async (url) => {
    const { operations, diagnostics } = await compileValue(withServer(url), withoutConnection);
    expect(operations).toEqual([]);
    expect(diagnostics).toMatchObject([
      { severity: "error", code: "operation-dropped", place: fetched.place },
    ]);
    expect(diagnostics[0]?.message).toContain("set `base_url`");
  });

  test("to call its own origin, wherever that is", async () => {
    const surface = fromUrl("http://10.0.0.5:8080/openapi.json");
    expect(await serverOf({ servers: [{ url: "/v1" }] }, surface)).toBe("http://10.0.0.5:8080/v1");
    const [other] = (await compileValue(withServer("http://10.0.0.5:9090"), surface)).diagnostics;
    expect(other?.message).toContain("`http://10.0.0.5:9090`, which is no public address");
  });

  test("nothing of it holds for a document in a file, or when base_url names the address", async () => {
    const local = { ...surfaceOf("d.json", null), connectionNamed: true };
    expect(await serverOf({ servers: [{ url: "http://localhost:8080" }] }, local)).toBe(
      "http://localhost:8080",
    );
    const named = { ...fetched, baseUrl: "http://localhost:8080" };
    expect(await serverOf({ servers: [{ url: "http://10.0.0.1" }] }, named)).toBe("http://localhost:8080");
    const paths = { "/a": operation("a", "https://a.example"), "/b": operation("b", "https://b.example") };
    const { operations } = await compileValue({ openapi: "3.1.0", paths }, local);
    expect(operations.map(({ connection }) => connection)).toEqual(["default", "default"]);
  });

  test.each([
    ["another origin", "https://api.example", fetched, "document"],
    ["the document's own origin", "/v1", fetched, "operator"],
    ["base_url", "https://api.example", { ...fetched, baseUrl: "https://b.example" }, "operator"],
    ["a local document", "https://api.example", surfaceOf("d.json", null), "operator"],
  ])("an address from %s is known as such", async (_name, server, surface, addressFrom) => {
    const { operations } = await compileValue(withServer(server), surface);
    expect(operations).toMatchObject([{ binding: { addressFrom } }]);
  });

  const twoServers = {
    openapi: "3.1.0",
    servers: [{ url: "https://api.example/v1" }],
    paths: {
      "/upload": operation("upload", "https://uploads.example"),
      "/public": {
        get: { ...get.get, operationId: "public", security: [], servers: [{ url: "https://cdn.example" }] },
      },
      "/inside": operation("inside", "http://192.168.0.1"),
      "/pets": operation("pets"),
      "/v2": operation("v2", "https://api.example/v2"),
    },
  };

  test("credentials go to the document's first server only; the operation is dropped and told", async () => {
    const { operations, diagnostics } = await compileValue(twoServers, fetched);
    expect(operations.map(({ id, connection }) => [id, connection])).toEqual([
      ["public", undefined],
      ["pets", "default"],
      ["v2", "default"],
    ]);
    expect(diagnostics.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      "warning operation-dropped",
      "warning operation-dropped",
    ]);
    expect(diagnostics[0]?.message).toContain(
      "sends the operation `GET /upload` to `https://uploads.example`, but what the gateway adds to requests is for `https://api.example`",
    );
  });

  test("secret headers are guarded like credentials; without either, all public servers may be called", async () => {
    const idsWith = async (headers: ProviderConfig["headers"]): Promise<readonly string[]> =>
      (await compileValue(twoServers, withoutConnection, { headers })).operations.map(({ id }) => id);
    expect(await idsWith({ "x-key": new Secret("k") })).toEqual(["pets", "v2"]);
    expect(await idsWith({ "x-version": "2" })).toEqual(["upload", "public", "pets", "v2"]);
  });

  test("without a server of its own, the first operation's counts as the document's", async () => {
    const paths = { "/a": operation("a", "https://a.example"), "/b": operation("b", "https://b.example") };
    const { operations } = await compileValue({ openapi: "3.1.0", paths }, fetched);
    expect(operations.map(({ id }) => id)).toEqual(["a"]);
  });
});

describe("versions", () => {
  test.each(["2.0", 2])("swagger: %j is read", async (swagger) => {
    expect((await compileValue({ swagger, paths: { "/x": get } })).operations).toHaveLength(1);
  });

  test.each(["3.0.3", "3.1.0", "3.1", "3.2.0", "3.7.1", 3, 3.1])("openapi: %j is read", async (openapi) => {
    expect((await compileValue({ openapi, paths: { "/x": get } })).operations).toHaveLength(1);
  });

  test.each([{}, [], { swagger: "1.2" }, { openapi: "4.0.0" }, { asyncapi: "3.0.0" }])(
    "%j is reported as something else",
    async (document) => {
      expect(await compileValue(document)).toMatchObject({
        operations: [],
        diagnostics: [{ severity: "error", code: "document-unsupported" }],
      });
    },
  );
});

test("a document whose operations are all in other files is an error that says so", async () => {
  const paths = { "/a": { $ref: "a.yaml" }, "/b": { $ref: "b.yaml" } };
  const { operations, diagnostics } = await compileValue({ openapi: "3.1.0", paths });
  expect(operations).toEqual([]);
  expect(diagnostics).toMatchObject([{ severity: "error", code: "operation-dropped" }]);
  expect(diagnostics[0]?.message).toContain("loses all operations of 2 paths");
});

test("other work gets its turn while a large document compiles", async () => {
  const members = Array.from({ length: 20 }, (_, index) => [`p${index}`, { type: "string" }]);
  const schema = { type: "object", properties: Object.fromEntries(members) };
  const paths = Object.fromEntries(
    Array.from({ length: 6000 }, (_, index) => [
      `/p${index}`,
      {
        post: { requestBody: { required: true, content: { "application/json": { schema } } }, responses: {} },
      },
    ]),
  );
  let turns = 0;
  let running = true;
  const count = (): void => {
    turns += 1;
    if (running) setImmediate(count);
  };
  setImmediate(count);
  const { operations } = await compileValue({ openapi: "3.1.0", paths });
  running = false;
  expect(operations).toHaveLength(6000);
  expect(turns).toBeGreaterThan(0);
});

describe("hostile documents", () => {
  const schemas = (components: object) => ({
    openapi: "3.1.0",
    paths: {
      "/x": {
        post: {
          operationId: "x",
          requestBody: {
            required: true,
            content: { "application/json": { schema: { $ref: "#/components/schemas/S0" } } },
          },
          responses: {},
        },
      },
    },
    components: { schemas: components },
  });

  test("a chain of 20,000 references, a schema that doubles 200 times and 2,000 branches stay small", async () => {
    const chain = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, index) => [
        `S${index}`,
        { properties: { next: { $ref: `#/components/schemas/S${index + 1}` } } },
      ]),
    );
    const doubling = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => {
        const next = { $ref: `#/components/schemas/S${index + 1}` };
        return [`S${index}`, { properties: { a: next, b: next } }];
      }),
    );
    const branches = Array.from({ length: 2_000 }, (_, index) => ({
      type: "object",
      properties: { [`p${index}`]: { type: "string" } },
    }));
    for (const components of [
      chain,
      doubling,
      { S0: { anyOf: branches } },
      { S0: { properties: { u: { oneOf: branches } } } },
    ]) {
      const { operations } = await compileValue(schemas(components));
      expect(operations).toHaveLength(1);
      expect(JSON.stringify(operations[0]?.inputSchema).length).toBeLessThan(32 * 1024);
    }
  });

  test("what is included twice on every level does not double, and definitions may follow each other endlessly", async () => {
    const link = (index: number) => ({ $ref: `#/components/schemas/S${index}` });
    const twice = Array.from({ length: 60 }, (_, index) => ({
      allOf: [link(index + 1), link(index + 1), { properties: { [`p${index}`]: { type: "string" } } }],
    }));
    const lists = Array.from({ length: 20_000 }, (_, index) => ({ type: "array", items: link(index + 1) }));
    const ring = Array.from({ length: 5_000 }, (_, index) => ({
      properties: { a: link((index + 1) % 5_000), b: link((index * 7) % 5_000) },
    }));
    for (const list of [twice, lists, ring]) {
      const components = Object.fromEntries(list.map((schema, index) => [`S${index}`, schema]));
      const { operations } = await compileValue(schemas(components));
      expect(operations).toHaveLength(1);
    }
  });

  test("names that are too much by themselves: the body is one argument, and parameters that need not be given go", async () => {
    const names = Array.from({ length: 2_000 }, (_, index) => `${"long_".repeat(8)}${index}`);
    const text = { type: "string", description: "A text." };
    const properties = Object.fromEntries(names.map((name) => [name, text]));
    const responses = {};
    const { operations } = await compileValue({
      openapi: "3.1.0",
      paths: {
        "/x": {
          post: {
            requestBody: {
              required: true,
              content: { "application/json": { schema: { type: "object", properties } } },
            },
            responses,
          },
          get: {
            parameters: [
              ...names.map((name) => ({ name, in: "query", schema: text })),
              { name: "last", in: "query", required: true, schema: text },
            ],
            responses,
          },
        },
      },
    });
    const sizes = operations.map(({ inputSchema }) => JSON.stringify(inputSchema).length);
    expect(Math.max(...sizes)).toBeLessThan(32_000);
    const [list, create] = operations;
    expect(list?.inputSchema["required"]).toEqual(["last"]);
    expect(list?.notes?.[0]).toMatch(/^Too large: \d+ optional parameters are no arguments\.$/);
    expect(Object.keys(Object(create?.inputSchema["properties"]))).toEqual(["body"]);
  });

  test("members called like built-in properties are members like any other", async () => {
    const text =
      '{"S0":{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"integer"}}}}';
    const document = JSON.stringify(schemas({})).replace('"schemas":{}', `"schemas":${text}`);
    const [operation] = (await compileValue(JSON.parse(document))).operations;
    expect(Object.keys(Object(operation?.inputSchema["properties"]))).toHaveLength(2);
  });
});

test("a mistake of the compiler costs the operation that shows it", async () => {
  const parameter = (schema: object) => ({ parameters: [{ name: "a", in: "query", schema }], responses: {} });
  const broken = {
    get type(): string {
      throw new Error("no luck");
    },
  };
  const value = {
    openapi: "3.1.0",
    paths: { "/x": { get: parameter({}), put: parameter(broken) } },
  } as unknown as JsonValue;
  const { operations, diagnostics } = await compileOpenApi({
    document: {
      name: "d.json",
      location: "/d.json",
      length: 0,
      digest: "sha256:0",
      value,
      locate: () => undefined,
    },
    surface: surfaceOf("d.json"),
    provider: { headers: {}, managedParameters: [] },
    related: noRelatedDocuments,
    allowedHosts: [],
  });
  expect(operations.map(({ method }) => method)).toEqual(["GET"]);
  expect(diagnostics).toMatchObject([
    { severity: "error", code: "operation-dropped", message: expect.stringContaining("`PUT /x`") },
  ]);
});

describe("managed parameters", () => {
  const text = { type: "string" };
  const document = {
    openapi: "3.1.0",
    paths: {
      "/{tenant}/{id}?v={v}": {
        get: {
          operationId: "x",
          parameters: [
            { name: "tenant", in: "path", required: true, schema: text },
            { name: "id", in: "path", required: true, schema: text },
            { name: "id", in: "query", required: true, schema: text },
            { name: "session", in: "cookie", schema: text },
            { name: "limit", in: "query", schema: text },
          ],
          responses: {},
        },
      },
    },
  };
  const managed = { tenant: "path", id: "path", v: "query", limit: "query", session: "cookie" } as const;
  const managedParameters = Object.entries(managed).map(([name, location]) => {
    return { name, in: location, value: new Secret("fixed"), place: surfaceOf("d.json").place };
  });

  test("are no arguments; those that only this operation is sent stay in its binding", async () => {
    const [operation] = (await compileValue(document, undefined, { managedParameters })).operations;
    expect(operation?.inputSchema).toMatchObject({ properties: { id: text }, required: ["id"] });
    expect(Object.keys(Object(operation?.inputSchema["properties"]))).toEqual(["id"]);
    expect(operation?.binding).toMatchObject({
      parameters: [
        { argument: "id", name: "id", in: "query" },
        { argument: undefined, name: "tenant", in: "path" },
        { argument: undefined, name: "id", in: "path" },
        { argument: undefined, name: "session", in: "cookie" },
      ],
    });
  });

  test("that are secret are guarded like credentials", async () => {
    const servers = (path: string, url: string) => ({
      [path]: { get: { operationId: path, servers: [{ url }], responses: {} } },
    });
    const two = {
      openapi: "3.1.0",
      servers: [{ url: "https://api.example" }],
      paths: { ...servers("/a", "https://api.example"), ...servers("/b", "https://other.example") },
    };
    const from: OpenApiSurface = {
      ...surfaceOf("d.json", null),
      connection: undefined,
      document: { kind: "url", url: "https://api.example/d.json", place: surfaceOf("d.json").place },
    };
    const { operations } = await compileValue(two, from, { managedParameters });
    expect(operations.map(({ id }) => id)).toEqual(["/a"]);
  });
});

describe("operations that a document declares free of security", () => {
  const document = {
    openapi: "3.1.0",
    security: [{ token: [] }],
    paths: { "/x": { get: { operationId: "x", security: [], responses: {} } } },
  };
  const connectionOf = async (surface: OpenApiSurface): Promise<string | undefined> =>
    (await compileValue(document, surface)).operations[0]?.connection;

  test("do not use a connection that is only the provider's default", async () => {
    expect(await connectionOf(surfaceOf("d.json"))).toBeUndefined();
  });

  test("use the connection that the file names for the surface", async () => {
    expect(await connectionOf({ ...surfaceOf("d.json"), connectionNamed: true })).toBe("default");
  });
});

test("members of a branch stay arguments when another branch takes everything", async () => {
  const schema = {
    type: "object",
    properties: { name: { type: "string" } },
    oneOf: [
      { properties: { options: { type: "array", items: { type: "string" } } }, required: ["options"] },
      { title: "other" },
    ],
  };
  const requestBody = { required: true, content: { "application/json": { schema } } };
  const { operations } = await compileValue({
    openapi: "3.1.0",
    paths: { "/x": { put: { operationId: "x", requestBody, responses: {} } } },
  });
  expect(Object.keys(operations[0]?.inputSchema["properties"] ?? {})).toEqual(["name", "options"]);
  expect(operations[0]?.inputSchema["required"] ?? []).toEqual([]);
});
