import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Answer, modernRequest, openSession, post, type WireSession } from "../server/mcp/wire.ts";
import { attacks, claimsOf, good, tokenOf } from "./jwt-cases.ts";
import { encode, type JwtStage, startJwtStage } from "./jwt-stage.ts";
import { callModern } from "./system.ts";

// Row 10: tokens of trusted issuers, over real HTTP and in every way in. What is not to the letter a token of the issuer, for this gateway
// and as of now, lets nobody in, says nothing of why, reaches no upstream and no address that it names.

let stage: JwtStage;
/** Opened by a good token. */
let session: WireSession;
let sessionId = "";
let began = 0;

beforeAll(async () => {
  stage = await startJwtStage();
  began = stage.time;
  session = await openSession(`${stage.url}/mcp`, undefined, {}, bearer(tokenOf(stage)));
  sessionId = session.initialized.headers.get("mcp-session-id") ?? "";
});
afterAll(() => stage?.[Symbol.asyncDispose]());
beforeEach(() => {
  stage.time = began;
});

function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}

const listTools = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
const callTool = { ...listTools, method: "tools/call", params: { name: "books_see", arguments: {} } };

/** Every way in, none of them open to a bad token. */
const ways: readonly (readonly [string, (token: string) => Promise<Answer>])[] = [
  [
    "initialize",
    async (token) => (await openSession(`${stage.url}/mcp`, undefined, {}, bearer(token))).initialized,
  ],
  [
    "tools/list in a session of somebody",
    (token) => post(`${stage.url}/mcp`, listTools, { ...bearer(token), "mcp-session-id": sessionId }),
  ],
  [
    "tools/call in a session of somebody",
    (token) => post(`${stage.url}/mcp`, callTool, { ...bearer(token), "mcp-session-id": sessionId }),
  ],
  [
    "tools/list of 2026-07-28",
    (token) => {
      const { message, headers } = modernRequest("tools/list");
      return post(`${stage.url}/mcp`, message, { ...headers, ...bearer(token) });
    },
  ],
  ["tools/call of 2026-07-28", (token) => callModern(stage.url, "books_see", {}, 1, bearer(token))],
  ["the HTTP API", (token) => post(`${stage.url}/api/v1/books/see`, {}, bearer(token))],
];

test("there are more than a hundred attacks, each another one", () => {
  const tokens = Object.values(attacks).flat();
  expect(tokens.length).toBeGreaterThan(200);
  expect(new Set(tokens.map(([, make]) => make(stage))).size).toBeGreaterThan(200);
});

describe.each(Object.entries(attacks))("%s", (_group, cases) => {
  test.each(cases)("%s", async (_name, make) => {
    const token = make(stage);
    const seen = stage.upstream.seen.length;
    for (const [way, send] of ways) {
      const { status, headers, text } = await send(token);
      if (token.length > 16_000) {
        // Node's parser of HTTP does not take so much.
        expect([401, 431], way).toContain(status);
        continue;
      }
      expect({ way, status }).toEqual({ way, status: 401 });
      const challenge = headers.get("www-authenticate");
      expect(challenge, way).toMatch(/^Bearer /);
      expect(challenge, way).toContain('error="invalid_token"');
      expect(challenge, way).toContain("/.well-known/oauth-protected-resource");
      expect(headers.get("mcp-session-id"), way).toBeNull();
      expect(text, way).toMatch(/Authentication is required|The Authorization header can't be read/);
      if (token.length > 20) expect(text + challenge, way).not.toContain(token);
    }
    expect(stage.upstream.seen.length).toBe(seen);
    expect(stage.canary.opened()).toBe(0);
  });
});

describe("a good token", () => {
  test.each(good)("%s lets its subject in", async (_name, make) => {
    const token = make(stage);
    for (const [way, send] of ways) {
      const seen = stage.upstream.seen.length;
      const { status, text } = await send(token);
      // Sessions are one caller's own.
      const isOthers = way.includes("session of somebody") && !isOf(token, "ada");
      expect({ way, status, text }).toEqual({ way, status: isOthers ? 404 : 200, text: expect.any(String) });
      if (way.includes("call") || way.includes("API"))
        expect(stage.upstream.seen.length, way).toBe(isOthers ? seen : seen + 1);
    }
  });

  test("is refused everywhere from one moment on", async () => {
    const seconds = Math.floor(stage.time / 1000);
    stage.time = seconds * 1000;
    const token = tokenOf(stage, { exp: seconds + 10 });
    const moments: readonly (readonly [number, number])[] = [
      [0, 200],
      [9, 200],
      [10, 200],
      [69, 200],
      [70, 401],
      [71, 401],
      [69, 200],
    ];
    for (const [passed, expected] of moments) {
      stage.time = (seconds + passed) * 1000;
      for (const [way, send] of ways)
        expect({ way, passed, status: (await send(token)).status }).toEqual({
          way,
          passed,
          status: expected,
        });
    }
  });

  test("never leaves", async () => {
    const token = tokenOf(stage);
    for (const [, send] of ways) await send(token);
    const [, claims = "", signature = ""] = token.split(".");
    expect(stage.upstream.seen.length).toBeGreaterThan(0);
    for (const part of [claims, signature]) expect(stage.upstream.bytes()).not.toContain(part);
  });
});

test("a token's subject and roles are whom the policies see, not what it calls itself", async () => {
  const token = tokenOf(stage, {
    roles: ["operator"],
    role: "admin",
    actsFor: "all",
    tenant: "acme",
    kind: "operator",
  });
  const users = await fetch(`${stage.url}/api/v1/users`, { headers: bearer(token) });
  expect(users.status).toBe(403);
  const elsewhere = await fetch(`${stage.url}/api/v1/integrations`, {
    headers: { ...bearer(token), "x-gateway-tenant": "acme" },
  });
  expect(elsewhere.status).toBe(403);
});

test("an issuer whose keys can't be had lets nobody in, and the caller is told to come again", async () => {
  const token = tokenOf(stage, { iss: stage.absentIssuer });
  for (const [way, send] of ways) {
    const { status, text } = await send(token);
    expect({ way, status }).toEqual({ way, status: 503 });
    expect(text, way).toContain("Try again later");
  }
  expect(stage.log.join("\n")).toContain(`${stage.absentIssuer} could not be fetched`);
});

test("nothing of any token is in the log", async () => {
  const log = stage.log.join("\n");
  expect(log).toContain("was refused");
  expect(log).not.toMatch(/eyJ|Bearer [A-Za-z0-9]|root|evil\.example|nobody/);
  expect(log).not.toContain(encode(claimsOf(stage)));
});

function isOf(token: string, subject: string): boolean {
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  return claims.sub === subject && claims.iss === stage.issuer;
}
