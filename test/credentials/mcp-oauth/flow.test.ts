import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import type { StoredOAuth } from "../../../src/credentials/credential-store.ts";
import type {
  AuthorizationNeed,
  PreparedAuthorization,
} from "../../../src/credentials/mcp-oauth/mcp-authorization.ts";
import { checkCallback } from "../../../src/credentials/oauth/check-callback.ts";
import { createTokenClient } from "../../../src/credentials/oauth/create-token-client.ts";
import type { TokenSet } from "../../../src/credentials/oauth/token-client.ts";
import { Secret } from "../../../src/secret.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import type { AuthorizationServerOptions } from "../authorization-server/model.ts";
import { type AuthorizationServer, startAuthorizationServer } from "../authorization-server.ts";
import { type McpOAuthServer, type McpOAuthServerOptions, startMcpOAuthServer } from "../mcp-oauth-server.ts";
import { createHarness, plainAuth } from "./harness.ts";

interface World {
  readonly issuer: AuthorizationServer;
  readonly resource: McpOAuthServer;
  /** The whole way of one person. */
  connect(
    user: string,
    need?: Partial<AuthorizationNeed>,
    server?: AuthorizationServer,
  ): Promise<Omit<TokenSet, "scopes"> & PreparedAuthorization>;
  refresh(stored: StoredOAuth, token: Secret | undefined): Promise<TokenSet>;
}

async function createWorld(
  options: AuthorizationServerOptions = {},
  more: Partial<McpOAuthServerOptions> = {},
): Promise<World> {
  const issuer = await start({ registration: "secrets", ...options });
  const resource = await startMcpOAuthServer({ authorizationServer: issuer, ...more });
  onTestFinished(() => resource[Symbol.asyncDispose]());
  const { prepare, mcp } = await createHarness();
  const http = createHttpClient({ allowedHosts: () => ["127.0.0.1"] });
  onTestFinished(() => http.close());
  const tokens = createTokenClient(http);
  const signal = AbortSignal.timeout(20_000);
  return {
    issuer,
    resource,
    async connect(user, need, server = issuer) {
      const prepared = await prepare(resource.url, need);
      const { client, scopes, redirectUri } = prepared;
      const codeVerifier = new Secret(randomBytes(32).toString("base64url"));
      const state = randomBytes(16).toString("base64url");
      const url = await tokens.authorizationUrl(client, { redirectUri, state, scopes, codeVerifier });
      const { searchParams } = await server.approve(url, user);
      expect(searchParams.get("state")).toBe(state);
      const code = checkCallback(client, {
        code: searchParams.get("code") ?? undefined,
        issuer: searchParams.get("iss") ?? undefined,
        error: searchParams.get("error") ?? undefined,
        errorDescription: undefined,
      });
      const given = await tokens.exchangeCode(client, { code, redirectUri, codeVerifier }, signal);
      return { ...given, ...prepared };
    },
    async refresh(stored, token) {
      return tokens.refresh(
        await mcp.clientFor(stored, plainAuth),
        token ?? new Secret("missing"),
        undefined,
        signal,
      );
    },
  };
}

async function start(options: AuthorizationServerOptions): Promise<AuthorizationServer> {
  const server = await startAuthorizationServer(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** Calls a tool of the fixture as its clients do. */
async function callTool(resource: McpOAuthServer, token: Secret, name: string): Promise<string> {
  const response = await fetch(resource.url, {
    method: "POST",
    headers: { authorization: `Bearer ${token.reveal()}`, "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: {} } }),
  });
  return `${response.status} ${await response.text()}`;
}

test("two people are two people", async () => {
  const { connect, resource, issuer } = await createWorld();
  const [ada, bob] = await Promise.all([connect("ada"), connect("bob")]);
  expect(await callTool(resource, ada.accessToken, "whoami")).toContain('"ada"');
  expect(await callTool(resource, bob.accessToken, "whoami")).toContain('"bob"');
  expect(await callTool(resource, bob.accessToken, "notes_of_ada")).toContain("There is no tool");
  expect(issuer.registered).toHaveLength(1);
  expect(ada.client.resource).toBe(resource.url);
});

test.each(["announced", "path", "root"] as const)("metadata: %s", async (metadata) => {
  const { connect, resource } = await createWorld({}, { metadata });
  expect(await callTool(resource, (await connect("ada")).accessToken, "whoami")).toContain('"ada"');
});

test("a refresh goes to the same client, without discovery", async () => {
  const { connect, refresh, resource, issuer } = await createWorld();
  const { stored, refreshToken } = await connect("ada");
  const before = issuer.requestsTo("metadata").length;
  const { accessToken } = await refresh(stored, refreshToken);
  expect(await callTool(resource, accessToken, "whoami")).toContain('"ada"');
  expect(issuer.requestsTo("metadata")).toHaveLength(before);
});

test("scopes grow by what a call lacks", async () => {
  const { connect, resource } = await createWorld({}, { scopes: ["notes:read"] });
  const first = await connect("ada");
  expect(first.scopes).toEqual(["notes:read"]);
  expect(await callTool(resource, first.accessToken, "write_note")).toMatch(/^403/);
  const second = await connect("ada", { wanted: ["notes:write"], granted: first.scopes });
  expect(second.scopes).toEqual(["notes:read", "notes:write"]);
  expect(await callTool(resource, second.accessToken, "write_note")).toMatch(/^200/);
});

test("when the authorization server moves, nothing of the old one reaches the new one", async () => {
  const { connect, refresh, resource, issuer } = await createWorld();
  const first = await connect("ada");
  const next = await start({ registration: "secrets" });
  resource.change({ authorizationServer: next });

  // What was given is refreshed where it was given.
  const refreshed = await refresh(first.stored, first.refreshToken);
  expect(next.requests).toEqual([]);
  const second = await connect("ada", { issuer: first.stored.issuer }, next);
  expect(second.client.issuer).toBe(next.issuer);
  expect(second.client.clientId).not.toBe(first.client.clientId);

  const secrets = [
    first.client.clientId,
    first.client.clientSecret,
    first.accessToken,
    first.refreshToken,
    refreshed.accessToken,
    refreshed.refreshToken,
  ].map((secret) => (typeof secret === "string" ? secret : (secret?.reveal() ?? "missing")));
  for (const { body, url, headers } of next.requests) {
    const text = `${url} ${body} ${JSON.stringify(headers)} ${decode(headers["authorization"])}`;
    for (const secret of secrets) expect(text).not.toContain(secret);
  }
  expect(issuer.registered).toHaveLength(1);
});

test.each([
  ["names another issuer", { wrong: "https://evil.example" }],
  ["names itself with a slash more", "slash"],
  ["does not name itself, as it had announced", "missing"],
] as const)("an answer that %s is not believed, and its code goes nowhere", async (_what, said) => {
  const { connect, issuer } = await createWorld();
  issuer.change({ responseIssuer: said === "slash" ? { wrong: `${issuer.issuer}/` } : said });
  await expect(connect("ada")).rejects.toMatchObject({ code: "bad_request" });
  expect(issuer.requestsTo("token")).toEqual([]);
});

test("a server that says nothing of issuers is used all the same", async () => {
  const { connect, resource, issuer } = await createWorld();
  issuer.change({ responseIssuer: false });
  expect(await callTool(resource, (await connect("ada")).accessToken, "whoami")).toContain('"ada"');
});

test("a mix-up: a code of the honest server is not taken to the attacker's", async () => {
  const honest = await createWorld();
  const attacker = await createWorld();
  // The attacker's page sends the browser on to the honest server, which sends it back with the attacker's state.
  attacker.issuer.change({ responseIssuer: { wrong: honest.issuer.issuer } });
  await expect(attacker.connect("ada")).rejects.toThrow("another authorization server");
  expect(attacker.issuer.requestsTo("token")).toEqual([]);
});

function decode(header: string | undefined): string {
  const pair = /^Basic (\S+)$/.exec(header ?? "")?.[1] ?? "";
  return decodeURIComponent(Buffer.from(pair, "base64").toString("utf8"));
}
