import { describe, expect, test } from "vitest";
import { exposeSurface } from "../../src/catalog/expose.ts";
import type { Tool } from "../../src/model/catalog.ts";
import { makeProvider } from "../catalog/fixtures.ts";
import { surfaceOf } from "./openapi/compile-text.ts";
import { type Node, nodeOf } from "./openapi/raw-document.ts";
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
} from "./openapi/small-documents.ts";

// What users of other converters reported, by project and number. `compile` checks each result against what strict clients refuse.

/** The tools that a document gives under a prefix. */
async function toolsOf(document: Node, toolPrefix = ""): Promise<readonly Tool[]> {
  const { operations } = await compile(document);
  const surface = surfaceOf("document.json");
  const provider = makeProvider("acme", { surfaces: [surface], mcp: { enabled: true, toolPrefix } });
  return exposeSurface(provider, { surface, operations, origin: "declared" });
}

function named(...ids: readonly string[]): Node {
  const paths = ids.map((operationId, index) => [`/p${index}`, { get: { ...get(), operationId } }]);
  return { openapi: "3.1.0", paths: Object.fromEntries(paths) };
}

const id = (location: string): Node => ({
  name: "id",
  in: location,
  required: location === "path",
  schema: text,
});

describe("names that meet", () => {
  test("fastmcp #1100: a path parameter and a body member of one name, one of which got lost", async () => {
    const operation = await only(
      at("/x/{id}", { put: { ...post(object({ id: number, a: text }, ["id"])), parameters: [id("path")] } }),
    );
    expect(send(operation, { id: "1", body: { id: 2, a: "b" } })).toMatchObject({
      url: "https://api.example.com/x/1",
      body: '{"id":2,"a":"b"}',
    });
  });

  test("fastmcp #5112: a body whose title is the name of a parameter", async () => {
    const body = { ...object({ a: text }), title: "id" };
    const operation = await only(at("/x/{id}", { put: { ...post(body), parameters: [id("path")] } }));
    expect(Object.keys(propertiesOf(operation))).toEqual(["id", "a"]);
    expect(send(operation, { id: "1", a: "b" })).toMatchObject({
      url: "https://api.example.com/x/1",
      body: '{"a":"b"}',
    });
  });

  test("fastapi_mcp #319: one name in two places, of which one value went to both", async () => {
    const operation = await only(at("/x/{id}", { get: get(id("path"), id("query"), id("header")) }));
    const url = send(operation, { id_path: "1", id_query: "2", id_header: "3" });
    expect(url).toMatchObject({ url: "https://api.example.com/x/1?id=2", headers: { id: "3" } });
  });

  test("gestalt PR #342: a body member that is called `body`, or like an argument made from another", async () => {
    const operation = await only(
      at("/x", { post: post(object({ body: text, $a: text, a: text, _a: text })) }),
    );
    const names = Object.keys(propertiesOf(operation));
    expect(new Set(names).size).toBe(4);
    const values = Object.fromEntries(names.map((name, index) => [name, String(index)]));
    expect(JSON.parse(String(send(operation, values).body))).toEqual({ body: "0", $a: "1", a: "2", _a: "3" });
  });

  test("mattt/emcee #62: operations that differ in letter case or punctuation only", async () => {
    const names = (await toolsOf(named("getUser", "get.user", "get_user", "getuser"))).map(
      ({ name }) => name,
    );
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(4);
  });

  test("mcp-use #1885: a suffix that came after cutting made names of 66 characters", async () => {
    const long = "a".repeat(80);
    const names = (await toolsOf(named(`${long}b`, `${long}c`, `${long}c`), "acme_")).map(({ name }) => name);
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  });
});

describe("names too long or of other characters", () => {
  test.each([
    [
      "harsha #4: an id of many words",
      "List_All_The_Workspaces_That_The_Current_User_Is_A_Member_Of_With_Their_Settings",
    ],
    [
      "ivo #13: a path as the name",
      "get_/api/v1/organizations/{organizationId}/projects/{projectId}/environments/{id}",
    ],
    [
      "fastapi_mcp #161: the id that FastAPI generates",
      "read_items_for_owner_by_category_api_v1_owners__owner_id__categories__category_id__items_get",
    ],
    ["opencode #3523: dots and slashes", "repos/actions.list-self-hosted-runners:for/organization"],
  ])("%s", async (_name, operationId) => {
    const [tool] = await toolsOf(named(operationId), "acme_");
    expect(tool?.name).toMatch(/^acme_[a-zA-Z0-9_-]{1,59}$/);
  });

  test("claude-code #20643: one bad name fails the request of all tools", async () => {
    const tools = await toolsOf(named("ok", "näme", "…", "a b", "x".repeat(200), "1", "-"), "p_");
    expect(tools).toHaveLength(7);
    for (const { name } of tools) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  });

  test.each([
    ["twilio-labs/mcp #58: `DateCreated<`", "DateCreated<"],
    ["appstore-connect-mcp #1: `filter[bundleId]`", "filter[bundleId]"],
    ["firefly-iii-mcp #6: `accounts[]`", "accounts[]"],
    ["decocms #6874: `$select`", "$select"],
    ["composio #3067: a name of 80 characters", "n".repeat(80)],
  ])("%s is no name of an argument", async (_name, name) => {
    const operation = await only(at("/x", { get: get({ name, in: "query", schema: text }) }));
    const [argument = ""] = Object.keys(propertiesOf(operation));
    expect(argument).toMatch(/^[a-zA-Z0-9_.-]{1,64}$/);
    const { search } = new URL(send(operation, { [argument]: "v" }).url);
    expect(new URLSearchParams(search).get(name)).toBe("v");
  });
});

describe("schemas that clients refuse", () => {
  const union = (keyword: string): Node => ({ [keyword]: [object({ a: text }), object({ b: text })] });

  test.each([
    ["claude-code #5319: `anyOf` at the root", union("anyOf")],
    ["claude-code #5973: `oneOf` at the root", union("oneOf")],
    ["gitlab-mcp #551: `allOf` at the root", union("allOf")],
  ])("%s", async (_name, schema) => {
    const { inputSchema } = await only(at("/x", { post: post(schema) }));
    expect(Object.keys(inputSchema).filter((key) => /^(?:any|one|all)Of$/.test(key))).toEqual([]);
    expect(JSON.stringify(inputSchema)).toMatch(/"a":.*"b":/);
  });

  test("Dokploy/mcp #74: a boolean `exclusiveMinimum` made all 597 tools unusable", async () => {
    const written = { type: "number", minimum: 0, exclusiveMinimum: true };
    expect(await convert(written, "3.0.0")).toEqual({ type: "number", exclusiveMinimum: 0 });
    expect(await convert({ type: "number", exclusiveMinimum: true }, "3.1.0")).toEqual({ type: "number" });
  });

  test("apollo-mcp-server #445: `$schema` is refused by editors", async () => {
    const schema = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      ...object({ a: { $schema: "x", ...text } }),
    };
    expect(JSON.stringify((await only(at("/x", { post: post(schema) }))).inputSchema)).not.toContain(
      "$schema",
    );
  });

  test("apollo-mcp-server #245: formats that validators do not know", async () => {
    expect(await convert({ ...number, format: "uint" })).toEqual(number);
    expect(await convert({ ...text, format: "my-own" })).toEqual(text);
  });

  test("mcp-server-tauri #31: a property that is called like a keyword", async () => {
    const members = object({
      properties: text,
      type: text,
      items: number,
      $ref: text,
      required: text,
      enum: text,
    });
    const operation = await only(
      at("/x", { post: post(object({ x: members, properties: text, type: text })) }),
    );
    expect(nodeOf(propertiesOf(operation)["x"])).toEqual(members);
    expect(Object.keys(propertiesOf(operation))).toEqual(["x", "properties", "type"]);
  });

  test.each([
    ["digitalocean-labs/mcp-digitalocean #265: an array without items", { type: "array" }],
    ["spacectl #402: items that are nothing", { type: "array", items: null }],
    [
      "mcp-openapi-proxy #16: an array inside of a parameter's schema",
      { type: "array", items: { type: "array" } },
    ],
  ])("%s", async (_name, schema) => {
    expect(JSON.stringify(await convert(schema))).toMatch(/"items":\{\}/);
  });

  test("bnbchain-mcp #68: an operation without parameters has no `properties`", async () => {
    expect((await only(at("/x", { get: get() }))).inputSchema).toEqual({
      type: "object",
      properties: {},
      additionalProperties: false,
    });
  });

  test("openai-agents #449: an object without properties", async () => {
    expect(await convert({ type: "object" })).toEqual({ type: "object", properties: {} });
  });

  test.each([
    ["hevy-mcp #1161: an enum of numbers", { type: "number", enum: [1, 2.5] }],
    ["azure-devops-mcp #139: an enum of whole numbers without a type", { enum: [0, 1] }],
    ["hyperdx #2971: an enum of booleans", { type: "boolean", enum: [true] }],
    ["gemini-cli #4400: an enum of texts without a type", { enum: ["a", "b"] }],
  ])("%s", async (_name, schema) => {
    const converted = await convert(schema);
    expect([converted["type"] ?? "choice", nodeOf(converted)["enum"] ?? "none"]).not.toEqual([
      "choice",
      ["a", "b"],
    ]);
    expect(JSON.stringify(converted)).not.toMatch(/"enum":\[[^"]/);
  });

  const node = { components: { schemas: { Node: object({ next: { $ref: "#/components/schemas/Node" } }) } } };

  test("gemini-cli #13326: words beside `$ref`", async () => {
    const schema = object({ x: { $ref: "#/components/schemas/Node", description: "The first." } });
    const operation = await only(at("/x", { post: post(schema) }, node));
    expect(propertiesOf(operation)["x"]).toEqual({
      allOf: [{ $ref: "#/$defs/Node" }],
      description: "The first.",
    });
  });

  test("opencode #12295: a `$ref` to a definition that is not there", async () => {
    const operation = await only(
      at("/x", { post: post(object({ x: { $ref: "#/components/schemas/Node" } })) }, node),
    );
    expect(Object.keys(nodeOf(operation.inputSchema["$defs"]))).toEqual(["Node"]);
  });

  test.each([
    ["Copilot CLI #1876: clients that do not resolve `$defs`"],
    ["QwenPaw #4191: clients that drop `$defs`"],
  ])("%s see what is not recursive in place", async () => {
    const schemas = { A: object({ b: { $ref: "#/components/schemas/B" } }), B: object({ c: text }) };
    const operation = await only(
      at("/x", { post: post({ $ref: "#/components/schemas/A" }) }, { components: { schemas } }),
    );
    expect(operation.inputSchema).toEqual({
      ...object({ b: object({ c: text }) }),
      additionalProperties: false,
    });
  });
});

describe("recursion", () => {
  const operations = (schemas: Node): Node =>
    at("/x", { post: post({ $ref: "#/components/schemas/A" }) }, { components: { schemas } });
  const reference = (name: string): Node => ({ $ref: `#/components/schemas/${name}` });

  test.each<readonly [string, Node]>([
    ["fastmcp #1016: a schema that contains itself", { A: object({ a: reference("A") }) }],
    [
      "fastmcp #1206: two that contain each other",
      { A: object({ b: reference("B") }), B: object({ as: { type: "array", items: reference("A") } }) },
    ],
    ["wso2 #5189: by additional properties", { A: { type: "object", additionalProperties: reference("A") } }],
    ["swagger-parser #146: one that is nothing but itself", { A: reference("A") }],
    [
      "json-schema-ref-parser #271: by `allOf` of each other",
      { A: { allOf: [reference("B")] }, B: { allOf: [reference("A"), object({ b: text })] } },
    ],
  ])("%s", async (_name, schemas) => {
    const operation = await only(operations(schemas));
    expect(JSON.stringify(operation.inputSchema).length).toBeLessThan(2_000);
  });
});

describe("null", () => {
  test("fastmcp #3744: `nullable` of an argument was left as it is", async () => {
    expect(await convert({ ...text, nullable: true }, "3.0.0")).toEqual({ type: ["string", "null"] });
    const schemas = { T: object({ a: text }) };
    const beside = { nullable: true, allOf: [{ $ref: "#/components/schemas/T" }] };
    expect(await convert(beside, "3.0.0", schemas)).toEqual({
      ...object({ a: text }),
      type: ["object", "null"],
    });
  });

  test("fastmcp #2082: an enum that may be null", async () => {
    const expected = { anyOf: [{ ...text, enum: ["a"] }, { type: "null" }] };
    expect(await convert({ ...text, nullable: true, enum: ["a"] }, "3.0.0")).toEqual(expected);
    expect(await convert({ type: ["string", "null"], enum: ["a", null] })).toEqual(expected);
  });

  test("punkpeye/fastmcp #386: `nullable: false` took the type away", async () => {
    expect(await convert({ ...text, nullable: false }, "3.0.0")).toEqual(text);
  });
});

describe("descriptions of answers that the answer breaks", () => {
  const outputOf = async (schema: Node, mediaType = "application/json"): Promise<Node> => {
    const responses = { 200: { content: { [mediaType]: { schema } } } };
    return nodeOf((await only(at("/x", { get: { responses } }))).outputSchema);
  };

  test("fastmcp #1241: a required member that is not there", async () => {
    expect((await outputOf(object({ a: text }, ["a"])))["required"]).toBeUndefined();
  });

  test("fastmcp #1280: null where a text is promised", async () => {
    expect(await outputOf(object({ a: text }))).toMatchObject({
      properties: { a: { type: ["string", "null"] } },
    });
  });

  test("fastmcp #2472: a reference inside of the answer's schema", async () => {
    const schemas = { T: object({ next: { $ref: "#/components/schemas/T" }, b: text }) };
    const responses = {
      200: { content: { "application/json": { schema: { $ref: "#/components/schemas/T" } } } },
    };
    const { outputSchema } = await only(at("/x", { get: { responses } }, { components: { schemas } }));
    expect(JSON.stringify(outputSchema)).not.toContain("$ref");
  });

  test("fastmcp PR #3134: a value that no enum lists, or of another format", async () => {
    const schema = object({ a: { ...text, enum: ["x"], format: "date-time" }, n: { ...number, minimum: 5 } });
    expect(await outputOf(schema)).toEqual({
      type: "object",
      properties: { a: { type: ["string", "null"] }, n: { type: ["integer", "null"] } },
    });
  });

  test.each([["Dokploy/mcp #13"], ["QuantConnect/mcp-server #58"]])(
    "%s: members that are not declared",
    async () => {
      const inner = { ...object({ b: text }), additionalProperties: false };
      const schema = { ...object({ a: inner }), additionalProperties: false };
      expect(JSON.stringify(await outputOf(schema))).not.toContain("additionalProperties");
    },
  );
});

describe("addresses", () => {
  test("awslabs PR #3695: the document's references and servers led into the private network", async () => {
    const place = surfaceOf("").place;
    const fetched = {
      document: { kind: "url", url: "https://docs.example/d.json", place },
      baseUrl: undefined,
    } as const;
    const document = at(
      "/x",
      { post: post({ $ref: "http://169.254.169.254/latest#/a" }) },
      { servers: [{ url: "http://169.254.169.254" }] },
    );
    const { operations, diagnostics } = await compile(document, fetched);
    expect(operations).toEqual([]);
    expect(diagnostics.map(({ code }) => code)).toContain("operation-dropped");
  });

  test("harsha #68: an argument that moves the request to another host", async () => {
    const operation = await only(
      at("/{a}", { get: get({ name: "a", in: "path", required: true, schema: text }) }),
    );
    for (const a of [
      "/evil.example",
      "@evil.example",
      "\\evil.example",
      "..",
      "%2e%2e",
      "https://evil.example",
    ]) {
      let url = httpOf(operation).baseUrl;
      try {
        ({ url } = send(operation, { a }));
      } catch (error) {
        expect(error).toMatchObject({ code: "invalid_arguments" });
      }
      expect(new URL(url).origin).toBe("https://api.example.com");
    }
  });
});

describe("size", () => {
  const wide = (depth: number): Node =>
    depth === 0
      ? { ...text, description: "Some words that nobody needs. ".repeat(20) }
      : object(
          Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`member${index}`, wide(depth - 1)])),
        );

  test("mcphub #1082: 805 tools of a megabyte; descriptions of arguments are cut", async () => {
    const described = { ...text, description: "x ".repeat(5_000) };
    const operation = await only(
      at("/x", { post: { ...post(object({ a: described })), description: "y ".repeat(9_000) } }),
    );
    expect(JSON.stringify([operation.inputSchema, operation.description]).length).toBeLessThan(2_000);
  });

  test("janwilmake #16: a tool that is larger than a context", async () => {
    const operation = await only(at("/x", { post: post(wide(4)) }));
    expect(Buffer.byteLength(JSON.stringify(operation.inputSchema))).toBeLessThan(32_000);
    expect(Object.keys(propertiesOf(operation))).toHaveLength(8);
  });

  test("claude-code #12241: what one tool may cost is the operator's choice", async () => {
    for (const schemaBudget of [1_000, 2_000, 8_000]) {
      const operation = await only(at("/x", { post: post(wide(3)) }), { schemaBudget });
      expect(Buffer.byteLength(JSON.stringify(operation.inputSchema))).toBeLessThanOrEqual(schemaBudget);
      expect(operation.notes?.length).toBeGreaterThan(0);
    }
  });
});
