import { afterAll, beforeAll, expect, test } from "vitest";
import { runGateway } from "../e2e/start-gateway.ts";
import { type System, startSystem } from "./system.ts";
import { sendJson, startUpstream, type Upstream } from "./upstream.ts";

// Token passthrough: what proves to the gateway who calls never reaches an upstream, in whatever spelling callers put it where an
// upstream's own credential belongs.

let upstream: Upstream;
let system: System;
let token = "";

const operations = [{ name: "see", description: "Sees.", method: "GET", path: "/see" }];

beforeAll(async () => {
  upstream = await startUpstream((_seen, response) => sendJson(response, { ok: true }));
  const provider = (auth: object, further: object = {}) => ({
    surfaces: { rest: { base_url: upstream.url, operations } },
    connections: { default: { mode: "user", auth, ...further } },
  });
  system = await startSystem(
    {
      passing: provider({ type: "passthrough", header: "X-Upstream-Token" }),
      bearer: provider({ type: "bearer" }),
      params: provider({ type: "bearer" }, { params: { site: { header: "X-Site" } } }),
      manual: provider({
        type: "manual",
        credentials: [
          { name: "user", basic: "username" },
          { name: "key", header: "X-Key" },
        ],
      }),
    },
    {
      server: { encryption_key: "${env:GATEWAY_KEY}" },
      settings: { auth: { provider: "local" } },
      environment: { GATEWAY_KEY: (await runGateway(["keys", "generate"])).stdout.trim() },
    },
  );
  const administration = await system.administration();
  token = (await administration.createToken({ name: "laptop", service: true })).secret.reveal();
}, 60_000);
afterAll(async () => {
  await system?.close();
  await upstream?.[Symbol.asyncDispose]();
});

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const spellings: readonly (readonly [string, (token: string) => string])[] = [
  ["as it is", (own) => own],
  ["with a scheme", (own) => `Bearer ${own}`],
  ["with a scheme twice", (own) => `bearer Bearer ${own}`],
  ["in something else", (own) => `a=b; token="${own}"; c`],
  ["as a password (basic)", (own) => `Basic ${base64(`ada:${own}`)}`],
  ["as a user (basic)", (own) => `Basic ${base64(`${own}:`)}`],
  ["in base64url", (own) => Buffer.from(`Bearer ${own}?>`).toString("base64url")],
  ["encoded as in a URL", (own) => own.replaceAll("_", "%5F")],
];

async function post(path: string, body: object, headers: object = {}): Promise<Response> {
  return fetch(`${system.url}/api/v1/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

test.each(spellings)("no API token of the gateway goes out %s", async (_how, spell) => {
  const value = spell(token);
  const answers = [
    await post("passing/see", {}, { "x-upstream-token": value }),
    await post("auth/connect-manual", { provider: "bearer", fields: { token: value } }),
    await post("auth/connect-manual", { provider: "manual", fields: { user: "ada", key: value } }),
    await post("auth/connect-manual", {
      provider: "params",
      fields: { token: "t" },
      params: { site: value },
    }),
  ];
  for (const answer of answers) {
    const text = await answer.text();
    expect(answer.status, text).toBe(400);
    expect(text).toContain("API token of th");
    expect(text).not.toContain(token);
    expect(text).not.toContain(value);
  }
  expect(upstream.seen).toEqual([]);
});

test("what only looks like it at a glance does", async () => {
  const values = [
    "gst_api_",
    "gst api",
    base64("ada:secret"),
    "a".repeat(5_000),
    "%",
    "%zz",
    "gst_api_short",
  ];
  for (const value of values) {
    const answer = await post("passing/see", {}, { "x-upstream-token": value });
    expect(answer.status, value.slice(0, 20)).toBe(200);
  }
});
