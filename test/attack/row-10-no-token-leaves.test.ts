import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/model/json.ts";
import { modernRequest, post } from "../server/mcp/wire.ts";
import { type Credentialed, type CredentialedSystem, startCredentialed } from "./credentialed-system.ts";
import { openLegacy } from "./system.ts";
import { plainTool, sendJson, startMcpUpstream, startUpstream, type Upstream } from "./upstream.ts";

// Row 10, token passthrough: whatever a request proves with who sends it (API token, session, access token, token of another issuer), no
// byte that goes to an upstream holds it. Each kind of credential, each way in, each kind of upstream, each place, in many spellings.

let stage: CredentialedSystem;
let http: Upstream;
let graph: Upstream;
let mcp: Upstream;

const rest = (operations: readonly object[]) => ({ surfaces: { rest: { base_url: http.url, operations } } });
const see = {
  ...{ name: "see", description: "Sees.", method: "GET", path: "/see/{id}" },
  parameters: [
    { name: "id", in: "path", required: true, schema: { type: "string" } },
    { name: "text", in: "query", schema: { type: "string" } },
    { name: "X-Note", in: "header", schema: { type: "string" } },
  ],
};
const passthrough = { default: { mode: "user", auth: { type: "passthrough", header: "X-Upstream-Token" } } };

beforeAll(async () => {
  http = await startUpstream();
  graph = await startUpstream((_seen, response) => sendJson(response, { data: { say: "ok" } }));
  mcp = await startMcpUpstream([plainTool("run")]);
  stage = await startCredentialed(
    {
      plain: rest([see]),
      passing: { ...rest([see]), connections: passthrough },
      graph: { surfaces: { graphql: { url: `${graph.url}/graphql`, schema: "./schema.graphql" } } },
      remote: { surfaces: { mcp: { url: `${mcp.url}/mcp` } } },
      relay: {
        surfaces: { graphql: { url: `${graph.url}/graphql`, schema: "./schema.graphql" } },
        connections: passthrough,
      },
    },
    { files: { "schema.graphql": "type Query { say(text: String): String }" } },
  );
}, 60_000);
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  for (const upstream of [http, graph, mcp]) await upstream?.[Symbol.asyncDispose]();
});

/** Everything that went out since the tests began. */
const wire = (): string => [http, graph, mcp].map(({ bytes }) => bytes()).join("\n");

/** What must stand nowhere: the secrets, their unmistakable parts, and both in Base64 of any alignment, in hexadecimal and backwards. */
function needlesOf({ secrets }: Credentialed): readonly string[] {
  const parts = secrets.flatMap((secret) => [secret, secret.split(".").at(-1) ?? secret]);
  return [...new Set(parts)].flatMap((part) => [
    part,
    Buffer.from(part).toString("hex"),
    encodeURIComponent(part).replaceAll("_", "%5F").replaceAll("-", "%2D"),
    ...[0, 1, 2].map((shift) =>
      Buffer.from(`${"x".repeat(shift)}${part}`)
        .toString("base64")
        .slice(4, -4)
        .replaceAll("=", ""),
    ),
  ]);
}

const spellings: readonly (readonly [string, (secret: string) => string])[] = [
  ["as it is", (secret) => secret],
  ["behind a scheme", (secret) => `Bearer ${secret}`],
  ["in the middle", (secret) => `a=b; token="${secret}"; c`],
  ["in base64", (secret) => Buffer.from(secret).toString("base64")],
  ["as a password", (secret) => `Basic ${Buffer.from(`ada:${secret}`).toString("base64")}`],
  ["in shifted base64", (secret) => `xy${Buffer.from(secret).toString("base64url")}`],
  ["in hexadecimal", (secret) => Buffer.from(secret).toString("hex")],
  ["with escapes", (secret) => secret.replace(/./g, (one) => `%${one.charCodeAt(0).toString(16)}`)],
  ["taken apart", (secret) => `${secret.slice(0, 15)} ${secret.slice(15, 40)}, ${secret.slice(40)}`],
];

type Send = (
  caller: Credentialed,
  tool: string,
  given: JsonObject,
  headers: Readonly<Record<string, string>>,
  meta?: JsonObject,
) => Promise<{ readonly status: number; readonly text: string }>;

const ways: Readonly<Record<string, Send>> = {
  "MCP legacy": async (caller, name, given, headers, meta) => {
    const session = await openLegacy(stage.system.url, undefined, caller.headers("mcp"));
    const params = { name, arguments: given, ...(meta && { _meta: meta }) };
    const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params };
    return post(`${stage.system.url}/mcp`, message, {
      ...session.headers,
      ...caller.headers("mcp"),
      ...headers,
    });
  },
  "MCP modern": async (caller, name, given, headers, meta) => {
    const request = modernRequest("tools/call", { name, arguments: given });
    const params = request.message["params"] as JsonObject;
    const message = meta
      ? { ...request.message, params: { ...params, _meta: { ...(params["_meta"] as JsonObject), ...meta } } }
      : request.message;
    const sent = { ...request.headers, "mcp-name": name, ...caller.headers("mcp"), ...headers };
    return post(`${stage.system.url}/mcp`, message, sent);
  },
  "HTTP API": async (caller, name, given, headers) => {
    const path = name.replace("_", "/");
    return post(`${stage.system.url}/api/v1/${path}`, given, { ...caller.headers("api"), ...headers });
  },
};

const kinds = ["API token", "session", "access token", "JWT"] as const;
const callerOf = (kind: (typeof kinds)[number]): Credentialed => {
  const caller = stage.callers.find((one) => one.kind === kind);
  if (caller === undefined) throw new Error(kind);
  return caller;
};

const targets: readonly (readonly [string, (text: string) => JsonObject, boolean])[] = [
  ["plain_see", (text) => ({ id: "1", text }), true],
  ["passing_see", (text) => ({ id: text, "X-Note": "n" }), true],
  ["graph_say", (text) => ({ text }), true],
  ["relay_say", (text) => ({ text: `a ${text}` }), true],
  ["remote_run", (text) => ({ nested: { list: [text] } }), false],
  ["remote_run", (text) => ({ [text]: 1 }), false],
];
const own = { "x-upstream-token": "the upstream's own credential" };

describe.each(kinds)("%s", (kind) => {
  describe.each(Object.entries(ways))("%s", (way, send) => {
    const reached = targets.filter(([, , isInApi]) => isInApi || way !== "HTTP API");

    test("calls go out without it", async () => {
      const caller = callerOf(kind);
      for (const [tool, given] of reached) {
        const { status, text } = await send(caller, tool, given("hello"), own);
        expect(status, `${tool}: ${text}`).toBe(200);
        expect(text, tool).not.toMatch(/isError":true/);
      }
      expectNothing(caller);
    });

    test.each(spellings)("in headers and arguments, %s, it stays here", async (_how, spell) => {
      const caller = callerOf(kind);
      const surface = way === "HTTP API" ? "api" : "mcp";
      const { authorization, cookie } = caller.headers(surface);
      const secret = authorization?.slice("Bearer ".length) ?? cookie?.split("=")[1] ?? "";
      const spelt = spell(secret);
      for (const [tool, given] of reached) {
        const passing = await send(caller, tool, given("hello"), { "x-upstream-token": spelt });
        // Where nothing passes it on, it does no harm.
        if (/passing|relay/.test(tool))
          expect(JSON.stringify([passing.status, passing.text])).toMatch(/passed on|not_connected/);
        await send(caller, tool, given("hello"), {
          ...own,
          ...{ "x-api-key": spelt, "x-forwarded-authorization": spelt, traceparent: spelt },
          ...(authorization !== undefined && { cookie: `other=${encodeURIComponent(spelt)}` }),
        });
        const argued = await send(caller, tool, given(spelt), own);
        expect(argued.status, tool).toBe(400);
        expect(argued.text, tool).toContain("passed on to nobody");
        if (way !== "HTTP API") await send(caller, tool, given("hello"), own, { "example.com/note": spelt });
      }
      expectNothing(caller);
    });
  });

  test("nor is it kept as a credential for an upstream", async () => {
    const caller = callerOf(kind);
    for (const [, spell] of spellings) {
      for (const secret of caller.secrets) {
        const body = { provider: "passing", fields: { token: spell(secret) } };
        const answer = await post(
          `${stage.system.url}/api/v1/auth/connect-manual`,
          body,
          caller.headers("api"),
        );
        expect(answer.status).toBeGreaterThanOrEqual(400);
      }
    }
    expectNothing(caller);
  });
});

test("a caller without any reaches no upstream, whatever it sends", async () => {
  const before = wire();
  for (const [tool, given] of targets) {
    const request = modernRequest("tools/call", { name: tool, arguments: given("x") });
    const answer = await post(`${stage.system.url}/mcp`, request.message, {
      ...request.headers,
      ...own,
      "mcp-name": tool,
    });
    expect(answer.status).toBe(401);
  }
  expect(wire()).toBe(before);
});

function expectNothing(caller: Credentialed): void {
  const sent = wire();
  expect(sent.length).toBeGreaterThan(1_000);
  for (const needle of needlesOf(caller)) expect(sent.includes(needle), needle.slice(0, 12)).toBe(false);
  expect(stage.system.log.join("\n")).not.toMatch(/gst_(api|oat|ort)_[\w-]{20}/);
}
