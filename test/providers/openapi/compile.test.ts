import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../../src/diagnostics/diagnostic.ts";
import type { OpenApiSurface } from "../../../src/model/config.ts";
import { compileValue, surfaceOf } from "./compile-text.ts";

const get = { get: { operationId: "x", responses: {} } };

function serverOf(document: object, surface?: OpenApiSurface): string | readonly Diagnostic[] {
  const compiled = compileValue(
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
  ])("%s", (_title, document, expected) => {
    expect(serverOf(document)).toBe(expected);
  });

  test("a relative server counts from the document's URL; none is the root of it", () => {
    expect(serverOf({ servers: [{ url: "/api/v1" }] }, fromUrl("https://a.example/docs/d.json"))).toBe(
      "https://a.example/api/v1",
    );
    expect(serverOf({ servers: [{ url: "v1" }] }, fromUrl("https://a.example/docs/d.json"))).toBe(
      "https://a.example/docs/v1",
    );
    expect(serverOf({}, fromUrl("https://a.example/docs/d.json"))).toBe("https://a.example");
  });

  test("the configuration's base_url replaces all servers", () => {
    expect(serverOf({ servers: [{ url: "https://a.example" }] }, surfaceOf("d.json"))).toBe(
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
  ])("a document in a file that %s needs base_url", (problem, document) => {
    const diagnostics = serverOf(document);
    expect(diagnostics).toMatchObject([
      { severity: "error", code: "missing-key", place: surfaceOf("").place },
    ]);
    expect(JSON.stringify(diagnostics)).toContain(JSON.stringify(problem).slice(1, -1));
    expect(JSON.stringify(diagnostics)).toContain("Set `base_url`");
  });
});

describe("versions", () => {
  test.each(["2.0", 2])("swagger: %j is read", (swagger) => {
    expect(compileValue({ swagger, paths: { "/x": get } }).operations).toHaveLength(1);
  });

  test.each(["3.0.3", "3.1.0", "3.1", "3.2.0", "3.7.1", 3, 3.1])("openapi: %j is read", (openapi) => {
    expect(compileValue({ openapi, paths: { "/x": get } }).operations).toHaveLength(1);
  });

  test.each([{}, [], { swagger: "1.2" }, { openapi: "4.0.0" }, { asyncapi: "3.0.0" }])(
    "%j is reported as something else",
    (document) => {
      expect(compileValue(document)).toMatchObject({
        operations: [],
        diagnostics: [{ severity: "error", code: "document-unsupported" }],
      });
    },
  );
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

  test("a chain of 20,000 references, a schema that doubles 200 times and 2,000 branches stay small", () => {
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
      const { operations } = compileValue(schemas(components));
      expect(operations).toHaveLength(1);
      expect(JSON.stringify(operations[0]?.inputSchema).length).toBeLessThan(32 * 1024);
    }
  });

  test("members called like built-in properties are members like any other", () => {
    const text =
      '{"S0":{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"integer"}}}}';
    const document = JSON.stringify(schemas({})).replace('"schemas":{}', `"schemas":${text}`);
    const [operation] = compileValue(JSON.parse(document)).operations;
    expect(Object.keys(Object(operation?.inputSchema["properties"]))).toHaveLength(2);
  });
});

describe("operations that a document declares free of security", () => {
  const document = {
    openapi: "3.1.0",
    security: [{ token: [] }],
    paths: { "/x": { get: { operationId: "x", security: [], responses: {} } } },
  };
  const connectionOf = (surface: OpenApiSurface): string | undefined =>
    compileValue(document, surface).operations[0]?.connection;

  test("do not use a connection that is only the provider's default", () => {
    expect(connectionOf(surfaceOf("d.json"))).toBeUndefined();
  });

  test("use the connection that the file names for the surface", () => {
    expect(connectionOf({ ...surfaceOf("d.json"), connectionNamed: true })).toBe("default");
  });
});
