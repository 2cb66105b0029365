import { describe, expect, test } from "vitest";
import { checkCallback } from "../../../src/credentials/oauth/check-callback.ts";
import { createTokenClient } from "../../../src/credentials/oauth/create-token-client.ts";
import type { OAuthClient, TokenClient, TokenSet } from "../../../src/credentials/oauth/token-client.ts";
import { Secret } from "../../../src/secret.ts";
import { noAbort, startClient } from "../../upstream/loopback.ts";
import {
  type AnswerShape,
  type AuthorizationServer,
  type AuthorizationServerOptions,
  startAuthorizationServer,
} from "../authorization-server.ts";
import { clientOfServer, opened, redirectUri, verifier } from "./client.ts";

const now = 1_700_000_000_000;
const secret = "s3cret of:the+client/% é";

/** The whole way of a person: the page, the callback, the code. */
async function connect(
  tokens: TokenClient,
  server: AuthorizationServer,
  client: OAuthClient,
  user: string,
  scopes: readonly string[] = ["read", "write:all"],
): Promise<TokenSet> {
  const codeVerifier = client.pkce ? verifier : undefined;
  const url = await tokens.authorizationUrl(client, { redirectUri, state: "st4te", scopes, codeVerifier });
  const { searchParams: back } = await server.approve(url, user);
  expect(back.get("state")).toBe("st4te");
  const code = checkCallback(client, {
    code: back.get("code") ?? undefined,
    issuer: back.get("iss") ?? undefined,
    error: back.get("error") ?? undefined,
    errorDescription: back.get("error_description") ?? undefined,
  });
  return tokens.exchangeCode(client, { code, redirectUri, codeVerifier }, noAbort());
}

const shapes: Readonly<Record<string, AnswerShape>> = {
  "of the standard": {},
  "as a form": { encoding: "form" },
  "as a form unless JSON is asked for": { encoding: "form_unless_json_is_asked" },
  "with seconds as text": { expiresIn: "string" },
  "without an end, type and scopes": { expiresIn: "absent", tokenType: null, scope: false },
  "with the type in lower case": { tokenType: "bearer" },
  "nested, beside the token of somebody else": {
    accessTokenPath: ["authed_user", "access_token"],
    errorsWith200: "ok",
    extra: {
      token_type: "bot",
      access_token: "of-a-bot",
      refresh_token: "of-a-bot",
      authed_user: { id: "U1" },
    },
  },
};

describe.each(["header", "body", "none"] as const)("client authentication %s", (clientAuth) => {
  describe.each(["form", "json"] as const)("exchange %s", (exchange) => {
    test.each([
      { scopeParameter: "scope", scopeSeparator: " ", pkce: true, issuerPath: "", refreshTokens: "rotating" },
      {
        scopeParameter: "user_scope",
        scopeSeparator: ",",
        pkce: false,
        issuerPath: "/a/b",
        refreshTokens: "constant",
      },
      {
        scopeParameter: "scope",
        scopeSeparator: ",",
        pkce: true,
        issuerPath: "/a",
        refreshTokens: "rotating",
      },
      {
        scopeParameter: "user_scope",
        scopeSeparator: " ",
        pkce: false,
        issuerPath: "",
        refreshTokens: "none",
      },
    ] as const)(
      "$scopeParameter by '$scopeSeparator', PKCE $pkce, path '$issuerPath', refresh $refreshTokens",
      async (row) => {
        await using http = startClient();
        const options: AuthorizationServerOptions = {
          ...row,
          exchange,
          pkce: row.pkce ? "required" : "none",
          clients: [
            {
              id: "the client:1",
              secret: clientAuth === "none" ? undefined : secret,
              auth: clientAuth,
              redirectUris: [redirectUri],
            },
          ],
        };
        await using server = await startAuthorizationServer(options);
        const tokens = createTokenClient(http, { now: () => now });
        for (const [name, answer] of Object.entries(shapes)) {
          server.change({ answer });
          const client = clientOfServer(server, {
            clientId: "the client:1",
            clientSecret: clientAuth === "none" ? undefined : new Secret(secret),
            clientAuth,
            exchange,
            scopeParameter: row.scopeParameter,
            scopeSeparator: row.scopeSeparator,
            pkce: row.pkce,
            accessTokenPath: answer.accessTokenPath ?? ["access_token"],
          });
          const first = await connect(tokens, server, client, name);
          const { accessToken, refreshToken, expiresAt, scopes } = opened(first);
          expect(server.userOf(accessToken)).toBe(name);
          expect(server.grantOf(accessToken)?.scopes).toEqual(["read", "write:all"]);
          if (answer.accessTokenPath === undefined) {
            expect(expiresAt).toBe(answer.expiresIn === "absent" ? undefined : now + 300_000);
            expect(scopes).toEqual(answer.scope === false ? undefined : ["read", "write:all"]);
            expect(refreshToken === undefined).toBe(row.refreshTokens === "none");
          } else {
            // What stands at the root belongs to the other token.
            expect(refreshToken).toBeUndefined();
            expect(scopes).toBeUndefined();
          }
          if (first.refreshToken !== undefined) {
            const second = await tokens.refresh(client, first.refreshToken, ["read"], noAbort());
            expect(server.grantOf(second.accessToken.reveal())).toMatchObject({
              user: name,
              scopes: ["read"],
            });
            const { refreshToken: next = first.refreshToken } = second;
            expect(await tokens.revoke(client, next, "refresh_token", noAbort())).toBe(true);
            expect(server.userOf(second.accessToken.reveal())).toBeUndefined();
          }
        }
        expect(server.reuses()).toBe(0);
      },
    );
  });
});

test("a resource is named on both legs and in refreshes", async () => {
  await using http = startClient();
  const resource = "https://mcp.example.com/mcp";
  await using server = await startAuthorizationServer({ resources: [resource] });
  const tokens = createTokenClient(http);
  const client = clientOfServer(server, { resource });
  const first = await connect(tokens, server, client, "ada");
  expect(server.grantOf(first.accessToken.reveal())?.resource).toBe(resource);
  const second = await tokens.refresh(client, first.refreshToken ?? new Secret(""), undefined, noAbort());
  expect(server.grantOf(second.accessToken.reveal())?.resource).toBe(resource);
  expect(server.requestsTo("token").map(({ parameters }) => parameters["resource"])).toEqual([
    resource,
    resource,
  ]);
});

test("the client's own grant", async () => {
  await using http = startClient();
  await using server = await startAuthorizationServer({ exchange: "both" });
  const tokens = createTokenClient(http);
  for (const clientAuth of ["header", "body"] as const) {
    for (const exchange of ["form", "json"] as const) {
      const client = clientOfServer(server, { clientAuth, exchange, tokenParameters: { audience: "api" } });
      const set = await tokens.clientCredentials(client, ["read"], noAbort());
      expect(server.userOf(set.accessToken.reveal())).toBe("client:gateway");
      expect(server.requestsTo("token").at(-1)?.parameters).toMatchObject({ audience: "api", scope: "read" });
    }
  }
});

test("further parameters go where they belong, and never in place of the protocol's", async () => {
  await using http = startClient();
  await using server = await startAuthorizationServer();
  const tokens = createTokenClient(http);
  const hostile = {
    grant_type: "password",
    code: "theirs",
    redirect_uri: "https://evil.example",
    client_id: "theirs",
    client_secret: "theirs",
    refresh_token: "theirs",
    code_verifier: "theirs",
    state: "theirs",
    response_type: "token",
    code_challenge: "theirs",
    code_challenge_method: "plain",
    client_assertion: "theirs",
    client_assertion_type: "theirs",
    request: "theirs",
    request_uri: "https://evil.example",
  };
  const client = clientOfServer(server, {
    authorizationParameters: { ...hostile, access_type: "offline" },
    tokenParameters: { ...hostile, audience: "a" },
    refreshParameters: { ...hostile, audience: "r" },
  });
  const first = await connect(tokens, server, client, "ada");
  await tokens.refresh(client, first.refreshToken ?? new Secret(""), undefined, noAbort());
  const [authorize] = server.requestsTo("authorize");
  const [exchange, refresh] = server.requestsTo("token");
  expect(authorize?.parameters["access_type"]).toBe("offline");
  expect(exchange?.parameters["audience"]).toBe("a");
  expect(refresh?.parameters["audience"]).toBe("r");
  for (const request of [authorize, exchange, refresh])
    expect(request?.url + (request?.body ?? "")).not.toMatch(/theirs|evil/);
});

test("a constant refresh token that is not told again stays with the caller", async () => {
  await using http = startClient();
  await using server = await startAuthorizationServer();
  server.fail("token", {
    kind: "body",
    body: '{"access_token":"new","token_type":"bearer","refresh_token":null}',
  });
  const set = await createTokenClient(http).refresh(
    clientOfServer(server),
    new Secret("old"),
    undefined,
    noAbort(),
  );
  expect(opened(set)).toEqual({
    accessToken: "new",
    refreshToken: undefined,
    expiresAt: undefined,
    scopes: undefined,
  });
});

test("a client without PKCE sends nothing of it on either leg", async () => {
  await using http = startClient();
  await using server = await startAuthorizationServer({ pkce: "optional" });
  const tokens = createTokenClient(http);
  const client = clientOfServer(server, { pkce: false });
  const request = { redirectUri, state: "s", scopes: [], codeVerifier: verifier };
  const callback = await server.approve(await tokens.authorizationUrl(client, request), "ada");
  const code = { code: callback.searchParams.get("code") ?? "", redirectUri, codeVerifier: verifier };
  await tokens.exchangeCode(client, code, noAbort());
  for (const { parameters } of server.requests) expect(Object.keys(parameters).join()).not.toContain("code_");
});

test("a refresh is answered at the root although the first token was nested", async () => {
  await using http = startClient();
  await using server = await startAuthorizationServer();
  const client = clientOfServer(server, { accessTokenPath: ["authed_user", "access_token"] });
  const body = '{"ok":true,"access_token":"new","refresh_token":"next","expires_in":43200}';
  server.fail("token", { kind: "body", body });
  const tokens = createTokenClient(http, { now: () => now });
  const set = await tokens.refresh(client, new Secret("old"), undefined, noAbort());
  expect(opened(set)).toMatchObject({
    accessToken: "new",
    refreshToken: "next",
    expiresAt: now + 43_200_000,
  });
  // A code, however, may have brought the token of somebody else there.
  const code = { code: "c", redirectUri, codeVerifier: verifier };
  await expect(tokens.exchangeCode(client, code, noAbort())).rejects.toMatchObject({ kind: "transient" });
});

test("revocation says no where the server can't, does not, or can't be reached", async () => {
  await using http = startClient();
  await using server = await startAuthorizationServer({ revocation: false });
  const patient = createTokenClient(http);
  const hasty = createTokenClient(http, { limits: { headers: 300, total: 300 } });
  const token = new Secret("t");
  const revoke = (changes: Partial<OAuthClient> = {}, signal = noAbort()): Promise<boolean> =>
    patient.revoke(clientOfServer(server, changes), token, "access_token", signal);
  expect(await revoke({ revocationUrl: undefined })).toBe(false);
  expect(await revoke()).toBe(false);
  expect(await revoke({ clientSecret: undefined })).toBe(false);
  expect(await revoke({}, AbortSignal.abort())).toBe(false);
  server.fail("revoke", { kind: "body", body: '{"ok":false}' });
  expect(await revoke()).toBe(false);
  server.fail("revoke", { kind: "body", body: '{"error":"invalid_client"}' });
  expect(await revoke()).toBe(false);
  server.fail("revoke", { kind: "silent" });
  expect(await hasty.revoke(clientOfServer(server), token, "access_token", noAbort())).toBe(false);
});
