import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runGateway } from "../e2e/start-gateway.ts";
import { naughtyHosts } from "./naughty.ts";
import { callModern, type System, startSystem, writeFolder } from "./system.ts";
import { plainTool, sendJson, startMcpUpstream, startUpstream, type Upstream } from "./upstream.ts";

const secret = "canary-credential";
const environment = { TOKEN: secret };
const headers = { "X-Own": "${env:TOKEN}" };
const connections = {
  main: {
    mode: "identity",
    auth: { type: "bearer", credentials: [{ name: "token", value: "${env:TOKEN}" }] },
  },
};

/** A server to which nothing may ever be sent. */
let elsewhere: Upstream;
beforeEach(async () => {
  elsewhere = await startUpstream();
});
afterEach(async () => {
  await elsewhere[Symbol.asyncDispose]();
});

const openapi = (server?: string) => ({
  openapi: "3.1.0",
  info: { title: "a", version: "1" },
  ...(server === undefined ? {} : { servers: [{ url: server }] }),
  paths: { "/go": { post: { operationId: "go", responses: {} } } },
});

describe("redirects", () => {
  const statuses = [301, 302, 303, 307, 308, 300, 304, 305] as const;
  const targets = {
    "another origin": () => `${elsewhere.url}/x`,
    "another origin without scheme": () => `//${elsewhere.host}/x`,
    "the same origin": () => "/again",
  };
  test.each(statuses.flatMap((status) => Object.keys(targets).map((name) => ({ status, name }))))(
    "$status to $name: no surface follows it, and no credential goes there",
    async ({ status, name }) => {
      const target = targets[name as keyof typeof targets]();
      const seen: string[] = [];
      await using upstream = await startUpstream((request, response) => {
        seen.push(request.target);
        response.writeHead(status, { location: target }).end();
      });
      await using system = await startSystem(
        {
          rest: {
            headers,
            connections,
            surfaces: {
              rest: {
                base_url: `${upstream.url}/rest`,
                operations: [{ name: "go", method: "GET", path: "/go" }],
              },
            },
          },
          graph: {
            headers,
            connections,
            surfaces: { graphql: { url: `${upstream.url}/graphql`, schema: "./s.graphql" } },
          },
          asked: { headers, connections, surfaces: { graphql: { url: `${upstream.url}/introspect` } } },
          mcp: { headers, connections, mcp_url: `${upstream.url}/mcp` },
        },
        { environment, files: { "s.graphql": "type Query { go: String }" } },
      );
      await callModern(system.url, "rest_go", {});
      await callModern(system.url, "graph_go", {});
      expect(elsewhere.opened()).toBe(0);
      expect(seen).not.toContain("/again");
      expect(seen).toEqual(expect.arrayContaining(["/rest/go", "/graphql"]));
      expect(upstream.bytes()).toContain(secret);
    },
  );

  test.each([301, 302, 303, 307, 308])(
    "%i of a document to another origin is not followed into the private network, and not for ever",
    async (status) => {
      await using upstream = await startUpstream((request, response) => {
        const location = request.target === "/loop" ? "/loop" : `${elsewhere.url}/openapi.json`;
        response.writeHead(status, { location }).end();
      });
      await using _system = await startSystem(
        {
          away: { headers, connections, surfaces: { openapi: { document: `${upstream.url}/openapi.json` } } },
          round: { headers, connections, surfaces: { openapi: { document: `${upstream.url}/loop` } } },
        },
        { environment },
      );
      expect(elsewhere.opened()).toBe(0);
      expect(upstream.seen.filter(({ target }) => target === "/loop").length).toBeLessThan(10);
    },
  );

  test.each([
    "file:///etc/passwd",
    "ftp://127.0.0.1/a",
    "data:application/json,{}",
    "gopher://127.0.0.1/",
    "javascript:0",
    "http://",
  ])("a redirect of a document to %s ends there", async (location) => {
    await using upstream = await startUpstream(
      (_request, response) => void response.writeHead(302, { location }).end(),
    );
    await using system = await startSystem({
      p: { surfaces: { openapi: { document: `${upstream.url}/a` } } },
    });
    expect(system.diagnostics.some(({ severity }) => severity === "error")).toBe(true);
    expect(upstream.seen).toHaveLength(1);
  });
});

describe("addresses from upstreams and documents", () => {
  test.each(["absolute", "without scheme", "with a user name", "with a backslash"])(
    "an endpoint event of an SSE server that names another origin (%s) gets no bytes",
    async (kind) => {
      const names: Readonly<Record<string, string>> = {
        absolute: `${elsewhere.url}/m`,
        "without scheme": `//${elsewhere.host}/m`,
        "with a user name": `http://x@${elsewhere.host}/m`,
        "with a backslash": `/\\${elsewhere.host}/m`,
      };
      await using upstream = await startUpstream((request, response) => {
        if (request.method !== "GET") return void response.writeHead(405).end();
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.end(`event: endpoint\ndata: ${names[kind]}\n\n`);
      });
      await using system = await startSystem(
        { mcp: { headers, connections, mcp_url: `${upstream.url}/sse` } },
        { environment },
      );
      expect(elsewhere.opened()).toBe(0);
      expect(system.gateway.snapshot.catalog.tools).toEqual([]);
    },
  );

  test("a resource, a prompt or a link in an upstream's answer is passed on and never fetched", async () => {
    await using upstream = await startMcpUpstream([plainTool("go")], ({ id }, response) =>
      sendJson(response, {
        jsonrpc: "2.0",
        id,
        result: {
          content: [
            { type: "resource_link", uri: `${elsewhere.url}/a`, name: "a" },
            { type: "text", text: `see ${elsewhere.url}/b` },
          ],
        },
      }),
    );
    await using system = await startSystem({ mcp: { mcp_url: `${upstream.url}/mcp` } });
    expect((await callModern(system.url, "mcp_go", {})).text).toContain(elsewhere.host);
    expect(elsewhere.opened()).toBe(0);
  });

  test.each([
    ["a $ref to a URL", { $ref: "URL/schema.json" }],
    ["an $id elsewhere", { $id: "URL/id.json", $ref: "other.json" }],
    ["a $schema elsewhere", { $schema: "URL/meta.json", type: "object" }],
    ["a dynamic reference", { $dynamicRef: "URL/x#a" }],
    ["a reference inside allOf", { allOf: [{ $ref: "URL/a" }, { $ref: "file:///etc/passwd" }] }],
  ])(
    "a tool's schema with %s is never fetched, not when compiled and not when called",
    async (_name, schema) => {
      const inputSchema = JSON.parse(JSON.stringify(schema).replaceAll("URL", elsewhere.url));
      const tool = plainTool("go", { inputSchema: { type: "object", properties: { a: inputSchema } } });
      await using upstream = await startMcpUpstream([tool]);
      await using system = await startSystem({ mcp: { mcp_url: `${upstream.url}/mcp` } });
      await callModern(system.url, "mcp_go", { a: 5 });
      expect(elsewhere.opened()).toBe(0);
    },
  );

  test.each([
    ["a $ref of a path", { paths: { "/go": { $ref: "URL/path.json" } } }],
    [
      "a $ref of a parameter",
      { paths: { "/go": { get: { operationId: "go", parameters: [{ $ref: "URL/p.json" }] } } } },
    ],
    ["a $ref of a schema", { components: { schemas: { A: { $ref: "URL/a.json" } } } }],
    ["external documentation", { externalDocs: { url: "URL/docs" } }],
    ["an example elsewhere", { components: { examples: { a: { externalValue: "URL/example" } } } }],
    [
      "an OpenID discovery address",
      { components: { securitySchemes: { a: { type: "openIdConnect", openIdConnectUrl: "URL/o" } } } },
    ],
    [
      "a callback",
      { paths: { "/go": { post: { operationId: "go", callbacks: { a: { "URL/cb": { post: {} } } } } } } },
    ],
    ["a link", { components: { links: { a: { operationRef: "URL/x#/paths/a" } } } }],
    [
      "a $self elsewhere",
      {
        $self: "URL/self.json",
        paths: { "/go": { get: { operationId: "go", parameters: [{ $ref: "p.json" }] } } },
      },
    ],
    ["a dialect elsewhere", { jsonSchemaDialect: "URL/dialect" }],
  ])("a document with %s is compiled without fetching it", async (_name, part) => {
    const document = { ...openapi(), ...JSON.parse(JSON.stringify(part).replaceAll("URL", elsewhere.url)) };
    const folder = await writeFolder({
      "api.json": JSON.stringify(document),
      "gestalt.yaml": JSON.stringify({
        providers: {
          p: { surfaces: { openapi: { document: "./api.json", base_url: "https://a.example.com" } } },
        },
      }),
    });
    const { status } = await runGateway(["validate"], { cwd: folder.path });
    expect([0, 2]).toContain(status);
    expect(elsewhere.opened()).toBe(0);
    await folder.remove();
  });
});

describe("arguments never choose the host", () => {
  let upstream: Upstream;
  let system: System;
  beforeAll(async () => {
    upstream = await startUpstream();
    const variables = {
      openapi: "3.1.0",
      info: { title: "a", version: "1" },
      servers: [{ url: `${upstream.url}/{tenant}`, variables: { tenant: { default: "t" } } }],
      paths: {
        "/{path}": {
          get: {
            operationId: "spread",
            parameters: [
              { name: "path", in: "path", required: true, allowReserved: true, schema: { type: "string" } },
              { name: "tenant", in: "query", schema: { type: "string" } },
              { name: "q", in: "query", allowReserved: true, schema: { type: "string" } },
              { name: "Host", in: "header", schema: { type: "string" } },
              { name: "X-Forwarded-Host", in: "header", schema: { type: "string" } },
            ],
            responses: {},
          },
        },
      },
    };
    system = await startSystem(
      {
        api: { headers, connections, surfaces: { openapi: { document: "./api.json" } } },
        rest: {
          headers,
          connections,
          surfaces: {
            rest: {
              base_url: upstream.url,
              operations: [
                { name: "root", method: "GET", path: "/{path}", parameters: [{ name: "path", in: "path" }] },
                {
                  name: "glued",
                  method: "GET",
                  path: "/a{path}",
                  parameters: [{ name: "path", in: "path" }],
                },
                { name: "query", method: "GET", path: "/q", parameters: [{ name: "path", in: "query" }] },
              ],
            },
          },
        },
        graph: {
          headers,
          connections,
          surfaces: { graphql: { url: `${upstream.url}/graphql`, schema: "./s.graphql" } },
        },
      },
      {
        environment,
        files: {
          "api.json": JSON.stringify(variables),
          "s.graphql": "type Query { go(path: String): String }",
        },
      },
    );
  });
  afterAll(async () => {
    await system.close();
    await upstream[Symbol.asyncDispose]();
  });

  test.each(naughtyHosts)("the argument %j", async (written) => {
    const path = written.replaceAll("EVIL", elsewhere.host);
    for (const tool of ["rest_root", "rest_glued", "rest_query", "graph_go", "api_spread"]) {
      const before = upstream.seen.length;
      const outcome = await callModern(system.url, tool, { path });
      expect(outcome.status).toBe(200);
      for (const { headers: sent } of upstream.seen.slice(before)) expect(sent.host).toBe(upstream.host);
    }
    await callModern(system.url, "api_spread", {
      path: "x",
      tenant: path,
      q: path,
      "X-Forwarded-Host": "x",
      Host: elsewhere.host,
    });
    expect(elsewhere.opened()).toBe(0);
  });
});
