import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { compileSchema } from "../../../src/json-schema/compile-schema.ts";
import type { HttpBinding, Operation } from "../../../src/model/catalog.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { type BoundRequest, bindRequest } from "../../../src/providers/http/bind-request.ts";
import { type CompiledOperations, compileRest } from "../../../src/providers/rest/compile.ts";
import { loadText } from "../../config/load-text.ts";

/** What one operation of a file comes to. */
async function compileAll(operation: JsonObject, provider: JsonObject = {}): Promise<CompiledOperations> {
  const rest = { base_url: "https://api.example.com", operations: [operation] };
  const text = stringify({ providers: { api: { ...provider, surfaces: { rest } } } });
  const { config, diagnostics } = await loadText(text);
  const loaded = config?.providers[0];
  const surface = loaded?.surfaces[0];
  if (loaded === undefined || surface?.kind !== "rest") throw new Error(JSON.stringify(diagnostics));
  expect(diagnostics).toEqual([]);
  return compileRest(surface, loaded);
}

async function compile(changes: JsonObject, provider: JsonObject = {}): Promise<Operation> {
  const given = { name: "run", method: "POST", path: "/run", ...changes };
  const { operations, diagnostics } = await compileAll(given, provider);
  expect(diagnostics).toEqual([]);
  const [operation] = operations;
  if (!operation) throw new Error("Nothing was compiled.");
  return operation;
}

function bindingOf({ binding }: Operation): HttpBinding {
  if (binding.kind !== "http") throw new Error("No HTTP binding.");
  return binding;
}

/** The request of a call whose arguments the input schema takes. */
function bind(operation: Operation, args: JsonObject): BoundRequest {
  expect(compileSchema(operation.inputSchema).check(args)).toEqual([]);
  return bindRequest(bindingOf(operation), args);
}

describe("inline operations", () => {
  const forecast = {
    name: "forecast",
    description: "Forecast for a place.",
    method: "GET",
    path: "/v1/forecast/{place}",
    parameters: [
      { name: "place", in: "path" },
      { name: "days", in: "query", type: "integer", default: 3, description: "How many." },
    ],
  };

  test("parameters become arguments; defaults are sent", async () => {
    const operation = await compile(forecast);
    expect(operation).toMatchObject({
      id: "forecast",
      method: "GET",
      title: undefined,
      description: "Forecast for a place.",
      tags: [],
      deprecated: false,
      outputSchema: undefined,
      annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
      inputSchema: {
        type: "object",
        properties: {
          place: { type: "string" },
          days: { type: "integer", default: 3, description: "How many." },
        },
        required: ["place"],
        additionalProperties: false,
      },
    });
    expect(bind(operation, { place: "Kyiv" }).url).toBe("https://api.example.com/v1/forecast/Kyiv?days=3");
    expect(bind(operation, { place: "a b", days: 1 }).url).toMatch(/\/a%20b\?days=1$/);
    expect(bind(operation, { place: "x" }).headers).toEqual({ accept: "application/json, */*;q=0.8" });
  });

  test("what is said of an operation is shown", async () => {
    const operation = await compile({
      title: "Search",
      tags: ["books", "search"],
      deprecated: true,
      annotations: { read_only: true, open_world: false },
      response_mapping: { data: "result.items" },
      accept: "text/csv",
    });
    expect(operation).toMatchObject({
      title: "Search",
      description: "POST /run",
      tags: ["books", "search"],
      deprecated: true,
      annotations: {
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: false,
      },
      responseMapping: { data: ["result", "items"] },
    });
    expect(bind(operation, {}).headers).toEqual({ accept: "text/csv" });
  });

  test("the description of the answer is one that no answer breaks", async () => {
    const output_schema = {
      type: "object",
      required: ["id"],
      additionalProperties: false,
      properties: { id: { type: "string", maxLength: 3 }, next: { $ref: "#" } },
    };
    const operation = await compile({ output_schema });
    const check = compileSchema(operation.outputSchema ?? {});
    expect(operation.outputSchema).toMatchObject({
      type: "object",
      properties: { id: { type: ["string", "null"] } },
    });
    for (const answer of [{}, { id: null }, { id: "long", more: 1 }, { next: { id: "a", next: {} } }]) {
      expect(check.check(answer)).toEqual([]);
    }
    expect(bind(operation, {}).headers["accept"]).toBe("application/json");
  });

  test("any method and a fixed query are sent", async () => {
    const parameters = [{ name: "id", in: "query" }];
    const operation = await compile({ method: "PROPFIND", path: "/files?depth=1&a=b%20c", parameters });
    expect(bind(operation, { id: "x" })).toMatchObject({
      method: "PROPFIND",
      url: "https://api.example.com/files?depth=1&a=b%20c&id=x",
    });
    expect((await compile({ method: "QUERY" })).annotations.readOnlyHint).toBe(true);
  });

  test("what the provider sends itself is no argument", async () => {
    const managed = { place: "path", tenant: "cookie", version: "query" };
    const operation = await compile(
      {
        path: "/v1/{place}",
        parameters: [
          { name: "place", in: "path" },
          { name: "tenant", in: "cookie" },
          { name: "version", in: "query", required: true },
          { name: "X-Trace", in: "header", required: true },
          { name: "place", in: "query" },
        ],
      },
      {
        headers: { "x-trace": "1" },
        managed_parameters: Object.entries(managed).map(([name, place]) => {
          return { name, in: place, value: "fixed" };
        }),
      },
    );
    expect(operation.inputSchema).toEqual({
      type: "object",
      properties: { place: { type: "string" } },
      additionalProperties: false,
    });
    expect(operation.binding).toMatchObject({
      parameters: [
        { argument: "place", name: "place", in: "query" },
        { argument: undefined, name: "place", in: "path" },
        { argument: undefined, name: "tenant", in: "cookie" },
      ],
    });
    expect(JSON.stringify(operation.binding)).not.toContain("fixed");
  });

  test("a path variable that only the provider fills needs no declaration", async () => {
    const operation = await compile(
      { path: "/t/{tenant}" },
      { managed_parameters: [{ name: "tenant", in: "path", value: "acme" }] },
    );
    expect(operation.inputSchema["properties"]).toEqual({});
  });
});

describe("parameters", () => {
  const list = { type: "array", items: { type: "string" } };
  const box = { type: "object", properties: { a: { type: "integer" }, b: { type: "string" } } };
  const styles: readonly (readonly [string, JsonObject, JsonObject, string])[] = [
    ["exploded form", { ...list }, { v: ["a", "b"] }, "?v=a&v=b"],
    ["joined form", { ...list, explode: false }, { v: ["a", "b"] }, "?v=a,b"],
    ["pipes", { ...list, style: "pipeDelimited" }, { v: ["a", "b"] }, "?v=a%7Cb"],
    ["spaces", { ...list, style: "spaceDelimited" }, { v: ["a", "b"] }, "?v=a%20b"],
    ["deep object", { ...box, style: "deepObject" }, { v: { a: 1, b: "x" } }, "?v%5Ba%5D=1&v%5Bb%5D=x"],
    ["JSON", { ...box, content: "application/json" }, { v: { a: 1 } }, "?v=%7B%22a%22%3A1%7D"],
    ["reserved characters", { allow_reserved: true }, { v: "a/b:c" }, "?v=a/b:c"],
  ];
  test.each(styles)("query: %s", async (_name, shape, args, query) => {
    const operation = await compile({ method: "GET", parameters: [{ name: "v", in: "query", ...shape }] });
    const { url } = bind(operation, args);
    expect(decodeURIComponent(url)).toBe(decodeURIComponent(`https://api.example.com/run${query}`));
  });

  const paths: readonly (readonly [string, JsonObject, JsonObject, string])[] = [
    ["simple", { ...list }, { v: ["a", "b"] }, "/a,b"],
    ["label", { ...list, style: "label", explode: true }, { v: ["a", "b"] }, "/.a.b"],
    ["matrix", { ...box, style: "matrix" }, { v: { a: 1, b: "x" } }, "/;v=a,1,b,x"],
    ["with slashes", { allow_reserved: true }, { v: "a/b c" }, "/a/b%20c"],
  ];
  test.each(paths)("path: %s", async (_name, shape, args, path) => {
    const parameters = [{ name: "v", in: "path", ...shape }];
    const operation = await compile({ method: "GET", path: "/{v}", parameters });
    expect(bind(operation, args).url).toBe(`https://api.example.com${path}`);
  });

  test("headers and cookies", async () => {
    const parameters = [
      { name: "X-List", in: "header", ...list },
      { name: "X-Box", in: "header", ...box, explode: true },
      { name: "c", in: "cookie", ...list, explode: false },
    ];
    const operation = await compile({ method: "GET", parameters });
    const args = { "X-List": ["a", "b"], "X-Box": { a: 1, b: "x" }, c: ["1", "2"] };
    expect(bind(operation, args).headers).toMatchObject({
      "x-list": "a,b",
      "x-box": "a=1,b=x",
      cookie: "c=1,2",
    });
  });

  test("the whole query string as one argument", async () => {
    const form = await compile({
      method: "GET",
      parameters: [{ name: "filter", in: "querystring", ...box }],
    });
    expect(bind(form, { filter: { a: 1, b: "x y" } }).url).toMatch(/\/run\?a=1&b=x%20y$/);
    const json = await compile({
      method: "GET",
      parameters: [{ name: "filter", in: "querystring", ...box, content: "application/json" }],
    });
    expect(bind(json, { filter: { a: 1 } }).url).toMatch(/\/run\?%7B%22a%22%3A1%7D$/);
  });

  test("values of any JSON type, and nested ones", async () => {
    const operation = await compile({
      parameters: [
        { name: "level", in: "query", enum: [1, 2, "max"] },
        { name: "on", in: "query", type: "boolean", default: false, deprecated: true },
        { name: "open", in: "query", type: "array" },
        {
          name: "filter",
          in: "query",
          content: "application/json",
          schema: {
            $defs: {
              rule: {
                type: "object",
                properties: { any: { type: "array", items: { $ref: "#/$defs/rule" } } },
              },
            },
            $ref: "#/$defs/rule",
          },
        },
      ],
    });
    const { inputSchema } = operation;
    expect(inputSchema["properties"]).toMatchObject({
      on: { type: "boolean", default: false, deprecated: true },
      open: { type: "array", items: {} },
    });
    expect(bind(operation, { level: 2, filter: { any: [{ any: [] }] } }).url).toMatch(/level=2&on=false/);
    const check = compileSchema(inputSchema);
    for (const wrong of [{ level: 3 }, { filter: { any: [{ any: 1 }] } }, { other: 1 }]) {
      expect(check.check(wrong)).not.toEqual([]);
    }
  });

  test("names that clients refuse are replaced", async () => {
    const parameters = [
      { name: "$filter", in: "query" },
      { name: "ids[]", in: "query", type: "array" },
      { name: "a", in: "query" },
      { name: "a", in: "header" },
    ];
    const operation = await compile({ method: "GET", parameters });
    const names = Object.keys(Object(operation.inputSchema["properties"]));
    expect(names).toEqual(["filter", "ids", "a_query", "a_header"]);
    const bound = bind(operation, { filter: "x", ids: ["1"], a_query: "q", a_header: "h" });
    expect(decodeURIComponent(bound.url)).toBe("https://api.example.com/run?$filter=x&ids[]=1&a=q");
    expect(bound.headers["a"]).toBe("h");
  });

  test("what can have one value only is no question", async () => {
    const parameters = [{ name: "v", in: "query", required: true, enum: ["1"] }];
    const operation = await compile({ method: "GET", parameters });
    expect(bind(operation, {}).url).toMatch(/\?v=1$/);
  });
});

describe("bodies", () => {
  const note = {
    type: "object",
    required: ["title"],
    properties: {
      title: { type: "string", minLength: 1 },
      tags: { type: "array", items: { type: "string" } },
      author: { type: "object", properties: { name: { type: "string" } } },
    },
  };

  test("body parameters make a JSON object", async () => {
    const parameters = [
      { name: "title", in: "body", required: true },
      { name: "tags", in: "body", type: "array" },
      { name: "kind", in: "body", default: "note" },
      { name: "X-Trace", in: "header" },
    ];
    const operation = await compile({ path: "/notes", parameters });
    expect(operation.inputSchema["properties"]).toMatchObject({ tags: { type: "array", items: {} } });
    expect(operation.inputSchema["required"]).toEqual(["title"]);
    const bound = bind(operation, { title: "x", "X-Trace": "t" });
    expect(bound.body).toBe('{"title":"x","kind":"note"}');
    expect(bound.headers).toMatchObject({ "x-trace": "t", "content-type": "application/json" });
  });

  test("a body member with the name of a parameter puts the whole body under `body`", async () => {
    const parameters = [
      { name: "place", in: "path" },
      { name: "place", in: "body", required: true },
    ];
    const operation = await compile({ path: "/at/{place}", parameters });
    expect(operation.inputSchema["required"]).toEqual(["place", "body"]);
    const bound = bind(operation, { place: "a", body: { place: "b" } });
    expect(bound).toMatchObject({ url: "https://api.example.com/at/a", body: '{"place":"b"}' });
  });

  test("a member with the name of a parameter that the provider fills is an argument", async () => {
    const operation = await compile(
      {
        path: "/at/{place}",
        parameters: [
          { name: "place", in: "path" },
          { name: "place", in: "body" },
        ],
      },
      { managed_parameters: [{ name: "place", in: "path", value: "a" }] },
    );
    expect(Object.keys(Object(operation.inputSchema["properties"]))).toEqual(["place"]);
    expect(operation.inputSchema["required"]).toBeUndefined();
  });

  test("a call without any of its optional body parameters has no body", async () => {
    const operation = await compile({ parameters: [{ name: "a", in: "body" }] });
    expect(bind(operation, {}).body).toBeUndefined();
  });

  test("body parameters in another content type", async () => {
    const operation = await compile({
      parameters: [
        { name: "a", in: "body", type: "array", items: { type: "string" } },
        { name: "b", in: "body", required: true },
      ],
      body: {
        content_type: "application/x-www-form-urlencoded",
        encoding: { a: { style: "form", explode: false } },
      },
    });
    const bound = bind(operation, { a: ["1", "2"], b: "x y" });
    expect(bound.body).toBe("a=1,2&b=x+y");
    expect(bound.headers["content-type"]).toBe("application/x-www-form-urlencoded");
  });

  test("the members of an object become arguments", async () => {
    const operation = await compile({ body: { schema: note } });
    expect(operation.inputSchema).toMatchObject({
      properties: { title: { type: "string", minLength: 1 }, tags: {}, author: {} },
      required: ["title"],
    });
    expect(bind(operation, { title: "x", author: { name: "y" } }).body).toBe(
      '{"title":"x","author":{"name":"y"}}',
    );
  });

  test("an object of the definitions of its schema is one, too", async () => {
    const schema = {
      $defs: { note },
      allOf: [{ $ref: "#/$defs/note" }],
      properties: { due: { type: "string" } },
    };
    const operation = await compile({ body: { schema } });
    expect(bind(operation, { title: "x", due: "y" }).body).toBe('{"title":"x","due":"y"}');
  });

  const wholes: readonly (readonly [string, JsonObject, JsonObject, string, string])[] = [
    [
      "an optional body",
      { schema: note, required: false },
      { body: { title: "x" } },
      '{"title":"x"}',
      "application/json",
    ],
    [
      "a list",
      { schema: { type: "array", items: note } },
      { body: [{ title: "x" }] },
      '[{"title":"x"}]',
      "application/json",
    ],
    ["a union", { schema: { oneOf: [note, { type: "string" }] } }, { body: "x" }, '"x"', "application/json"],
    [
      "an open object",
      { schema: { ...note, additionalProperties: true } },
      { body: { title: "x", z: 1 } },
      '{"title":"x","z":1}',
      "application/json",
    ],
    ["anything", {}, { body: [1, null] }, "[1,null]", "application/json"],
    [
      "merge patch",
      { content_type: "application/merge-patch+json" },
      { body: { a: null } },
      '{"a":null}',
      "application/merge-patch+json",
    ],
    ["text", { content_type: "text/plain; charset=utf-8" }, { body: "x" }, "x", "text/plain; charset=utf-8"],
    ["XML", { content_type: "application/xml" }, { body: "<a/>" }, "<a/>", "application/xml"],
    [
      "JSON lines",
      { content_type: "application/x-ndjson", schema: note },
      { body: [{ title: "x" }, { title: "y" }] },
      '{"title":"x"}\n{"title":"y"}\n',
      "application/x-ndjson",
    ],
  ];
  test.each(wholes)("%s is one argument", async (_name, body, args, content, contentType) => {
    const bound = bind(await compile({ body }), args);
    expect(bound.body).toBe(content);
    expect(bound.headers["content-type"]).toBe(contentType);
  });

  test("bytes are given as base64", async () => {
    const operation = await compile({
      body: { content_type: "application/octet-stream", description: "A scan." },
    });
    expect(operation.inputSchema["properties"]).toMatchObject({
      body: { description: expect.stringContaining("A scan.") },
    });
    expect(Buffer.from(bind(operation, { body: "aGk=" }).body ?? "").toString()).toBe("hi");
  });

  test("an optional body may be left out", async () => {
    const operation = await compile({ body: { schema: note, required: false } });
    expect(operation.inputSchema["required"]).toBeUndefined();
    expect(bind(operation, {})).toMatchObject({ body: undefined, headers: { accept: expect.any(String) } });
  });

  test("forms", async () => {
    const operation = await compile({
      body: {
        content_type: "application/x-www-form-urlencoded",
        schema: {
          type: "object",
          properties: {
            name: { type: "string" },
            tags: { type: "array", items: { type: "string" } },
            box: { type: "object", properties: { a: { type: "integer" } } },
            raw: { type: "object" },
          },
        },
        encoding: { box: { style: "deepObject" }, tags: { style: "pipeDelimited" } },
      },
    });
    const { body } = bind(operation, { name: "a b", tags: ["x", "y"], box: { a: 1 }, raw: { b: 2 } });
    expect(decodeURIComponent(String(body))).toBe('name=a+b&tags=x|y&box[a]=1&raw={"b":2}');
  });

  test("files and parts of multipart", async () => {
    const file = { type: "string", format: "binary" };
    const operation = await compile({
      body: {
        content_type: "multipart/form-data",
        schema: {
          type: "object",
          required: ["scan"],
          properties: {
            scan: file,
            sheet: { type: "string", description: "As CSV." },
            pages: { type: "array", items: { type: "string" } },
            meta: { type: "object", properties: { a: { type: "integer" } } },
            text: { type: "string" },
          },
        },
        encoding: {
          sheet: { file: true, content_type: "text/csv" },
          pages: { file: true },
          meta: { content_type: "application/vnd.meta+json" },
        },
      },
    });
    expect(operation.inputSchema["properties"]).toMatchObject({
      scan: { description: expect.stringContaining("base64") },
      sheet: { description: expect.stringMatching(/^As CSV\. .*base64/) },
      pages: { type: "array", items: { description: expect.stringContaining("base64") } },
      text: { type: "string" },
    });
    const args = { scan: "aGk=", sheet: "YSxi", pages: ["MQ==", "Mg=="], meta: { a: 1 }, text: "t" };
    const { body, headers } = bind(operation, args);
    const boundary = /boundary=(\S+)$/.exec(headers["content-type"] ?? "")?.[1] ?? "";
    const parts = Buffer.from(body ?? "")
      .toString()
      .split(`--${boundary}`)
      .slice(1, -1);
    expect(parts.map((part) => part.trim().replaceAll("\r\n", "\n"))).toEqual([
      'Content-Disposition: form-data; name="scan"; filename="scan"\nContent-Type: application/octet-stream\n\nhi',
      'Content-Disposition: form-data; name="sheet"; filename="sheet"\nContent-Type: text/csv\n\na,b',
      'Content-Disposition: form-data; name="pages"; filename="pages"\nContent-Type: application/octet-stream\n\n1',
      'Content-Disposition: form-data; name="pages"; filename="pages"\nContent-Type: application/octet-stream\n\n2',
      'Content-Disposition: form-data; name="meta"\nContent-Type: application/vnd.meta+json\n\n{"a":1}',
      'Content-Disposition: form-data; name="text"\n\nt',
    ]);
  });

  test("a file among body parameters", async () => {
    const operation = await compile({
      parameters: [
        { name: "scan", in: "body", required: true },
        { name: "title", in: "body" },
      ],
      body: {
        content_type: "multipart/form-data",
        encoding: { scan: { file: true, content_type: "image/png" } },
      },
    });
    const { body } = bind(operation, { scan: "aGk=" });
    expect(Buffer.from(body ?? "").toString()).toContain("Content-Type: image/png\r\n\r\nhi\r\n");
  });

  test("schemas that are too large for a tool lose their deepest levels, and that is said", async () => {
    const levels = (depth: number): JsonObject => {
      const names = Array.from({ length: 4 }, (_unused, index) => `${"member".repeat(8)}${index}`);
      const leaf = { type: "string", description: "A rather long description of what this is about." };
      const inner = depth === 0 ? leaf : levels(depth - 1);
      return { type: "object", properties: Object.fromEntries(names.map((name) => [name, inner])) };
    };
    const { operations, diagnostics } = await compileAll({
      name: "run",
      method: "POST",
      path: "/run",
      body: { schema: levels(4) },
    });
    expect(JSON.stringify(operations[0]?.inputSchema).length).toBeLessThan(32_000);
    expect(diagnostics).toMatchObject([{ severity: "information", code: "operation-degraded" }]);
  });
});
