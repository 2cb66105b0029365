import { describe, expect, test } from "vitest";
import { parseDocument } from "../../../src/documents/parse-document.ts";
import type { OpenApiSurface } from "../../../src/model/config.ts";
import { surfaceOf } from "./compile-text.ts";
import { type Node, nodeOf } from "./raw-document.ts";
import {
  at,
  compile,
  convert,
  get,
  httpOf,
  number,
  object,
  only,
  post,
  propertiesOf,
  send,
  text,
} from "./small-documents.ts";

// Each test is named after what it keeps: L loading, N operations and names, I input schemas, R requests, S answers.

describe("load", () => {
  test("L1 YAML keeps texts: `on`, `yes` and dates are no other values; a byte order mark is no character", () => {
    const parsed = parseDocument("\uFEFFon: yes\nday: 2026-01-02\n");
    expect(parsed.ok && parsed.value).toEqual({ on: "yes", day: "2026-01-02" });
  });

  test("L2 a document that contains itself by an anchor is refused, and nothing overflows", async () => {
    expect(parseDocument("openapi: 3.0.0\ninfo: &a {x: *a}\n").ok).toBe(false);
  });

  test.each([
    ["2.0", { swagger: "2.0" }],
    ["3.0 as a number", { openapi: 3 }],
    ["3.1", { openapi: "3.1.1" }],
    ["3.2", { openapi: "3.2.0" }],
    ["a later 3.x", { openapi: "3.9.0" }],
  ])("L3 version %s is read", async (_name, version) => {
    expect(await only({ ...version, paths: { "/x": { get: get() } } })).toMatchObject({ id: "get_x" });
  });

  test("L3 3.2: the method QUERY, additional methods and a query string as one parameter", async () => {
    const filter = {
      name: "q",
      in: "querystring",
      content: { "application/json": { schema: object({ a: number }) } },
    };
    const item = { query: get(filter), additionalOperations: { COPY: get() } };
    const { operations } = await compile(at("/x", item, { openapi: "3.2.0" }));
    expect(operations.map(({ method }) => method)).toEqual(["QUERY", "COPY"]);
    expect(operations[0] && send(operations[0], { q: { a: 1 } }).url).toBe(
      "https://api.example.com/x?%7B%22a%22%3A1%7D",
    );
  });

  test("L4 what is broken is left out by itself, and told", async () => {
    const { operations, diagnostics } = await compile(
      at("/x", {
        get: get({ name: "a", in: "nowhere" }),
        post: "text",
        put: { responses: 7, parameters: {} },
      }),
    );
    expect(operations.map(({ id }) => id)).toEqual(["get_x", "put_x"].toSorted());
    expect(diagnostics.map(({ code }) => code).toSorted()).toEqual([
      "operation-degraded",
      "operation-dropped",
    ]);
    expect(operations[0]?.notes).toEqual([expect.stringContaining("Left out: a parameter")]);
  });

  test("L5 `$ref` is a reference only where it can be one: not as a property, nor inside of examples and enums", async () => {
    const schema = object({
      $ref: text,
      other: { $ref: "#/components/schemas/T" },
      plain: { type: "string", example: { $ref: "#/nope" }, default: "a", enum: ["a"] },
    });
    const compiled = await compile(
      at(
        "/x",
        { post: post(object({ x: schema })) },
        { components: { schemas: { T: { maxLength: 5, ...text } } } },
      ),
    );
    expect(compiled.diagnostics).toEqual([]);
    const [operation] = compiled.operations;
    expect(operation && nodeOf(propertiesOf(operation)["x"])["properties"]).toEqual({
      $ref: text,
      other: { maxLength: 5, ...text },
      plain: { type: "string", enum: ["a"], default: "a" },
    });
  });

  test("L5 references lead anywhere, through escapes in either order; one that leads nowhere accepts anything", async () => {
    const document = at(
      "/a b/{c}",
      {
        parameters: [{ name: "c", in: "path", required: true, schema: { ...text, maxLength: 3 } }],
        post: post(
          object({
            one: { $ref: "#/paths/~1a%20b~1%7Bc%7D/parameters/0/schema" },
            two: { $ref: "#/components/schemas/x~1y" },
            lost: { $ref: "#/components/schemas/lost" },
          }),
        ),
      },
      { components: { schemas: { "x/y": number } } },
    );
    const { operations, diagnostics } = await compile(document);
    expect(operations[0] && propertiesOf(operations[0])).toMatchObject({
      one: { ...text, maxLength: 3 },
      two: number,
      lost: {},
    });
    expect(diagnostics).toMatchObject([{ severity: "warning", code: "unresolved-reference" }]);
    expect(operations[0]?.notes).toEqual([
      "`lost`: the reference `#/components/schemas/lost` can't be followed.",
    ]);
  });

  test("L5 words beside a reference count: all of them in 3.1, the description before", async () => {
    const schemas = { T: { ...text, description: "far" } };
    const written = { $ref: "#/components/schemas/T", description: "near", maxLength: 2 };
    expect(await convert(written, "3.1.0", schemas)).toEqual({ ...text, description: "near", maxLength: 2 });
    expect(await convert(written, "3.0.0", schemas)).toEqual({ ...text, description: "near" });
  });

  test("L5 `$anchor`, `$id` and `$dynamicRef` are followed; two schemas with one `$id` do no harm", async () => {
    const schemas = {
      Named: { $anchor: "named", ...text },
      Owner: {
        $id: "https://schemas.example/owner",
        $defs: { name: { type: "string", maxLength: 9 } },
        ...object({ name: { $ref: "#/$defs/name" }, pet: { $ref: "pet" } }),
      },
      Pet: { $id: "https://schemas.example/pet", type: "string", enum: ["cat"] },
      Copy: { $id: "https://schemas.example/pet", type: "integer" },
      Tree: {
        $id: "https://schemas.example/tree",
        $dynamicAnchor: "node",
        ...object({ children: { type: "array", items: { $dynamicRef: "#node" } } }),
      },
      List: {
        $id: "https://schemas.example/list",
        $defs: { any: { $dynamicAnchor: "item", not: {} } },
        type: "array",
        items: { $dynamicRef: "#item" },
      },
    };
    const convertOne = (reference: string): Promise<Node> => convert({ $ref: reference }, "3.1.0", schemas);
    expect(await convertOne("#named")).toEqual(text);
    expect(await convertOne("https://schemas.example/owner")).toEqual(
      object({ name: { type: "string", maxLength: 9 }, pet: { type: "string", enum: ["cat"] } }),
    );
    expect(await convertOne("https://schemas.example/owner#/$defs/name")).toEqual({
      type: "string",
      maxLength: 9,
    });
    expect(await convertOne("#/components/schemas/Tree")).toEqual({ $ref: "#/$defs/Tree" });
    expect(await convertOne("#/components/schemas/List")).toEqual({ type: "array", items: {} });
  });

  test("L6 references to other servers are not followed", async () => {
    const { diagnostics } = await compile(at("/x", { post: post({ $ref: "https://evil.example/x.json" }) }));
    expect(diagnostics).toMatchObject([{ code: "unresolved-reference" }]);
  });

  test("L7 a schema that is millions of values when written out stays small", async () => {
    const schemas = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => {
        const next = index === 39 ? text : { $ref: `#/components/schemas/S${index + 1}` };
        return [`S${index}`, object({ a: next, b: next })];
      }),
    );
    const operation = await only(
      at("/x", { post: post({ $ref: "#/components/schemas/S0" }) }, { components: { schemas } }),
    );
    expect(operation.notes?.[0]).toMatch(/^Too large: what is inside of `a\.a\./);
  });
});

describe("operations and names", () => {
  test("N1 a query in the key of a path stays, a fragment tells apart and is not sent, a slash is added", async () => {
    const paths = { "/a?action=x&v={v}": { get: get() }, "/a#second": { get: get() }, b: { get: get() } };
    const { operations } = await compile({ openapi: "3.1.0", paths });
    expect(
      operations.map((operation) => send(operation, operation.path.includes("{v}") ? { v: "1" } : {}).url),
    ).toEqual([
      "https://api.example.com/a?action=x&v=1",
      "https://api.example.com/a",
      "https://api.example.com/b",
    ]);
    expect(new Set(operations.map(({ id }) => id)).size).toBe(3);
  });

  test("N1 two variables may share a segment", async () => {
    const operation = await only(at("/x/{a}.{b}", { get: get() }));
    expect(send(operation, { a: "1", b: "2" }).url).toBe("https://api.example.com/x/1.2");
  });

  test("N2 what has no id is named after method and path", async () => {
    expect((await only(at("/pets/{petId}/toys", { get: get() }))).id).toBe("get_pets_petId_toys");
  });

  test("N3 the operation's parameter replaces the path's of that name and place; undeclared variables are asked for, surplus ones are not", async () => {
    const path = (name: string, schema: Node): Node => ({ name, in: "path", schema });
    const operation = await only(
      at("/{a}/{b}", { parameters: [path("a", text), path("gone", text)], get: get(path("a", number)) }),
    );
    expect(operation.inputSchema).toMatchObject({ properties: { a: number, b: text }, required: ["a", "b"] });
    expect(Object.keys(propertiesOf(operation))).toEqual(["a", "b"]);
  });

  test("N4 deprecated operations say so, and can be left out", async () => {
    const document = at("/x", { get: { ...get(), summary: "Old.", deprecated: true }, put: get() });
    const { operations } = await compile(document);
    expect(operations.map(({ description, deprecated }) => [description, deprecated]).toSorted()).toEqual([
      ["Deprecated. Old.", true],
      ["PUT /x", false],
    ]);
    const kept = (await compile(document, { deprecated: "exclude" })).operations;
    expect(kept.map(({ method }) => method)).toEqual(["PUT"]);
  });

  test("N4 webhooks, callbacks and links are no tools; a document of webhooks alone is valid and empty", async () => {
    const called = { "{$request.body#/url}": { post: post(text) } };
    const operation = {
      ...get(),
      callbacks: { done: called },
      responses: { 200: { links: { next: { operationId: "x" } } } },
    };
    expect(
      (await compile(at("/x", { get: operation }, { webhooks: { w: { post: post(text) } } }))).operations,
    ).toHaveLength(1);
    expect(await compile({ openapi: "3.1.0", webhooks: { w: { post: post(text) } } })).toMatchObject({
      operations: [],
      diagnostics: [{ severity: "information", code: "no-operations" }],
    });
  });

  test("N5 hints follow the method", async () => {
    const { operations } = await compile(at("/x", { get: get(), put: get(), post: get(), delete: get() }));
    const hints = operations.map(
      ({ method, annotations: { readOnlyHint, destructiveHint, idempotentHint } }) => [
        method,
        readOnlyHint,
        destructiveHint,
        idempotentHint,
      ],
    );
    expect(hints.toSorted()).toEqual([
      ["DELETE", false, true, true],
      ["GET", true, false, true],
      ["POST", false, false, false],
      ["PUT", false, false, true],
    ]);
  });
});

describe("input schema", () => {
  test("I1 members of the body are arguments beside parameters; with a name in common the body is one argument", async () => {
    const id = { name: "id", in: "query", schema: text };
    const apart = await only(at("/x", { post: { ...post(object({ a: text })), parameters: [id] } }));
    expect(Object.keys(propertiesOf(apart))).toEqual(["id", "a"]);
    const shared = await only(at("/x", { post: { ...post(object({ id: text })), parameters: [id] } }));
    expect(Object.keys(propertiesOf(shared))).toEqual(["id", "body"]);
  });

  test.each([
    ["an array", { type: "array", items: text }],
    ["a scalar", text],
    ["a union", { oneOf: [object({ a: text }), object({ b: text })] }],
    ["a dictionary", { type: "object", additionalProperties: text }],
    ["open", { ...object({ a: text }), additionalProperties: true }],
  ])("I1 a body that is %s is the one argument `body`", async (_name, schema) => {
    expect(Object.keys(propertiesOf(await only(at("/x", { post: post(schema) }))))).toEqual(["body"]);
  });

  test("I2 names that clients refuse are replaced, and the wire keeps its own", async () => {
    const query = ["$filter", "filter[name]", "x".repeat(70)].map((name) => ({
      name,
      in: "query",
      schema: text,
    }));
    const operation = await only(at("/x", { get: get(...query) }));
    expect(Object.keys(propertiesOf(operation)).slice(0, 2)).toEqual(["filter", "filter_name"]);
    expect(send(operation, { filter: "a", filter_name: "b" }).url).toBe(
      "https://api.example.com/x?$filter=a&filter[name]=b",
    );
  });

  test.each<readonly [string, Node, Node]>([
    ["nullable", { ...text, nullable: true }, { type: ["string", "null"] }],
    ["nullable: false", { ...text, nullable: false }, text],
    [
      "nullable beside an enum",
      { ...text, nullable: true, enum: ["a", null] },
      { anyOf: [{ ...text, enum: ["a"] }, { type: "null" }] },
    ],
    ["x-nullable", { ...text, "x-nullable": true }, { type: ["string", "null"] }],
    [
      "boolean exclusive limits",
      { ...number, minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false },
      { ...number, exclusiveMinimum: 1, maximum: 9 },
    ],
    ["XML and documentation", { ...text, xml: {}, externalDocs: {}, example: "e" }, text],
    ["format byte", { ...text, format: "byte" }, { ...text, contentEncoding: "base64" }],
    ["unknown formats", { ...number, format: "uint" }, number],
    ["an array without items", { type: "array" }, { type: "array", items: {} }],
    ["an object without properties", { type: "object" }, object({})],
    ["a tuple", { type: "array", items: [text] }, { type: "array", prefixItems: [text], items: {} }],
    ["required: true on a property", object({ a: { ...text, required: true } }), object({ a: text })],
    [
      "an enum of numbers",
      { enum: [1, 2, 2] },
      {
        anyOf: [
          { ...number, const: 1 },
          { ...number, const: 2 },
        ],
      },
    ],
    ["an empty enum", { ...text, enum: [] }, text],
    ["an enum of another type", { ...number, enum: ["1"] }, { ...number, const: 1 }],
    [
      "needless escapes in a pattern",
      { ...text, pattern: "^[a\\-z]\\_$" },
      { ...text, pattern: "^[a\\-z]_$" },
    ],
    ["a pattern of another dialect", { ...text, pattern: "(?i)x" }, text],
  ])("I3 %s", async (_name, written, expected) => {
    expect(await convert(written, "3.0.0")).toEqual(expected);
  });

  test("I3 a pattern that is dropped is told", async () => {
    const operation = await only(at("/x", { post: post(object({ a: { ...text, pattern: "(?i)x" } })) }));
    expect(operation.notes).toEqual([
      "`a`: the pattern `(?i)x` is no regular expression of JSON Schema and is not checked.",
    ]);
  });

  test("I4 read-only members are not asked for, write-only ones not promised", async () => {
    const schema = object({ id: { ...text, readOnly: true }, key: { ...text, writeOnly: true }, a: text }, [
      "id",
      "a",
    ]);
    const answer = { responses: { 200: { content: { "application/json": { schema } } } } };
    const operation = await only(at("/x", { post: { ...post(schema), ...answer } }));
    expect(operation.inputSchema).toMatchObject({ properties: { key: text, a: text }, required: ["a"] });
    expect(Object.keys(propertiesOf(operation))).toEqual(["key", "a"]);
    expect(Object.keys(nodeOf(operation.outputSchema?.["properties"]))).toEqual(["id", "a"]);
  });

  test("I4 what can have one value only is filled in; other defaults are described and not sent", async () => {
    const query = (name: string, required: boolean, schema: Node): Node => ({
      name,
      in: "query",
      required,
      schema,
    });
    const operation = await only(
      at("/x", {
        get: get(
          query("v", true, { ...text, enum: ["2"] }),
          query("n", true, { ...number, default: 5 }),
          query("o", false, { ...number, default: 6 }),
        ),
      }),
    );
    expect(operation.inputSchema["required"]).toBeUndefined();
    expect(send(operation, {}).url).toBe("https://api.example.com/x?v=2&n=5");
    expect(propertiesOf(operation)).toMatchObject({ o: { default: 6 } });
  });

  test("I5 `allOf` is merged", async () => {
    const schema = { allOf: [object({ a: text }, ["a"]), { allOf: [object({ b: number })] }] };
    expect((await only(at("/x", { post: post(schema) }))).inputSchema).toMatchObject({
      properties: { a: text, b: number },
      required: ["a"],
    });
  });

  const bark = object({ bark: { type: "boolean" } }, ["bark"]);
  const pets = (discriminator: unknown): Node => ({
    Pet: { ...object({ kind: text, name: text }, ["kind"]), discriminator },
    Dog: { allOf: [{ $ref: "#/components/schemas/Pet" }, bark] },
    Cat: { allOf: [{ $ref: "#/components/schemas/Pet" }, object({ claws: number })] },
  });
  const mapping = { dog: "#/components/schemas/Dog", cat: "Cat" };
  const pet = { $ref: "#/components/schemas/Pet" };

  test("I5 children of a base are alternatives, told apart by the mapping", async () => {
    const told = (value: string): Node => ({ ...text, enum: [value] });
    expect(await convert(pet, "3.0.0", pets({ propertyName: "kind", mapping }))).toEqual({
      ...object({ kind: text, name: text }, ["kind"]),
      anyOf: [
        { ...object({ bark: { type: "boolean" }, kind: told("dog") }), required: ["bark"] },
        object({ claws: number, kind: told("cat") }),
      ],
    });
  });

  test("I5 where a base may stand for itself, its children's members may be given; names are only shown", async () => {
    expect(await convert(pet, "3.0.0", pets({ propertyName: "kind" }))).toEqual(
      object(
        { kind: { ...text, examples: ["Dog", "Cat"] }, name: text, bark: { type: "boolean" }, claws: number },
        ["kind"],
      ),
    );
  });

  test("I5 a base that is the body gives its members and those of its children as arguments, without a choice at the root", async () => {
    const schemas = pets({ propertyName: "kind", mapping });
    const operation = await only(at("/x", { post: post(pet) }, { components: { schemas } }));
    expect(operation.inputSchema).toMatchObject({
      properties: {
        kind: { ...text, enum: ["dog", "cat"] },
        name: text,
        bark: { type: "boolean" },
        claws: number,
      },
      required: ["kind"],
    });
  });

  test("I5 a child is itself, and not one of its siblings", async () => {
    const schemas = pets({ propertyName: "kind", mapping });
    expect(await convert({ $ref: "#/components/schemas/Dog" }, "3.0.0", schemas)).toEqual(
      object({ kind: text, name: text, bark: { type: "boolean" } }, ["kind", "bark"]),
    );
  });

  test("I5 2.0 names the children by themselves, or by an extension", async () => {
    const definitions = {
      Pet: { ...object({ kind: text }), discriminator: "kind" },
      Dog: { "x-ms-discriminator-value": "#dog", allOf: [{ $ref: "#/definitions/Pet" }, bark] },
      Puppy: { allOf: [{ $ref: "#/definitions/Dog" }, object({ age: number })] },
    };
    const body = {
      name: "b",
      in: "body",
      required: true,
      schema: object({ pet: { $ref: "#/definitions/Pet" } }),
    };
    const operation = await only({ swagger: "2.0", paths: { "/x": { post: get(body) } }, definitions });
    expect(propertiesOf(operation)["pet"]).toEqual(
      object({ kind: { ...text, examples: ["#dog", "Puppy"] }, bark: { type: "boolean" }, age: number }),
    );
  });

  test("I5 a child that holds its base again is finite", async () => {
    const schemas = {
      ...pets({ propertyName: "kind", mapping }),
      Dog: { allOf: [pet, object({ friends: { type: "array", items: pet } })] },
    };
    expect(await convert(pet, "3.0.0", schemas)).toEqual({ $ref: "#/$defs/Pet" });
  });

  test("I5 more children than fit are named and not written out", async () => {
    const wide = object(
      Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`member${index}`, text])),
    );
    const schemas = { ...pets({ propertyName: "kind", mapping }), Dog: { allOf: [pet, wide] } };
    const operation = await only(at("/x", { post: post(object({ pet })) }, { components: { schemas } }));
    expect(propertiesOf(operation)["pet"]).toEqual(
      object({ kind: { ...text, enum: ["dog", "cat"] }, name: text }, ["kind"]),
    );
    expect(operation.notes).toEqual(["`pet`: the members of its forms (`Dog`, `Cat`) are not shown."]);
  });

  test("I5 branches of a union have the values that the mapping gives them", async () => {
    const schemas = { A: object({ kind: text, a: text }), B: object({ b: text }) };
    const union = {
      oneOf: ["A", "B"].map((name) => ({ $ref: `#/components/schemas/${name}` })),
      discriminator: { propertyName: "kind", mapping: { first: "A", "2nd": "#/components/schemas/B" } },
    };
    expect(await convert(union, "3.0.0", schemas)).toEqual({
      anyOf: [
        object({ kind: { ...text, enum: ["first"] }, a: text }),
        object({ b: text, kind: { ...text, enum: ["2nd"] } }),
      ],
    });
  });

  test("I6 recursion stays a reference to a definition", async () => {
    const schemas = { Node: object({ next: { $ref: "#/components/schemas/Node" } }) };
    const operation = await only(
      at(
        "/x",
        { post: post(object({ x: { $ref: "#/components/schemas/Node" } })) },
        { components: { schemas } },
      ),
    );
    expect(operation.inputSchema).toMatchObject({
      properties: { x: { $ref: "#/$defs/Node" } },
      $defs: { Node: object({ next: { $ref: "#/$defs/Node" } }) },
    });
  });

  const keyed = {
    components: { securitySchemes: { key: { type: "apiKey", in: "query", name: "api_key" } } },
    paths: {
      "/x": {
        get: get(
          { name: "api_key", in: "query", schema: text },
          { name: "Accept", in: "header", schema: text },
          { name: "sid", in: "cookie", schema: text },
          { name: "f", in: "query", content: { "application/json": { schema: object({ a: number }) } } },
        ),
      },
    },
  };

  test("I7 reserved headers and what the connection sends are no arguments; cookies and JSON in parameters are", async () => {
    const operation = await only({ openapi: "3.1.0", ...keyed });
    expect(Object.keys(propertiesOf(operation))).toEqual(["sid", "f"]);
    expect(send(operation, { sid: "1;x", f: { a: 1 } })).toMatchObject({
      url: "https://api.example.com/x?f=%7B%22a%22%3A1%7D",
      headers: { cookie: "sid=1%3Bx" },
    });
    expect(operation.notes).toHaveLength(2);
  });

  test("I7 an API key is an argument where there is no connection that sends it", async () => {
    const operation = await only({ openapi: "3.1.0", ...keyed }, { connection: undefined, sends: undefined });
    expect(Object.keys(propertiesOf(operation))).toEqual(["api_key", "sid", "f"]);
  });

  test("I8 what a schema may cost is an option: the deepest levels go first, and where is told", async () => {
    const deep = object({
      level: object({
        deeper: object({ deepest: object({ a: text }), pad: { ...text, description: "x".repeat(900) } }),
      }),
    });
    const document = at("/x", { post: post(object({ small: text, deep })) });
    expect((await only(document)).notes).toBeUndefined();
    const operation = await only(document, { schemaBudget: 500 });
    expect(JSON.stringify(operation.inputSchema).length).toBeLessThan(500);
    expect(operation.notes).toEqual([expect.stringMatching(/^Too large: what is inside of `deep/)]);
    expect(propertiesOf(operation)["small"]).toEqual(text);
  });
});

describe("several media types of one request", () => {
  const schemaOf = (...names: readonly string[]): Node => ({
    schema: object(
      Object.fromEntries(names.map((name) => [name, name === "file" ? { ...text, format: "binary" } : text])),
      names.slice(0, 1),
    ),
  });
  const body = (content: Node, required = true): Node =>
    at("/x", { post: { requestBody: { required, content }, responses: {} } });

  test("R4 JSON is preferred, and the same in another spelling is no choice", async () => {
    const operation = await only(
      body({
        "application/xml": schemaOf("a"),
        "application/x-www-form-urlencoded": schemaOf("a"),
        "application/json": schemaOf("a"),
        "*/*": schemaOf("a"),
      }),
    );
    expect(httpOf(operation).body).toMatchObject({ mediaType: "application/json" });
    expect(Object.keys(propertiesOf(operation))).toEqual(["a"]);
  });

  test("R4 what only another form can carry may be given too: it is chosen by the arguments, or by name", async () => {
    const operation = await only(
      body({ "multipart/form-data": schemaOf("a", "file"), "application/json": schemaOf("a", "url") }),
    );
    expect(operation.inputSchema).toMatchObject({
      properties: { a: text, url: text, contentType: { enum: ["application/json", "multipart/form-data"] } },
      required: ["a"],
    });
    const typeOf = (values: object): string | undefined => send(operation, values).headers["content-type"];
    expect(typeOf({ a: "1" })).toBe("application/json");
    expect(typeOf({ a: "1", url: "u" })).toBe("application/json");
    expect(typeOf({ a: "1", file: "aGk=" })).toMatch(/^multipart\/form-data; boundary=/);
    expect(typeOf({ a: "1", contentType: "multipart/form-data" })).toMatch(
      /^multipart\/form-data; boundary=/,
    );
    expect(() => typeOf({ a: "1", file: "aGk=", contentType: "application/json" })).toThrow(
      "A body of `application/json` has no place for `file`.",
    );
  });

  test("R4 forms that are no objects of members share the argument `body`", async () => {
    const operation = await only(body({ "application/json": schemaOf("a"), "text/csv": { schema: text } }));
    expect(propertiesOf(operation)).toMatchObject({ body: { anyOf: [schemaOf("a").schema, text] } });
    expect(send(operation, { body: "1,2", contentType: "text/csv" })).toMatchObject({
      headers: { "content-type": "text/csv" },
      body: "1,2",
    });
    expect(send(operation, { body: { a: "1" } })).toMatchObject({ body: '{"a":"1"}' });
  });

  test("R4 kinds of patches are different things, whatever the document says of them", async () => {
    const schema = { schema: { type: "object" } };
    const operation = await only(
      body({ "application/json-patch+json": schema, "application/merge-patch+json": schema }),
    );
    expect(httpOf(operation).body).toMatchObject({ mediaType: "application/merge-patch+json" });
    const steps = [{ op: "remove", path: "/a" }];
    expect(send(operation, { body: steps, contentType: "application/json-patch+json" })).toMatchObject({
      headers: { "content-type": "application/json-patch+json" },
      body: JSON.stringify(steps),
    });
  });

  test("R4 the choice of a file's type", async () => {
    const operation = await only(body({ "image/png": {}, "image/jpeg": {} }));
    expect(propertiesOf(operation)).toMatchObject({ contentType: { enum: ["image/png", "image/jpeg"] } });
    expect(send(operation, { body: "aGk=", contentType: "image/jpeg" }).headers["content-type"]).toBe(
      "image/jpeg",
    );
  });

  test("R4 a parameter of that name keeps the choice apart", async () => {
    const content = { "application/json": schemaOf("a"), "multipart/form-data": schemaOf("a", "file") };
    const operation = await only(
      at("/x", {
        post: {
          parameters: [{ name: "contentType", in: "query", schema: text }],
          requestBody: { required: true, content },
          responses: {},
        },
      }),
    );
    expect(Object.keys(propertiesOf(operation))).toEqual([
      "contentType_query",
      "a",
      "file",
      "contentType_header",
    ]);
  });

  test("R4 no body, no Content-Type", async () => {
    const operation = await only(
      body({ "application/json": schemaOf("a"), "text/csv": { schema: text } }, false),
    );
    expect(send(operation, { contentType: "text/csv" })).toMatchObject({ body: undefined });
    expect(send(operation, {}).headers["content-type"]).toBeUndefined();
  });
});

describe("servers", () => {
  const place = surfaceOf("").place;
  const servers = [
    {
      url: "https://{region}.a.example/{version}",
      description: "Production",
      variables: { region: { default: "us", enum: ["us", "eu"] }, version: { default: "v1" } },
    },
    { url: "https://sandbox.a.example", description: "Sandbox", name: "box" },
  ];
  const own = {
    "/own": {
      servers: [{ url: "https://b.example" }, { url: "https://sandbox.b.example", description: "Sandbox" }],
      get: get(),
    },
  };
  const document = { openapi: "3.2.0", servers, paths: { "/x": { get: get() }, ...own } };
  const addresses = async (choice: Partial<OpenApiSurface>): Promise<unknown> => {
    const { operations, diagnostics } = await compile(document, { baseUrl: undefined, ...choice });
    return operations.length > 0 ? operations.map((one) => httpOf(one).baseUrl) : diagnostics;
  };
  const server = (value: number | string): Partial<OpenApiSurface> => ({ server: { value, place } });
  const variable = (name: string, value: string): Partial<OpenApiSurface> => ({
    serverVariables: { [name]: { value, place } },
  });

  test.each<readonly [string, Partial<OpenApiSurface>, readonly string[]]>([
    ["nothing is said", {}, ["https://us.a.example/v1", "https://b.example"]],
    ["its number", server(1), ["https://sandbox.a.example", "https://b.example"]],
    ["its URL", server("https://sandbox.a.example/"), ["https://sandbox.a.example", "https://b.example"]],
    ["its name", server("BOX"), ["https://sandbox.a.example", "https://b.example"]],
    ["its description", server("sandbox"), ["https://sandbox.a.example", "https://sandbox.b.example"]],
    ["a variable", variable("region", "eu"), ["https://eu.a.example/v1", "https://b.example"]],
    [
      "a variable without a list",
      variable("version", "v9"),
      ["https://us.a.example/v9", "https://b.example"],
    ],
  ])("R5 the server is chosen by: %s", async (_name, choice, expected) => {
    expect(await addresses(choice)).toEqual(expected);
  });

  test.each<readonly [string, Partial<OpenApiSurface>, string]>([
    [
      "a number that is not there",
      server(7),
      "The document has no server `7`. It lists 0: `https://us.a.example/v1`",
    ],
    ["a misspelt description", server("sandbux"), "Did you mean `Sandbox`?"],
    ["an address of its own", server("https://c.example"), "goes into `base_url`"],
    ["an unknown variable", variable("regoin", "eu"), "Did you mean `region`?"],
    ["a value that is not listed", variable("region", "mars"), "can't be `mars`, only `us`, `eu`"],
    [
      "a choice beside base_url",
      { ...server(0), baseUrl: "https://c.example" },
      "`base_url` replaces all servers",
    ],
  ])("R5 no call goes elsewhere than asked: %s", async (_name, choice, message) => {
    expect(await addresses(choice)).toMatchObject([{ severity: "error", code: "unknown-server", place }]);
    expect(JSON.stringify(await addresses(choice))).toContain(message);
  });

  test("R5 a private address of a fetched document counts as the operator's when the file names it", async () => {
    const fetched = { kind: "url", url: "https://docs.example/d.json", place } as const;
    const inside = at(
      "/x",
      { get: get() },
      { servers: [{ url: "https://a.example" }, { url: "http://10.0.0.1/v1" }] },
    );
    const surface = { baseUrl: undefined, document: fetched };
    expect((await compile(inside, { ...surface, ...server(1) })).operations).toEqual([]);
    const operation = await only(inside, { ...surface, ...server("http://10.0.0.1/v1") });
    expect(httpOf(operation)).toMatchObject({ baseUrl: "http://10.0.0.1/v1", addressFrom: "operator" });
  });

  test("R5 2.0: the scheme is chosen by the URL", async () => {
    const old = {
      swagger: "2.0",
      host: "a.example",
      schemes: ["http", "https"],
      paths: { "/x": { get: get() } },
    };
    expect(httpOf(await only(old, { baseUrl: undefined })).baseUrl).toBe("https://a.example");
    expect(httpOf(await only(old, { baseUrl: undefined, ...server("http://a.example") })).baseUrl).toBe(
      "http://a.example",
    );
  });
});

describe("security", () => {
  const securitySchemes = {
    header: { type: "apiKey", in: "header", name: "X-Key" },
    query: { type: "apiKey", in: "query", name: "key" },
    cookie: { type: "apiKey", in: "cookie", name: "sid" },
    basic: { type: "http", scheme: "Basic" },
    bearer: { type: "http", scheme: "bearer" },
    digest: { type: "http", scheme: "digest" },
    oauth: { type: "oauth2", flows: {} },
    oidc: { type: "openIdConnect", openIdConnectUrl: "https://a.example" },
    tls: { type: "mutualTLS" },
  };
  const mismatch = async (security: unknown, sends: readonly string[]): Promise<readonly string[]> => {
    const document = at("/x", { get: { ...get(), security } }, { components: { securitySchemes } });
    const { diagnostics } = await compile(document, { sends });
    return diagnostics.map(({ severity, code, message }) => `${severity} ${code} ${message}`);
  };

  test.each<readonly [string, readonly string[]]>([
    ["header", ["header:x-key"]],
    ["query", ["query:key"]],
    ["cookie", ["cookie:sid"]],
    ["basic", ["basic"]],
    ["bearer", ["bearer"]],
    ["digest", ["bearer", "header:authorization"]],
    ["oauth", ["bearer"]],
    ["oidc", ["bearer"]],
  ])("R6 %s is served by a connection of its kind, and only by one", async (name, sends) => {
    expect(await mismatch([{ [name]: [] }], sends)).toEqual([]);
    expect(await mismatch([{ [name]: [] }], ["header:x-other"])).toEqual([
      expect.stringMatching(new RegExp(`^warning credential-mismatch .*\\(scheme \`${name}\`\\)`)),
    ]);
  });

  test("R6 one of the alternatives is enough, all of one are needed, an empty one asks for nothing", async () => {
    expect(await mismatch([{ tls: [] }, { bearer: [] }], ["bearer"])).toEqual([]);
    expect(await mismatch([{ bearer: [], header: [] }], ["bearer"])).toHaveLength(1);
    expect(await mismatch([{ header: [] }, {}], ["bearer"])).toEqual([]);
    expect(await mismatch([{ unknown: [] }], ["bearer"])).toEqual([]);
    expect(await mismatch([{ tls: [] }], [])).toEqual([]);
  });

  test("R6 it is said once for the surface, naming the scheme and the connection", async () => {
    const paths = Object.fromEntries(["/a", "/b", "/c"].map((path) => [path, { get: get() }]));
    const document = {
      openapi: "3.1.0",
      paths,
      security: [{ header: [] }, { query: [], basic: [] }],
      components: { securitySchemes },
    };
    const { diagnostics } = await compile(document, { sends: ["bearer", "header:authorization"] });
    expect(diagnostics.map(({ message }) => message)).toEqual([
      "3 operations (such as `GET /a`) ask for an API key in header `X-Key` (scheme `header`), or an API key in query `key` (scheme `query`) and HTTP basic authentication (scheme `basic`), but connection `default` sends a bearer token. The upstream may refuse these calls; change the connection if it does.",
    ]);
  });

  test("R6 an operation's empty list asks for nothing", async () => {
    const document = at(
      "/x",
      { get: { ...get(), security: [] } },
      { security: [{ header: [] }], components: { securitySchemes } },
    );
    expect(await compile(document)).toMatchObject({
      operations: [{ connection: undefined }],
      diagnostics: [],
    });
  });
});

describe("answers", () => {
  const answers = (responses: Node): Node => at("/x", { get: { responses } });
  const json = (schema: Node): Node => ({ content: { "application/json": { schema } } });

  test("S1 the answer's schema is that of the exact code, of the range, or of the default", async () => {
    const [first, second] = [object({ a: text }), object({ b: text })].map(json);
    for (const responses of [
      { 200: first, default: second },
      { "2XX": first, 404: second },
      { default: first },
    ]) {
      const operation = await only(answers(responses));
      expect(Object.keys(nodeOf(operation.outputSchema?.["properties"]))).toEqual(["a"]);
    }
  });

  test("S2 no answer breaks the description of it: nothing required, no limits, anything may be null or more", async () => {
    const schema = {
      ...object({ a: { ...text, maxLength: 1, enum: ["x"], format: "email", pattern: "x" } }, ["a"]),
      additionalProperties: false,
    };
    expect((await only(answers({ 200: json(schema) }))).outputSchema).toEqual({
      type: "object",
      properties: { a: { type: ["string", "null"] } },
    });
  });
});
