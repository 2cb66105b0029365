import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeHeaderValue } from "../../src/mcp/header-value.ts";
import { modernRequest, openSession } from "../server/mcp/wire.ts";
import { naughtyTexts } from "./naughty.ts";
import { type System, startSystem } from "./system.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

let upstream: Upstream;
let system: System;
let session: Readonly<Record<string, string>>;
beforeAll(async () => {
  upstream = await startUpstream();
  const add = { name: "add", method: "GET", path: "/add", parameters: [{ name: "text", in: "query" }] };
  system = await startSystem({ shop: { surfaces: { rest: { base_url: upstream.url, operations: [add] } } } });
  ({ headers: session } = await openSession(`${system.url}/mcp`));
});
afterAll(async () => {
  await system.close();
  await upstream[Symbol.asyncDispose]();
});

interface Sent {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const own = { "content-type": "application/json", accept: "application/json, text/event-stream" };
/** As raw as Node sends it; what it would not send itself, a proxy could. */
const inHeader = (value: string): string => Buffer.from(value.slice(0, 4_000)).toString("latin1");
const inPath = (value: string): string => encodeURIComponent(value.toWellFormed().slice(0, 3_000));
const rpc = (method: string, params: object): object => ({ jsonrpc: "2.0", id: 1, method, params });
const modern = (method: string, params: { readonly name: string }): Sent => {
  const { message, headers } = modernRequest(method, { ...params });
  // The endpoint compares it with the body.
  const name = { "mcp-name": encodeHeaderValue(params.name.toWellFormed()).slice(0, 8_000) };
  return { method: "POST", path: "/mcp", headers: { ...headers, ...name }, body: message };
};
const call = rpc("tools/list", {});

/** Where a text of a caller can stand that names something, besides the arguments of a call (rows 5 and 16). */
const positions: Readonly<Record<string, (value: string) => Sent>> = {
  "tool name, with a session": (name) => ({
    method: "POST",
    path: "/mcp",
    headers: session,
    body: rpc("tools/call", { name, arguments: {} }),
  }),
  "tool name, without": (name) => modern("tools/call", { name }),
  "prompt name": (name) => ({
    method: "POST",
    path: "/mcp",
    headers: session,
    body: rpc("prompts/get", { name }),
  }),
  "resource URI": (uri) => ({
    method: "POST",
    path: "/mcp",
    headers: session,
    body: rpc("resources/read", { uri }),
  }),
  "session id": (id) => ({
    method: "POST",
    path: "/mcp",
    headers: { ...session, "mcp-session-id": inHeader(id) },
    body: call,
  }),
  "session id to end": (id) => ({
    method: "DELETE",
    path: "/mcp",
    headers: { ...session, "mcp-session-id": inHeader(id) },
  }),
  "event id": (id) => ({
    method: "GET",
    path: "/mcp",
    headers: { ...session, "mcp-session-id": "nobody's", "last-event-id": inHeader(id) },
  }),
  method: (method) => ({ method: "POST", path: "/mcp", headers: session, body: rpc(method, {}) }),
  "protocol version": (version) => ({
    method: "POST",
    path: "/mcp",
    headers: { ...session, "mcp-protocol-version": `x${inHeader(version)}` },
    body: call,
  }),
  tenant: (tenant) => ({
    method: "GET",
    path: "/api/v1/integrations",
    headers: { "x-gateway-tenant": `x${inHeader(tenant)}` },
  }),
  "tenant in the query": (tenant) => ({
    method: "GET",
    path: `/api/v1/integrations?customer_id=x${inPath(tenant)}`,
  }),
  origin: (origin) => ({
    method: "GET",
    path: "/api/v1/integrations",
    headers: { origin: `x${inHeader(origin)}` },
  }),
  host: (host) => ({ method: "GET", path: "/api/v1/integrations", headers: { host: `x${inHeader(host)}` } }),
  provider: (name) => ({ method: "GET", path: `/api/v1/x${inPath(name)}/add` }),
  operation: (name) => ({ method: "GET", path: `/api/v1/shop/x${inPath(name)}` }),
  path: (path) => ({ method: "GET", path: `/x${inPath(path)}` }),
  "argument that is not declared": (name) => ({
    method: "GET",
    path: `/api/v1/shop/add?x${inPath(name)}=1`,
  }),
  connection: (name) => ({
    method: "GET",
    path: `/api/v1/shop/add?_connection=x${inPath(name)}`,
  }),
};

/** Resolves to the status, 0 where Node itself can't send that. */
function send({ method, path, headers = {}, body }: Sent): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    try {
      const sent = request(
        system.url + path,
        { method, agent: false, headers: { ...own, ...headers } },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
          });
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      sent.on("error", () => resolve({ status: 0, text: "" }));
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    } catch {
      resolve({ status: 0, text: "" });
    }
  });
}

test.each(Object.entries(positions))(
  "%s: whatever text stands there is refused, clearly and briefly, and nothing comes of it",
  async (_name, sentOf) => {
    const logged = system.log.length;
    let answered = 0;
    for (const value of naughtyTexts) {
      const { status, text } = await send(sentOf(value));
      if (status === 0) continue;
      answered += 1;
      const refusal = JSON.stringify(value).slice(0, 100);
      // A JSON-RPC error of a request that was understood comes with 200.
      if (status === 200) expect(JSON.parse(text), refusal).toHaveProperty("error.message");
      else expect([status >= 400 && status < 500, refusal]).toEqual([true, refusal]);
      // What was asked for may be repeated, once.
      expect(text.length, refusal).toBeLessThan(JSON.stringify(value).length + 3_000);
    }
    expect(answered).toBeGreaterThan(100);
    expect(upstream.seen).toEqual([]);
    expect(system.log.slice(logged)).toEqual([]);
  },
  120_000,
);
