import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { loadConfig } from "../../src/config/load-config.ts";
import { Gateway, operator, silentPeer } from "../../src/gateway.ts";
import { newestModernVersion } from "../../src/mcp/versions.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { createCallTool } from "../../src/server/mcp/call-tool.ts";
import { finished } from "../finished.ts";
import { listen } from "../upstream/loopback.ts";
import { callAtOnce, cutOnly, unasked } from "./call-at-once.ts";

// Each test is named after what users of another converter reported, project and number first: a small document, a call, and
// what has to be on the wire or in the result.

interface Received {
  /** Method and target. */
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Report {
  /** The one operation, with its method and path. */
  readonly operation: string;
  readonly document?: JsonObject;
  /** Members of the operation. */
  readonly details?: JsonObject;
  /** Members of the provider in the configuration file. */
  readonly provider?: JsonObject;
  readonly answer?: RequestListener;
}

interface Running extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly tool: string;
  readonly inputSchema: JsonObject;
  /** All but those for the document. */
  readonly requests: readonly Received[];
  call(callArguments: JsonObject): Promise<JsonObject>;
}

const environment = { TOKEN: "t0ken" };

/** The gateway with one provider, in front of an upstream that serves the document and the operation. */
async function run(report: Report): Promise<Running> {
  const [method = "", path = ""] = report.operation.split(" ");
  const document = {
    openapi: "3.0.3",
    info: { title: "Reported", version: "1" },
    ...report.document,
    paths: { [path]: { [method.toLowerCase()]: { operationId: "call", responses: {}, ...report.details } } },
  };
  const requests: Received[] = [];
  const answer: RequestListener =
    report.answer ??
    ((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  const upstream = await listen(
    createServer(async (request, response) => {
      if (request.url === "/openapi.json") {
        response.end(JSON.stringify(document));
        return;
      }
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString();
      requests.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
      answer(request, response);
    }),
  );
  const openapi = { document: `${upstream.url}/openapi.json`, base_url: upstream.url };
  const { config, diagnostics } = await loadConfig("gestalt.yaml", {
    environment,
    references: "resolve",
    workingDirectory: import.meta.dirname,
    readFile: async () =>
      Buffer.from(
        stringify({
          server: { port: 0 },
          providers: { reported: { ...report.provider, surfaces: { openapi } } },
        }),
      ),
  });
  if (config === undefined) throw new Error(JSON.stringify(diagnostics));
  const gateway = new Gateway(config, {
    workingDirectory: import.meta.dirname,
    environment: {},
    log: () => {},
    retry: false,
  });
  await gateway.start();
  const view = gateway.snapshot.view("mcp");
  const [tool] = view.tools;
  const call = createCallTool(gateway.broker, () => view, callAtOnce, cutOnly);
  return {
    gateway,
    tool: tool?.name ?? "",
    inputSchema: tool?.inputSchema ?? {},
    requests,
    call: async (callArguments) => {
      const result = await finished(
        call(
          { name: tool?.name ?? "", arguments: callArguments },
          {
            principal: operator,
            version: newestModernVersion,
            peer: silentPeer(),
            signal: new AbortController().signal,
            ...unasked,
          },
        ),
      );
      return result;
    },
    async [Symbol.asyncDispose]() {
      await gateway.close();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

function query(name: string, schema: JsonObject, changes: JsonObject = {}): JsonObject {
  return { name, in: "query", schema, ...changes };
}

function body(mediaType: string, schema: JsonObject): JsonObject {
  return { requestBody: { required: true, content: { [mediaType]: { schema } } } };
}

const texts = { type: "array", items: { type: "string" } };
const identity = {
  connections: {
    main: {
      mode: "identity",
      auth: { type: "bearer", credentials: [{ name: "token", value: "${env:TOKEN}" }] },
    },
  },
};
const bearerDocument = {
  components: { securitySchemes: { main: { type: "http", scheme: "bearer" } } },
  security: [{ main: [] }],
};

describe("query parameters", () => {
  const target = { type: "object", properties: { id: { type: "string" }, type: { type: "string" } } };

  test("PrefectHQ/fastmcp #1114: a deep object went out as the text of a Python dictionary", async () => {
    await using running = await run({
      operation: "GET /surveys",
      details: { parameters: [query("target", target, { style: "deepObject", explode: true })] },
    });
    await running.call({ target: { id: "57dc", type: "organisation" } });
    expect(running.requests[0]?.line).toBe("GET /surveys?target[id]=57dc&target[type]=organisation");
  });

  test("PrefectHQ/fastmcp #4488: a deep object lost the parameter's name", async () => {
    await using running = await run({
      operation: "GET /items",
      details: {
        parameters: [
          query(
            "filter",
            { type: "object", properties: { eq: { type: "string" } } },
            { required: true, style: "deepObject", explode: true },
          ),
        ],
      },
    });
    await running.call({ filter: { eq: "8827364" } });
    expect(running.requests[0]?.line).toBe("GET /items?filter[eq]=8827364");
  });

  test.each([
    ["PrefectHQ/fastmcp #1543: explode was ignored for form", { explode: false }, "ids=1,2,3"],
    ["PrefectHQ/fastmcp #3594: explode was ignored where it is true", { explode: true }, "ids=1&ids=2&ids=3"],
    [
      "PrefectHQ/fastmcp #5060: pipes were not the default of their style",
      { style: "pipeDelimited" },
      "ids=1%7C2%7C3",
    ],
    ["PrefectHQ/fastmcp #5060: nor were spaces", { style: "spaceDelimited" }, "ids=1%202%203"],
  ])("%s", async (_report, serialization, expected) => {
    await using running = await run({
      operation: "GET /items",
      details: { parameters: [query("ids", texts, serialization)] },
    });
    await running.call({ ids: ["1", "2", "3"] });
    expect(running.requests[0]?.line).toBe(`GET /items?${expected}`);
  });
});

describe("headers", () => {
  const echo = { parameters: [query("q", { type: "string" })] };

  test("PrefectHQ/fastmcp #586: the length of the client's request was sent as that of the upstream's", async () => {
    await using running = await run({
      operation: "POST /items",
      details: body("application/json", { type: "object", properties: { name: { type: "string" } } }),
    });
    await callOverHttp(running, { name: "n" }, { "x-client": "1" });
    const [request] = running.requests;
    expect(request?.body).toBe('{"name":"n"}');
    expect(request?.headers).toMatchObject({ "content-length": "12", "content-type": "application/json" });
    expect(request?.headers["x-client"]).toBeUndefined();
  });

  test("PrefectHQ/fastmcp #3260: the client's Authorization went to the API, in place of its own key", async () => {
    await using running = await run({
      operation: "GET /items",
      document: bearerDocument,
      details: echo,
      provider: identity,
    });
    await callOverHttp(running, { q: "a" }, { authorization: "Bearer of-the-client", cookie: "session=1" });
    expect(running.requests[0]?.headers.authorization).toBe("Bearer t0ken");
    expect(running.requests[0]?.headers.cookie).toBeUndefined();
  });

  test("PrefectHQ/fastmcp #3260: nor does it go to an API without a key", async () => {
    await using running = await run({ operation: "GET /items", details: echo });
    await callOverHttp(running, { q: "a" }, { authorization: "Bearer of-the-client" });
    expect(running.requests[0]?.headers.authorization).toBeUndefined();
  });

  test("BerriAI/litellm #33492: headers of the configuration never reached the API", async () => {
    await using running = await run({
      operation: "GET /items",
      details: {
        parameters: [
          { name: "X-Tenant-ID", in: "header", schema: { type: "string" } },
          { name: "Authorization", in: "header", schema: { type: "string" } },
        ],
      },
      provider: { headers: { Authorization: "${env:TOKEN}", "X-Tenant-ID": "acme" } },
    });
    await running.call({});
    expect(running.inputSchema["properties"]).toEqual({});
    expect(running.requests[0]?.headers).toMatchObject({ authorization: "t0ken", "x-tenant-id": "acme" });
  });

  test("smithers #914: a redirect took the credential to another origin", async () => {
    const elsewhere: Received[] = [];
    await using stranger = await listen(
      createServer((request, response) => {
        elsewhere.push({ line: `${request.method} ${request.url}`, headers: request.headers, body: "" });
        response.end("{}");
      }),
    );
    await using running = await run({
      operation: "GET /items",
      document: bearerDocument,
      provider: identity,
      answer: (_request, response) => {
        response.writeHead(307, { location: `${stranger.url}/steal` }).end();
      },
    });
    const result = await running.call({});
    expect(elsewhere).toEqual([]);
    expect(result).toMatchObject({ isError: true });
    expect(textOf(result)).toContain(
      `redirects to ${stranger.url}/steal. The gateway does not follow redirects.`,
    );
  });
});

describe("paths", () => {
  const id = { name: "id", in: "path", required: true, schema: { type: "string" } };

  test.each([
    "../../admin/config",
    "..",
    "%2e%2e/admin",
    "%252e%252e%252fadmin",
    "..\\admin",
    "x/../../admin",
  ])(
    "GHSA-vv7q-7jx5-f767, samanhappy/mcphub #1083, cloudflare/mcp-server-cloudflare #278: %s led to another endpoint",
    async (value) => {
      await using running = await run({
        operation: "GET /records/{id}/detail",
        details: { parameters: [id] },
      });
      const result = await running.call({ id: value });
      expect(running.requests).toEqual([]);
      expect(result).toMatchObject({
        isError: true,
        _meta: { "io.gestalt/error": { code: "invalid_arguments" } },
      });
    },
  );

  test.each([
    ["a?x=1", "/records/a%3Fx%3D1/detail"],
    ["a#frag", "/records/a%23frag/detail"],
    ["a/b", "/records/a%2Fb/detail"],
    ["50%", "/records/50%25/detail"],
    ["{id}$&", "/records/%7Bid%7D%24%26/detail"],
  ])("samanhappy/mcphub #1089: %s was put into the path as it is", async (value, expected) => {
    await using running = await run({ operation: "GET /records/{id}/detail", details: { parameters: [id] } });
    await running.call({ id: value });
    expect(running.requests[0]?.line).toBe(`GET ${expected}`);
  });

  test("PrefectHQ/fastmcp #497: several values in a path were the text of a Python list", async () => {
    await using running = await run({
      operation: "PUT /select/{days}",
      details: { parameters: [{ ...id, name: "days", schema: texts }] },
    });
    await running.call({ days: ["monday", "tuesday"] });
    expect(running.requests[0]?.line).toBe("PUT /select/monday,tuesday");
  });
});

describe("bodies", () => {
  const form = "application/x-www-form-urlencoded";
  const charge = {
    type: "object",
    required: ["amount"],
    properties: {
      amount: { type: "integer" },
      card: { type: "object", properties: { number: { type: "string" } } },
      expand: texts,
    },
  };

  test.each([
    "punkpeye/fastmcp #350: operations with forms had no body at all",
    "samanhappy/mcphub #1078: forms were sent as JSON",
    "agentfront/frontmcp #25: forms were sent as JSON under their own content type",
  ])("%s", async () => {
    await using running = await run({
      operation: "POST /v1/charges",
      details: {
        requestBody: {
          required: true,
          content: {
            [form]: {
              schema: charge,
              encoding: { card: { style: "deepObject", explode: true }, expand: { explode: true } },
            },
          },
        },
      },
    });
    expect(Object.keys(Object(running.inputSchema["properties"]))).toEqual(["amount", "card", "expand"]);
    await running.call({ amount: 5, card: { number: "42 42" }, expand: ["a", "b"] });
    const [request] = running.requests;
    expect(request?.headers["content-type"]).toBe(form);
    expect(request?.body).toBe("amount=5&card[number]=42+42&expand=a&expand=b");
  });

  test.each([
    "genmcp/gen-mcp #269: uploads were not possible",
    "holon-run/uxc #300: multipart was refused as not supported",
  ])("%s", async () => {
    await using running = await run({
      operation: "POST /files",
      details: body("multipart/form-data", {
        type: "object",
        required: ["file"],
        properties: { title: { type: "string" }, file: { type: "string", format: "binary" } },
      }),
    });
    await running.call({ title: "Cat", file: { name: "cat.png", mimeType: "image/png", blob: "aGk=" } });
    const [request] = running.requests;
    const headers = { "content-type": request?.headers["content-type"] ?? "" };
    const sent = await new Response(request?.body, { headers }).formData();
    const file = sent.get("file");
    if (!(file instanceof File)) throw new Error("No file was sent.");
    expect(sent.get("title")).toBe("Cat");
    expect([file.name, file.type, await file.text()]).toEqual(["cat.png", "image/png", "hi"]);
  });
});

describe("answers", () => {
  const png = Buffer.from("iVBORw0KGgo=", "base64");

  function answering(contentType: string, content: Uint8Array | string): RequestListener {
    return (_request, response) => {
      response.writeHead(200, { "content-type": contentType }).end(content);
    };
  }

  test.each<[string, string, Uint8Array | string, JsonObject]>([
    [
      "anyproto/anytype-mcp #125: an image was corrupted as text",
      "image/png",
      png,
      { type: "image", data: "iVBORw0KGgo=", mimeType: "image/png" },
    ],
    [
      "freee/freee-mcp #331: an image was written to a folder of the server",
      "image/jpeg",
      png,
      { type: "image", data: "iVBORw0KGgo=", mimeType: "image/jpeg" },
    ],
    [
      "freee/freee-mcp #334: a PDF was called an image",
      "application/pdf",
      "%PDF-1.7 \u0000",
      {
        type: "resource",
        resource: {
          uri: expect.stringMatching(/^gateway:\/\/results\//),
          mimeType: "application/pdf",
          blob: Buffer.from("%PDF-1.7 \u0000").toString("base64"),
        },
      },
    ],
    [
      "freee/freee-mcp #334: a table was called an image",
      "text/csv",
      "a,b\n1,2\n",
      { type: "text", text: "a,b\n1,2\n" },
    ],
  ])("%s", async (_report, contentType, content, block) => {
    await using running = await run({ operation: "GET /file", answer: answering(contentType, content) });
    expect((await running.call({}))["content"]).toEqual([block]);
  });

  test("GuDaStudio/codexmcp #4: a result was too long for the client, and nothing said how to get less", async () => {
    const pages = [
      { items: [1, 2], next: "b" },
      { items: [3], next: null },
    ];
    await using running = await run({
      operation: "GET /items",
      details: { parameters: [query("cursor", { type: "string" }), query("limit", { type: "integer" })] },
      provider: {
        pagination: {
          style: "cursor",
          parameter: "cursor",
          next: "next",
          items: "items",
          limit_parameter: "limit",
          page_size: 2,
        },
      },
      answer: (request, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify(pages[request.url?.includes("cursor=b") === true ? 1 : 0]));
      },
    });
    const first = await running.call({});
    expect(running.requests[0]?.line).toBe("GET /items?limit=2");
    expect(first).toMatchObject({ _meta: { "io.gestalt/pages": { more: true, next: { cursor: "b" } } } });
    const second = await running.call({ cursor: "b" });
    expect(second).toMatchObject({
      structuredContent: { items: [3] },
      _meta: { "io.gestalt/pages": { more: false } },
    });
  });

  test("GuDaStudio/codexmcp #4: a long text is cut where it says so", async () => {
    await using running = await run({
      operation: "GET /log",
      answer: answering("text/plain", "x".repeat(1_000_001)),
    });
    expect(textOf(await running.call({}))).toMatch(
      /x\n\[Cut by the gateway: the first 1000000 of 1000001 bytes are shown \(`limits\.results\.size`\)\. Ask for less, .+\]$/,
    );
  });
});

/** Calls the tool as an MCP client over HTTP, with headers of the client's own. */
async function callOverHttp(
  { gateway, tool }: Running,
  callArguments: JsonObject,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const server = await gateway.listen();
  const client = new Client({ name: "test", version: "1" });
  try {
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit: { headers } }),
    );
    await client.callTool({ name: tool, arguments: callArguments });
  } finally {
    await client.close();
    await server.drain(1_000);
  }
}

function textOf({ content }: JsonObject): string {
  const blocks = Array.isArray(content) ? content : [];
  return blocks.map((block) => String(Object(block)["text"])).join("\n");
}
