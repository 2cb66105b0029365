import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { baseHeaders, modernRequest, post } from "../server/mcp/wire.ts";
import { type CredentialedSystem, startCredentialed } from "./credentialed-system.ts";
import { makeSigningKey, signParts } from "./jwt-stage.ts";
import { openLegacy } from "./system.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

// Row 10, audience confusion: a token that was issued for another resource than the one it is sent to, or by somebody who is not trusted,
// gets in nowhere: by no method, form of the path, era, stream or session.

let stage: CredentialedSystem;
let upstream: Upstream;
/** A session that somebody with a good token has open. */
let session: Readonly<Record<string, string>>;
let good: string;

beforeAll(async () => {
  upstream = await startUpstream();
  const operations = [{ name: "see", description: "Sees.", method: "GET", path: "/see" }];
  stage = await startCredentialed({
    books: { surfaces: { rest: { base_url: upstream.url, operations } } },
  });
  good = (await stage.grant()).token;
  session = (await openLegacy(stage.system.url, undefined, bearer(good))).headers;
}, 60_000);
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
});

function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}

const issuedFor = async (audience: string) => (await stage.grant({ audience })).token;
const port = (): string => new URL(stage.system.url).port;

/** Tokens that are good elsewhere. */
const foreign: Readonly<Record<string, () => Promise<string> | string>> = {
  "our own, for the HTTP API": () => issuedFor(`${stage.system.url}/api/v1`),
  "our own, for the gateway itself": () => issuedFor(stage.system.url),
  "our own, with a slash": () => issuedFor(`${stage.system.url}/mcp/`),
  "our own, with a query": () => issuedFor(`${stage.system.url}/mcp?x`),
  "our own, for a path below": () => issuedFor(`${stage.system.url}/mcp/books`),
  "our own, in other letters": () => issuedFor(`${stage.system.url}/MCP`),
  "our own, over https": () => issuedFor(`https://127.0.0.1:${port()}/mcp`),
  "our own, at another port": () => issuedFor("http://127.0.0.1:1/mcp"),
  "our own, for another base URL": () => issuedFor("https://other.example.com/mcp"),
  "our own, for a name that begins like ours": () => issuedFor(`${stage.system.url}.evil.example/mcp`),
  "our own, for two": () => issuedFor(`${stage.system.url}/mcp ${stage.system.url}/api/v1`),
  "the trusted issuer's, for another": () => stage.sign({ aud: "https://other.example.com/mcp" }),
  "the trusted issuer's, for nobody": () => stage.sign({ aud: [] }),
  "the trusted issuer's, for several others": () =>
    stage.sign({ aud: ["https://gateway.example", "https://gateway.example/mcp/"] }),
  "the trusted issuer's, to a client of our name": () =>
    stage.sign({ aud: "https://x.example", azp: "https://gateway.example/mcp" }),
  "of another issuer": () => stage.sign({ iss: "https://issuer.example.com" }),
  "of another issuer, with its key": () => {
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: stage.issuer.url,
      sub: "ada",
      aud: "https://gateway.example/mcp",
      iat: now,
      exp: now + 60,
    };
    return signParts(makeSigningKey("k1", "ES256"), { alg: "ES256", typ: "at+jwt", kid: "k1" }, claims);
  },
  "a refresh token": () => good.replace("gst_oat_", "gst_ort_"),
  "a code": () => good.replace("gst_oat_", "gst_oac_"),
};

const paths = ["/mcp", "/mcp/", "/mcp?x=1", "/mcp/?x=1", "/mcp/books", "/mcp/books/see"];
const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "books_see", arguments: {} } };
const initialize = {
  ...{ jsonrpc: "2.0", id: 1, method: "initialize" },
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "c", version: "1" } },
};
const events = { accept: "text/event-stream" };

interface Attempt {
  readonly name: string;
  readonly method: string;
  readonly headers: () => Readonly<Record<string, string>>;
  readonly body?: string;
}

const attempts: readonly Attempt[] = [
  { name: "initialize", method: "POST", headers: () => baseHeaders, body: JSON.stringify(initialize) },
  {
    name: "a legacy call",
    method: "POST",
    headers: () => ({ ...baseHeaders, ...session }),
    body: JSON.stringify(call),
  },
  {
    ...{
      name: "a modern call",
      method: "POST",
      body: JSON.stringify(modernRequest("tools/call", call.params).message),
    },
    headers: () => ({
      ...baseHeaders,
      ...modernRequest("tools/call", call.params).headers,
      "mcp-name": "books_see",
    }),
  },
  { name: "no message", method: "POST", headers: () => baseHeaders, body: "{" },
  { name: "no JSON", method: "POST", headers: () => ({}), body: "x" },
  { name: "the stream of a session", method: "GET", headers: () => ({ ...session, ...events }) },
  {
    name: "the rest of a stream",
    method: "GET",
    headers: () => ({ ...session, ...events, "last-event-id": "1" }),
  },
  { name: "a stream without a session", method: "GET", headers: () => events },
  { name: "the end of a session", method: "DELETE", headers: () => session },
  { name: "another method", method: "PUT", headers: () => ({}), body: "{}" },
];

describe.each(Object.keys(foreign))("a token %s", (name) => {
  test("opens /mcp by no method, path, era, stream or session", async () => {
    const token = (await foreign[name]?.()) ?? "";
    for (const path of paths) {
      for (const { name: what, method, headers, body } of attempts) {
        const sent = { ...headers(), ...bearer(token) };
        const response = await fetch(`${stage.system.url}${path}`, {
          method,
          headers: sent,
          body: body ?? null,
        });
        const text = await response.text();
        expect([response.status, path, what], text).toEqual([401, path, what]);
        const challenge = response.headers.get("www-authenticate");
        expect(challenge).toContain('error="invalid_token"');
        expect(challenge).toContain(
          `resource_metadata="${stage.system.url}/.well-known/oauth-protected-resource/mcp", scope="mcp"`,
        );
        // Refused before JSON-RPC.
        expect(text).not.toContain("jsonrpc");
        expect(text).not.toContain(token);
      }
    }
    expect(upstream.seen).toEqual([]);
  });

  test("counts in no other place of a request", async () => {
    const token = (await foreign[name]?.()) ?? "";
    const request = modernRequest("tools/list");
    const placed: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
      [`?access_token=${token}`, {}],
      ["", { cookie: `__Host-gateway-session=${token}` }],
      ["", { "x-forwarded-authorization": `Bearer ${token}` }],
      ["", { "proxy-authorization": `Bearer ${token}` }],
    ];
    for (const [query, headers] of placed) {
      const answer = await post(`${stage.system.url}/mcp${query}`, request.message, {
        ...request.headers,
        ...headers,
      });
      expect(answer.status).toBe(401);
    }
  });
});

test("a token for /mcp opens nothing of the HTTP API and no page", async () => {
  const { url } = stage.system;
  for (const path of [
    "auth/session",
    "books/see",
    "integrations",
    "users",
    "tokens",
    "auth/grants",
    "nothing",
  ]) {
    const response = await fetch(`${url}/api/v1/${path}`, { headers: bearer(good) });
    expect(response.status, path).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain(
      `resource_metadata="${url}/.well-known/oauth-protected-resource/api/v1"`,
    );
  }
  const readiness = await fetch(`${url}/readyz`, { headers: bearer(good) });
  expect(await readiness.text()).not.toContain("books");
  expect((await fetch(`${url}/apps`, { headers: bearer(good), redirect: "manual" })).status).not.toBe(200);
});

test("after all that the good token and its session are what they were", async () => {
  const listed = await post(
    `${stage.system.url}/mcp`,
    { jsonrpc: "2.0", id: 7, method: "tools/list", params: {} },
    { ...session, ...bearer(good) },
  );
  expect([listed.status, listed.text]).toEqual([200, expect.stringContaining("books_see")]);
  const called = await post(`${stage.system.url}/mcp`, { ...call, id: 8 }, { ...session, ...bearer(good) });
  expect(called.status).toBe(200);
  expect(upstream.seen).toHaveLength(1);
  const jwt = modernRequest("tools/list");
  const answer = await post(`${stage.system.url}/mcp`, jwt.message, {
    ...jwt.headers,
    ...bearer(stage.sign()),
  });
  expect(answer.status).toBe(200);
});

describe("a session belongs to the token that opened it", () => {
  const list = { jsonrpc: "2.0", id: 3, method: "tools/list", params: {} };
  const stranger = async () => {
    const others = stage.callers.map(({ headers }) => headers("mcp"));
    return [...others, bearer((await stage.grant()).token), bearer(stage.sign({ client_id: "other" }))];
  };
  const openedBy: Readonly<Record<string, () => Promise<readonly [before: string, after: string]>>> = {
    "a grant, refreshed": async () => {
      const { grant, token } = await stage.grant();
      return [token, (await stage.grant({ grant })).token];
    },
    "a client of the trusted issuer, with its next token": async () => [
      stage.sign({ client_id: "mine" }),
      stage.sign({ client_id: "mine", jti: "next" }),
    ],
  };

  test.each(Object.keys(openedBy))("%s", async (name) => {
    const [first = {}, next = {}] = ((await openedBy[name]?.()) ?? []).map(bearer);
    const opened = (await openLegacy(stage.system.url, undefined, first)).headers;
    for (const headers of await stranger()) {
      const all = { ...opened, ...headers };
      const { authorization: _own, ...withCookie } = all;
      const sent = "cookie" in headers ? withCookie : all;
      expect((await post(`${stage.system.url}/mcp`, list, sent)).status).toBe(404);
      for (const method of ["GET", "DELETE"]) {
        const response = await fetch(`${stage.system.url}/mcp`, { method, headers: { ...sent, ...events } });
        expect(response.status, method).toBe(404);
        await response.body?.cancel();
      }
    }
    expect((await post(`${stage.system.url}/mcp`, list, { ...opened, ...next })).status).toBe(200);
    expect((await post(`${stage.system.url}/mcp`, list, { ...opened, ...first })).status).toBe(200);
  });

  test("an API token, rotated", async () => {
    const administration = await stage.system.administration();
    const { id, secret } = await administration.createToken({ name: "mine", user: "ada" });
    const opened = (await openLegacy(stage.system.url, undefined, bearer(secret.reveal()))).headers;
    const rotated = bearer((await administration.rotateToken(id)).secret.reveal());
    expect((await post(`${stage.system.url}/mcp`, list, { ...opened, ...rotated })).status).toBe(200);
    for (const headers of await stranger()) {
      if ("cookie" in headers) continue;
      expect((await post(`${stage.system.url}/mcp`, list, { ...opened, ...headers })).status).toBe(404);
    }
  });
});
