import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { validate } from "../../src/cli/validate.ts";
import { runGateway } from "../e2e/start-gateway.ts";
import { recordingConsole, writeFolder } from "./system.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

/** A server that documents refer to and nobody may ask. */
let elsewhere: Upstream;
beforeAll(async () => {
  elsewhere = await startUpstream();
});
afterAll(async () => {
  await elsewhere[Symbol.asyncDispose]();
});

const canary = "canary-of-a-file-outside";
const head = 'openapi: 3.1.0\ninfo: {title: a, version: "1"}\n';
const operation = (parts: object): string =>
  JSON.stringify({
    openapi: "3.1.0",
    info: { title: "a", version: "1" },
    paths: { "/go": { post: { operationId: "go", responses: {}, ...parts } } },
  });
const body = (schema: unknown): string =>
  operation({ requestBody: { required: true, content: { "application/json": { schema } } } });
const bodyText = (schema: string): string => body("SCHEMA").replace('"SCHEMA"', () => schema);
const deep = (levels: number, open: string, inner: string, close: string): string =>
  open.repeat(levels) + inner + close.repeat(levels);
const many = (count: number, make: (index: number) => string, glue = ","): string =>
  Array.from({ length: count }, (_none, index) => make(index)).join(glue);

const bomb = (levels: number, wide: number): string =>
  `${many(levels, (index) => `l${index}: &l${index} [${index === 0 ? "x" : many(wide, () => `*l${index - 1}`)}]`, "\n")}\n`;

/** Hostile OpenAPI documents. */
const openapi: Readonly<Record<string, string>> = {
  "an alias bomb of 9 levels": head + bomb(9, 9),
  "an alias bomb of 40 levels": head + bomb(40, 2),
  "an alias bomb below paths": `${head}x-a: &a {get: {responses: {}}}\npaths:\n${many(3_000, (index) => `  /p${index}: *a`, "\n")}\n`,
  "an alias that holds itself": `${head}paths: &p {/go: *p}\n`,
  "a merge of itself": `${head}paths: &p\n  <<: *p\n`,
  "a merge bomb": `${head}${many(30, (index) => `m${index}: &m${index} {${index === 0 ? "a: 1" : `<<: [*m${index - 1}, *m${index - 1}]`}}`, "\n")}\n`,
  "a js function tag": `${head}paths: !!js/function "function(){ process.exit(7) }"\n`,
  "a js undefined tag": `${head}paths: !!js/undefined\n`,
  "a js regexp tag": `${head}paths: !!js/regexp /(a+)+$/\n`,
  "a python tag": `${head}paths: !!python/object/apply:os.system ["id"]\n`,
  "a ruby tag": `${head}paths: !ruby/object:Gem::Installer {i: x}\n`,
  "a local tag": `${head}paths: !include ../outside/secret.json\n`,
  "a binary tag": `${head}paths: !!binary aGk=\n`,
  "a set tag": `${head}paths: !!set {? a, ? b}\n`,
  "a timestamp": `${head}paths: !!timestamp 2001-12-14t21:59:43.10-05:00\n`,
  "a tag directive": `%TAG ! tag:evil.example,2000:\n---\n${head}paths: {}\n`,
  "two documents": `${head}paths: {}\n---\n${head}paths: {}\n`,
  "an unending flow": `${head}paths: ${"[".repeat(5_000)}`,
  "an unending block": `${head}paths:\n${many(5_000, (index) => `${" ".repeat(Math.min(index, 500))}- `, "\n")}`,
  "an unending quoted text": `${head}a: "${"x".repeat(100_000)}`,
  "keys that are lists": `${head}? [a, b]\n: c\npaths: {}\n`,
  "keys that are null": `${head}~: 1\n? \n: 2\npaths: {}\n`,
  "duplicate keys": `${head}paths: {}\npaths: {/go: {get: {}}}\n`,
  "tabs as indentation": `${head}paths:\n\t/go: {}\n`,
  "a NUL inside": `${head}paths: {"/a\\0b": {get: {responses: {}}}}\n`,
  "a raw NUL": `${head}paths: \0\n`,
  "only white space": " \n\t\n",
  "only a byte order mark": "\ufeff",
  "10,000 levels of JSON": deep(10_000, '{"a":', "1", "}"),
  "300 levels of JSON": deep(300, '{"a":', "1", "}"),
  "10,000 levels of lists": deep(10_000, "[", "", "]"),
  "JSON that is no object": '"openapi"',
  "JSON that is a number": "3.1",
  "a web page": "<!DOCTYPE html><html><script>fetch('/')</script></html>",
  "a name for a version": '{"openapi":{"toString":"3.1.0"},"paths":{}}',
  "a version of another world": '{"openapi":"9.9.9","paths":{}}',
  "both versions": '{"openapi":"3.1.0","swagger":"2.0","paths":{}}',
  "paths that are a list": '{"openapi":"3.1.0","paths":[{"get":{}}]}',
  "paths that are a text": '{"openapi":"3.1.0","paths":"/go"}',
  "operations that are null":
    '{"openapi":"3.1.0","paths":{"/go":{"get":null,"post":5,"put":[],"delete":"x"}}}',
  "__proto__ as a path": '{"openapi":"3.1.0","paths":{"__proto__":{"get":{"operationId":"polluted"}}}}',
  "__proto__ as a method": '{"openapi":"3.1.0","paths":{"/go":{"__proto__":{"operationId":"polluted"}}}}',
  "__proto__ as an operation id": operation({ operationId: "__proto__" }),
  "constructor as an operation id": operation({ operationId: "constructor" }),
  "__proto__ as a parameter": operation({ parameters: [{ name: "__proto__", in: "query", schema: {} }] }),
  "__proto__ as a member": bodyText(
    '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{}},"required":["__proto__"]}',
  ),
  "__proto__ as a schema": bodyText('{"$ref":"#/components/schemas/__proto__"}'),
  "a reference through the prototype": bodyText('{"$ref":"#/__proto__/toString"}'),
  "a reference to constructor": bodyText('{"$ref":"#/constructor/prototype"}'),
  "__proto__ in components":
    '{"openapi":"3.1.0","paths":{},"components":{"__proto__":{"schemas":{"polluted":{}}}}}',
  "a reference to itself": body({ $ref: "#/paths/~1go/post/requestBody/content/application~1json/schema" }),
  "references in a circle": `{"openapi":"3.1.0","paths":{"/go":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}}}}},"components":{"schemas":{"A":{"$ref":"#/components/schemas/B"},"B":{"$ref":"#/components/schemas/A"}}}}`,
  "a path that refers to itself": '{"openapi":"3.1.0","paths":{"/go":{"$ref":"#/paths/~1go"}}}',
  "a parameter that refers to itself":
    '{"openapi":"3.1.0","paths":{"/go":{"get":{"parameters":[{"$ref":"#/paths/~1go/get/parameters/0"}]}}}}',
  "a request body that refers to itself": operation({
    requestBody: { $ref: "#/paths/~1go/post/requestBody" },
  }),
  "a response that refers to itself": operation({
    responses: { 200: { $ref: "#/paths/~1go/post/responses/200" } },
  }),
  "a chain of 5,000 references": `{"openapi":"3.1.0","paths":{"/go":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/s0"}}}}}}},"components":{"schemas":{${many(5_000, (index) => `"s${index}":{"$ref":"#/components/schemas/s${index + 1}"}`)}}}}`,
  "references that double at each of 40 levels": `{"openapi":"3.1.0","paths":{"/go":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/s0"}}}}}}},"components":{"schemas":{${many(40, (index) => `"s${index}":{"type":"object","properties":{"a":{"$ref":"#/components/schemas/s${index + 1}"},"b":{"$ref":"#/components/schemas/s${index + 1}"}}}`)},"s40":{}}}}`,
  "allOf that doubles at each of 30 levels": `{"openapi":"3.1.0","paths":{"/go":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/s0"}}}}}}},"components":{"schemas":{${many(30, (index) => `"s${index}":{"allOf":[{"$ref":"#/components/schemas/s${index + 1}"},{"$ref":"#/components/schemas/s${index + 1}"}]}`)},"s30":{"type":"object"}}}}`,
  "allOf and properties that multiply at each of 40 levels": `{"openapi":"3.1.0","paths":{"/go":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/s0"}}}}}}},"components":{"schemas":{${many(40, (index) => `"s${index}":{"allOf":[{"$ref":"#/components/schemas/s${index + 1}"},{"$ref":"#/components/schemas/s${index + 1}"}],"properties":{${many(20, (key) => `"p${key}":{"$ref":"#/components/schemas/s${index + 1}"}`)}}}`)},"s40":{"type":"object"}}}}`,
  "a file outside by a relative path": body({ $ref: "../outside/secret.json" }),
  "a file outside by an absolute path": body({ $ref: "/etc/passwd" }),
  "a file outside by a URL": body({ $ref: "file:///etc/passwd#/a" }),
  "a file outside by a Windows path": body({ $ref: "C:\\Windows\\win.ini" }),
  "a network share": body({ $ref: "\\\\server\\share\\x.json" }),
  "a file outside as a path item": '{"openapi":"3.1.0","paths":{"/go":{"$ref":"../outside/secret.json"}}}',
  "a file outside as a parameter": operation({ parameters: [{ $ref: "../outside/secret.json#/a" }] }),
  "a file outside as an example": body({ example: { $ref: "../outside/secret.json" }, type: "object" }),
  "a document over HTTP": body({ $ref: "ELSEWHERE/schema.json" }),
  "a document over HTTP as a path item": '{"openapi":"3.1.0","paths":{"/go":{"$ref":"ELSEWHERE/path.json"}}}',
  "the cloud's metadata": body({ $ref: "http://169.254.169.254/latest/meta-data/" }),
  "a reference that is an object": body({ $ref: { a: 1 } }),
  "a reference with broken escapes": body({ $ref: "#/components/%zz/~2" }),
  "a reference of a megabyte": body({ $ref: `#/${"a/".repeat(500_000)}` }),
  "an $id elsewhere": body({ $id: "ELSEWHERE/id", $ref: "other" }),
  "a description of a megabyte": operation({ description: "x".repeat(1_000_000) }),
  "a description of a megabyte of line breaks": operation({ description: "\n".repeat(1_000_000) }),
  "a summary of a megabyte of spaces": operation({ summary: `${" ".repeat(1_000_000)}x` }),
  "a title of bidirectional controls": operation({
    summary: "\u202egnp.exe\u2066",
    description: "\u200b\u2060\u{e0041}",
  }),
  "an escape sequence in a description": operation({ description: "\u001b]0;owned\u0007\u001b[2J" }),
  "an escape sequence in an operation id": operation({ operationId: "\u001b[31mgo\r\n" }),
  "an operation id of a megabyte": operation({ operationId: "x".repeat(1_000_000) }),
  "an operation id of nothing": operation({ operationId: "" }),
  "an operation id that is a path": operation({ operationId: "../../etc/passwd" }),
  "an operation id that is a number": operation({ operationId: 5 }),
  "equal operation ids": `{"openapi":"3.1.0","paths":{${many(300, (index) => `"/p${index}":{"get":{"operationId":"same","responses":{}}}`)}}}`,
  "operation ids that differ by case":
    '{"openapi":"3.1.0","paths":{"/a":{"get":{"operationId":"go"}},"/b":{"get":{"operationId":"GO"}}}}',
  "operation ids that look alike":
    '{"openapi":"3.1.0","paths":{"/a":{"get":{"operationId":"gо"}},"/b":{"get":{"operationId":"go"}}}}',
  "20,000 operations": `{"openapi":"3.1.0","paths":{${many(20_000, (index) => `"/p${index}":{"get":{"responses":{}}}`)}}}`,
  "2,000 parameters": operation({
    parameters: Array.from({ length: 2_000 }, (_none, index) => ({
      name: `p${index}`,
      in: "query",
      schema: {},
    })),
  }),
  "equal parameters": operation({
    parameters: Array.from({ length: 500 }, () => ({ name: "p", in: "query", schema: {} })),
  }),
  "a parameter of a megabyte": operation({
    parameters: [{ name: "p".repeat(1_000_000), in: "query", schema: {} }],
  }),
  "a parameter with a line break": operation({
    parameters: [{ name: "a\r\nX-Evil: 1", in: "header", schema: {} }],
  }),
  "parameters that are none": operation({
    parameters: [null, 5, "x", [], {}, { name: 5, in: 6 }, { in: "nowhere", name: "a" }],
  }),
  "a path without end": `{"openapi":"3.1.0","paths":{"/${"a/".repeat(200_000)}":{"get":{}}}}`,
  "a path of braces": `{"openapi":"3.1.0","paths":{"/${"{".repeat(50_000)}":{"get":{}}}}`,
  "a path of 5,000 parameters": `{"openapi":"3.1.0","paths":{"/${many(5_000, (index) => `{a${index}}`, "/")}":{"get":{}}}}`,
  "a path with dots": '{"openapi":"3.1.0","paths":{"/../../admin":{"get":{}},"/%2e%2e/x":{"get":{}}}}',
  "a path to another host":
    '{"openapi":"3.1.0","paths":{"//evil.example/x":{"get":{}},"@evil.example":{"get":{}},"https://evil.example/x":{"get":{}}}}',
  "a path with a line break": '{"openapi":"3.1.0","paths":{"/a\\r\\nHost: evil":{"get":{}}}}',
  "a server in another scheme":
    '{"openapi":"3.1.0","servers":[{"url":"file:///etc"}],"paths":{"/go":{"get":{}}}}',
  "a server with variables of itself":
    '{"openapi":"3.1.0","servers":[{"url":"https://{a}.example","variables":{"a":{"default":"{a}{a}"}}}],"paths":{"/go":{"get":{}}}}',
  "a server of a megabyte": `{"openapi":"3.1.0","servers":[{"url":"https://${"a".repeat(1_000_000)}.example"}],"paths":{"/go":{"get":{}}}}`,
  "an enum of 200,000 texts": body({ enum: Array.from({ length: 200_000 }, (_none, index) => `v${index}`) }),
  "an enum of deep values": bodyText(`{"enum":[${deep(200, "[", "1", "]")}]}`),
  "anyOf of 20,000": body({ anyOf: Array.from({ length: 20_000 }, (_none, index) => ({ const: index })) }),
  "properties in 200 levels": bodyText(
    deep(100, '{"type":"object","properties":{"a":', '{"type":"string"}', "}}"),
  ),
  "20,000 properties": body({
    type: "object",
    properties: Object.fromEntries(
      Array.from({ length: 20_000 }, (_none, index) => [`p${index}`, { type: "string" }]),
    ),
  }),
  "a pattern that backtracks": body({
    type: "object",
    properties: { a: { type: "string", pattern: "^(a+)+$" } },
  }),
  "a pattern that is none": body({ type: "object", properties: { a: { type: "string", pattern: "(((" } } }),
  "a pattern of a megabyte": body({
    type: "object",
    properties: { a: { type: "string", pattern: "(a?)".repeat(250_000) } },
  }),
  "a default that does not fit": body({
    type: "object",
    properties: { a: { type: "string", default: { b: [1] } } },
  }),
  "schemas that are no schemas": body({
    type: "object",
    properties: { a: 5, b: null, c: "x", d: [], e: { type: 7 }, f: { type: ["x"] } },
  }),
  "required that is no list": body({ type: "object", required: "a", properties: { a: {} } }),
  "a media type of a megabyte": operation({
    requestBody: { content: { ["x/".repeat(500_000)]: { schema: {} } } },
  }),
  "a media type with a line break": operation({
    requestBody: { required: true, content: { "text/plain\r\nX-Evil: 1": { schema: { type: "string" } } } },
  }),
  "a discriminator of itself": body({
    discriminator: { propertyName: "a", mapping: { a: "#/x", b: "ELSEWHERE/b" } },
    oneOf: [{ $ref: "#/x" }],
  }),
  "Swagger with a host elsewhere":
    '{"swagger":"2.0","host":"evil.example@x","basePath":"//y","schemes":["javascript"],"paths":{"/go":{"get":{}}}}',
  "numbers beyond all":
    '{"openapi":"3.1.0","paths":{"/go":{"get":{"parameters":[{"name":"a","in":"query","schema":{"type":"integer","maximum":1e999,"minLength":-1,"multipleOf":0}}]}}}}',
};

/** Hostile GraphQL schemas. */
const graphql: Readonly<Record<string, string>> = {
  nothing: "",
  "a query root that is missing": "type A { b: String }",
  "a type that extends itself": "type Query { a: Query! } extend type Query { a: Int }",
  "interfaces in a circle":
    "interface A implements B { a: Int } interface B implements A { a: Int } type Query { a: A }",
  "an input that needs itself": "input A { a: A! } type Query { q(a: A!): Int }",
  "10,000 list marks": `type Query { a: ${deep(10_000, "[", "Int", "]")} }`,
  "10,000 levels of a default": `type Query { a(b: [Int] = ${deep(10_000, "[", "1", "]")}): Int }`,
  "unions of each other": `union A = B union B = A type Query { a: A }`,
  "5,000 fields": `type Query { ${many(5_000, (index) => `f${index}: Int`, " ")} }`,
  "types that hold each other": `${many(200, (index) => `type T${index} { ${many(20, (other) => `f${other}: T${(index * 7 + other) % 200}`, " ")} }`, " ")} type Query { a: T0 }`,
  "names of the prototype": "type Query { __proto__: Int constructor: Int toString: Int }",
  "a description of a megabyte": `"${"x".repeat(1_000_000)}" type Query { a: Int }`,
  "a text without end": `"""${"x".repeat(10_000)}`,
  "directives in a circle": "directive @a(b: Int @a) on ARGUMENT_DEFINITION type Query { a: Int }",
  "a megabyte of commas": `type Query { a: Int } ${",".repeat(1_000_000)}`,
  "an introspection result that is none":
    '{"data":{"__schema":{"types":[{"kind":"OBJECT","name":"Query","fields":null}],"queryType":{"name":"Query"}}}}',
  "an introspection result of cycles":
    '{"__schema":{"queryType":{"name":"Q"},"types":[{"kind":"LIST","name":"Q","ofType":{"kind":"LIST"}}]}}',
};

/** Hostile configuration files. */
const configurations: Readonly<Record<string, string>> = {
  "an alias bomb": `${bomb(9, 9)}providers: *l8\n`,
  "providers in a circle": "providers: &p {a: *p}\n",
  "a function tag": 'providers: !!js/function "function(){}"\n',
  "__proto__ as a provider": "providers: {__proto__: {mcp_url: https://a.example.com}}\n",
  "a package outside": "providers: {a: {package: ../outside}}\n",
  "a package of itself": "providers: {a: {package: .}}\n",
  "a reference to a file outside in a text":
    'providers: {a: {mcp_url: "https://a.example.com/mcp", description: "${file:ABSENT}"}}\n',
  "a reference inside a reference": 'providers: {a: {mcp_url: "${env:${env:X}}"}}\n',
  "a million opening braces": "{".repeat(1_000_000),
  "a document that is the configuration itself":
    "providers: {a: {surfaces: {openapi: {document: ./gestalt.yaml, base_url: https://a.example.com}}}}\n",
  "a document that is a folder":
    "providers: {a: {surfaces: {openapi: {document: ., base_url: https://a.example.com}}}}\n",
  "a document that never ends":
    "providers: {a: {surfaces: {openapi: {document: /dev/zero, base_url: https://a.example.com}}}}\n",
  "a document that waits for a writer":
    "providers: {a: {surfaces: {openapi: {document: /dev/tty, base_url: https://a.example.com}}}}\n",
  "a document of random bytes":
    "providers: {a: {surfaces: {openapi: {document: /dev/urandom, base_url: https://a.example.com}}}}\n",
};

/** Validates a folder in this process; whatever throws is a crash. */
async function check(
  files: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly text: string }> {
  const folder = await writeFolder({
    ...files,
    "outside/secret.json": JSON.stringify({ a: canary, title: canary }),
  });
  const console = recordingConsole();
  try {
    const status = await validate(
      { config: join(folder.path, "gestalt.yaml"), online: false, format: "human", lint: true },
      console,
    );
    return { status, text: console.text() };
  } finally {
    await folder.remove();
  }
}

function checkReport({ status, text }: { readonly status: number; readonly text: string }): void {
  expect([0, 2]).toContain(status);
  expect(text.length).toBeLessThan(200_000);
  expect(text).not.toMatch(/ at .*\.(?:ts|js):\d+:\d+|internal error|\[object Object\]|undefined is not/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come out
  expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/);
  expect(text).not.toContain(canary);
  expect(text).not.toContain("root:x:0:0");
  expect(elsewhere.opened()).toBe(0);
  expect(Object.hasOwn(Object.prototype, "operationId")).toBe(false);
}

describe("OpenAPI documents", () => {
  const config =
    "providers: {p: {surfaces: {openapi: {document: ./sub/document, base_url: https://a.example.com}}}}\n";
  test.each(Object.entries(openapi))(
    "%s: bounded, no crash, nothing fetched, nothing read outside",
    async (_name, text) => {
      checkReport(
        await check({ "gestalt.yaml": config, "sub/document": text.replaceAll("ELSEWHERE", elsewhere.url) }),
      );
    },
  );
});

describe("GraphQL schemas", () => {
  const config =
    "providers: {p: {surfaces: {graphql: {url: https://a.example.com/graphql, schema: ./schema.graphql}}}}\n";
  test.each(Object.entries(graphql))("%s: bounded, no crash", async (_name, text) => {
    checkReport(await check({ "gestalt.yaml": config, "schema.graphql": text }));
  });
});

describe("configuration files", () => {
  test.each(Object.entries(configurations))("%s: bounded, no crash", async (_name, text) => {
    checkReport(await check({ "gestalt.yaml": text }));
  });
});

test.each([
  "an alias bomb of 40 levels",
  "allOf that doubles at each of 30 levels",
  "references that double at each of 40 levels",
  "an enum of 200,000 texts",
  "20,000 operations",
  "10,000 levels of JSON",
  "a pattern of a megabyte",
])("the built command validates %s within 400 MB of heap", async (name) => {
  const folder = await writeFolder({
    "gestalt.yaml":
      "providers: {p: {surfaces: {openapi: {document: ./document, base_url: https://a.example.com}}}}\n",
    document: openapi[name] ?? expect.fail(name),
  });
  const environment = { NODE_OPTIONS: "--max-old-space-size=400" };
  const { status, stdout, stderr } = await runGateway(["validate"], { cwd: folder.path, environment });
  checkReport({ status: status ?? -1, text: stdout + stderr });
  await folder.remove();
});

test("there are at least 120 hostile documents", () => {
  const all = [openapi, graphql, configurations].flatMap((list) => Object.keys(list));
  expect(all.length).toBeGreaterThanOrEqual(120);
});
