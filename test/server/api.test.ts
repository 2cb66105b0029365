import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBroker } from "../../src/broker/broker.ts";
import { createArgumentChecker } from "../../src/broker/check-arguments.ts";
import { mergeCatalog } from "../../src/catalog/merge.ts";
import { CatalogSnapshot } from "../../src/catalog/snapshot.ts";
import { type ErrorCode, GatewayError } from "../../src/errors.ts";
import type { Identity } from "../../src/identity/identity.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { createOwnAddress } from "../../src/own-address.ts";
import { errorStatus } from "../../src/server/api/error-response.ts";
import { type GatewayServer, startServer } from "../../src/server/http-server.ts";
import { makeProviderCatalog, makeTool } from "../catalog/fixtures.ts";
import { usualLimits, usualServer } from "../limits.ts";
import { principalOf } from "../principals.ts";
import { noConnections, noCredentials } from "./no-connections.ts";

const writes = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true };
const inputSchema = {
  type: "object",
  properties: {
    text: { type: "string" },
    count: { type: "integer" },
    flag: { type: "boolean" },
    tags: { type: "array", items: { type: "string" } },
    filter: { type: "object" },
    fail: { type: "string" },
  },
  additionalProperties: false,
};
const snapshot = new CatalogSnapshot();
snapshot.swap(
  mergeCatalog(
    [
      makeProviderCatalog("books", [
        makeTool("books_find", { operation: "find", inputSchema }),
        makeTool("books_add", { operation: "add", annotations: writes, inputSchema }),
        makeTool("books_remote", {
          operation: "remote",
          surface: "mcp",
          binding: { kind: "mcp", tool: "remote" },
        }),
      ]),
    ],
    new Map(),
  ).catalog,
);

const refuse = (): never => {
  throw new GatewayError("not_found", "Nobody signs in here.");
};
const openIdentity: Identity = {
  authenticate: async () => principalOf("anonymous"),
  signIn: refuse,
  signInBy: refuse,
  signOut: async () => {},
  administration: refuse,
  lookUp: refuse,
  close: async () => {},
};

let server: GatewayServer;
const seen: JsonObject[] = [];

beforeAll(async () => {
  server = await startServer({
    limits: () => usualLimits,
    config: {
      ...usualServer,
      host: "127.0.0.1",
      port: 0,
      baseUrl: undefined,
      allowedHosts: ["gw.example.com"],
    },
    snapshot,
    broker: createBroker({
      view: () => snapshot.view("api"),
      cleanArguments: (_tool, given) => given,
      checkArguments: createArgumentChecker(),
      couldAllow: () => true,
      authorizeArguments: () => {},
      credentials: noCredentials,
      executor: () => ({
        execute: async ({ arguments: given }) => {
          seen.push(given);
          const { fail } = given;
          if (typeof fail === "string") throw new GatewayError(fail as ErrorCode, "As asked.");
          return {
            kind: "http",
            status: 418,
            headers: { "content-type": "text/plain", "set-cookie": "a=b", etag: '"1"', server: "teapot" },
            body: Buffer.from("short and stout"),
            ...(given["text"] === "more" && { notes: ["There is more: é\r\n.", "Call again."] }),
            isError: true,
          };
        },
      }),
      interceptors: [],
    }),
    identity: openIdentity,
    view: (_principal, surface) => snapshot.view(surface),
    auth: () => ({
      provider: "none",
      apiTokenMilliseconds: 1,
      sessionMilliseconds: 1,
      sessionIdleMilliseconds: 1,
      queryToken: undefined,
      oidc: undefined,
      trustedIssuers: [],
      authorizationServer: undefined,
    }),
    address: createOwnAddress(() => ({ host: "127.0.0.1", port: 0, baseUrl: undefined })),
    mcpMounted: () => true,
    ...noConnections,
    log: () => {},
  });
  server.markStarted();
});
afterAll(() => server.drain(1_000));

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.url}${path}`, { headers });
}

function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
}

describe("calls", () => {
  test("pass the upstream's status and body as they are, without its cookies", async () => {
    const answer = await get("/api/v1/books/find");
    expect(answer.status).toBe(418);
    expect(await answer.text()).toBe("short and stout");
    expect(answer.headers.get("etag")).toBe('"1"');
    expect(answer.headers.get("set-cookie")).toBeNull();
    expect(answer.headers.get("server")).toBeNull();
    expect(answer.headers.get("gateway-error")).toBeNull();
    expect(answer.headers.get("gateway-note")).toBeNull();
  });

  test("say in a header what is missing of the answer", async () => {
    const answer = await get("/api/v1/books/find?text=more");
    expect(await answer.text()).toBe("short and stout");
    expect(answer.headers.get("gateway-note")).toBe("There is more: ???. Call again.");
  });

  test.each([
    ["text=5&count=5", { text: "5", count: 5 }],
    ["flag=true&tags=a&tags=b", { flag: true, tags: ["a", "b"] }],
    ["tags=a", { tags: ["a"] }],
    ['tags=["a","b"]', { tags: ["a", "b"] }],
    [`filter=${encodeURIComponent('{"a":1}')}`, { filter: { a: 1 } }],
    ["", {}],
  ])("make arguments of the query %j", async (query, expected) => {
    await get(`/api/v1/books/find?${query}`);
    expect(seen.at(-1)).toEqual(expected);
  });

  test("make arguments of the body, without the reserved names", async () => {
    await post("/api/v1/books/add", JSON.stringify({ text: "a", _instance: "work" }));
    expect(seen.at(-1)).toEqual({ text: "a" });
  });

  test.each<readonly [string, () => Promise<Response>, number, string]>([
    ["GET on a tool that writes", () => get("/api/v1/books/add"), 405, "method_not_allowed"],
    ["a tool of an MCP server", () => post("/api/v1/books/remote", "{}"), 400, "mcp_only"],
    ["an unknown operation", () => get("/api/v1/books/nothing"), 404, "not_found"],
    ["an unknown provider", () => get("/api/v1/nothing/find"), 404, "not_found"],
    ["an argument that does not fit", () => get("/api/v1/books/find?count=many"), 400, "invalid_arguments"],
    ["a repeated argument", () => get("/api/v1/books/find?count=1&count=2"), 400, "bad_request"],
    ["broken JSON", () => post("/api/v1/books/add", "{"), 400, "bad_request"],
    [
      "a number that would lose digits",
      () => post("/api/v1/books/add", '{"count":12345678901234567890}'),
      400,
      "bad_request",
    ],
    [
      "JSON that is too deep",
      () => post("/api/v1/books/add", "[".repeat(300) + "]".repeat(300)),
      400,
      "bad_request",
    ],
    ["JSON that is no object", () => post("/api/v1/books/add", "[]"), 400, "bad_request"],
    ["invalid UTF-8 in the path", () => get("/api/v1/books/%ff"), 400, "bad_request"],
    [
      "a body of another type",
      () => post("/api/v1/books/add", "{}", { "content-type": "text/plain" }),
      400,
      "bad_request",
    ],
    [
      "a body that is too large",
      () => post("/api/v1/books/add", `{"text":"${"x".repeat(1_100_000)}"}`),
      413,
      "too_large",
    ],
    [
      "another method",
      () => fetch(`${server.url}/api/v1/books/find`, { method: "DELETE" }),
      405,
      "method_not_allowed",
    ],
    ["a route that does not exist", () => get("/api/v1/integrations/books/else"), 404, "not_found"],
    [
      "an explicit connection where none is bound",
      () => post("/api/v1/books/add", '{"_connection":5}'),
      400,
      "bad_request",
    ],
  ])("refuse %s", async (_name, send, status, code) => {
    const answer = await send();
    expect(answer.status).toBe(status);
    expect(answer.headers.get("gateway-error")).toBe(code);
    expect(await answer.json()).toMatchObject({ error: { code, message: expect.any(String) } });
  });

  test.each(Object.entries(errorStatus))("answer %s with status %i", async (code, status) => {
    const answer = await post("/api/v1/books/add", JSON.stringify({ fail: code }));
    expect(answer.status).toBe(status);
    expect(answer.headers.get("gateway-error")).toBe(code);
  });
});

describe("Host and Origin", () => {
  const port = (): string => new URL(server.url).port;
  test.each([
    [{}, 200],
    [{ origin: "http://localhost:3000" }, 200],
    [{ origin: "http://127.0.0.1" }, 200],
    [{ origin: "https://gw.example.com" }, 200],
    [{ origin: "null" }, 403],
    [{ origin: "https://evil.example" }, 403],
    [{ origin: "https://gw.example.com.evil.example" }, 403],
    [{ origin: "https://gw.example.com@evil.example" }, 403],
    [{ origin: "file://" }, 403],
    [{ origin: "https://gw.example.com, https://evil.example" }, 403],
  ])("Origin %j gives %i", async (headers, status) => {
    expect((await get("/api/v1/integrations", headers)).status).toBe(status);
  });

  test.each([
    ["127.0.0.1:PORT", 200],
    ["localhost:PORT", 200],
    ["LOCALHOST", 200],
    ["[::1]:PORT", 200],
    ["gw.example.com", 200],
    ["evil.example", 403],
    ["127.0.0.1.evil.example", 403],
    ["localhost.", 403],
    ["user@localhost", 403],
    ["localhost/path", 403],
    ["localhost:PORT, evil.example", 403],
  ])("Host %s gives %i", async (host, status) => {
    expect(await statusWithHosts([host.replace("PORT", port())])).toBe(status);
  });

  test("two Host headers are refused", async () => {
    expect(await statusWithHosts(["localhost", "evil.example"])).toBeGreaterThanOrEqual(400);
  });

  async function statusWithHosts(hosts: readonly string[]): Promise<number> {
    const { connect } = await import("node:net");
    const socket = connect(Number(port()), "127.0.0.1");
    const lines = [
      "GET /api/v1/integrations HTTP/1.1",
      ...hosts.map((host) => `Host: ${host}`),
      "Connection: close",
    ];
    socket.end(`${lines.join("\r\n")}\r\n\r\n`);
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
  }
});

describe("/openapi.json describes what the server does", () => {
  test("every documented route answers as documented", async () => {
    const document = await (await get("/openapi.json")).json();
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema(document as object, "api");
    const check = (pointer: string, value: unknown): void => {
      const validate = ajv.getSchema(`api#${pointer}`);
      expect(validate?.(value), JSON.stringify(validate?.errors)).toBe(true);
    };
    const schemaOf = (path: string, status: string): string =>
      `/paths/${path.replaceAll("~", "~0").replaceAll("/", "~1")}/get/responses/${status}/content/application~1json/schema`;
    const bodyOf = async (path: string): Promise<unknown> => (await get(path)).json();

    check(encodeURI(schemaOf("/api/v1/integrations", "200")), await bodyOf("/api/v1/integrations"));
    check(
      encodeURI(schemaOf("/api/v1/integrations/{integration}/operations", "200")),
      await bodyOf("/api/v1/integrations/books/operations"),
    );
    check(encodeURI(schemaOf("/livez", "200")), await bodyOf("/livez"));
    check(encodeURI(schemaOf("/readyz", "200")), await bodyOf("/readyz"));
    check("/components/schemas/Error", await bodyOf("/api/v1/books/nothing"));
  });

  test("aliases of the health routes", async () => {
    expect(await (await get("/health")).json()).toEqual({ status: "alive" });
    expect(await (await get("/ready")).json()).toMatchObject({ status: "ready" });
  });

  test("readiness tells strangers no more than the status", async () => {
    const answer = await get("/readyz", { origin: "https://evil.example" });
    expect(await answer.json()).toEqual({ status: "ready" });
  });
});
