import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { type AuthorizationServer, defaultClient, startAuthorizationServer } from "./authorization-server.ts";

const redirectUri = "http://127.0.0.1:9/callback";
const verifier = randomBytes(32).toString("base64url");
const challenge = createHash("sha256").update(verifier).digest("base64url");

function authorizationUrl(
  server: AuthorizationServer,
  changes: Record<string, string | undefined> = {},
): string {
  const url = new URL(server.authorizationUrl);
  const parameters = {
    response_type: "code",
    client_id: "gateway",
    redirect_uri: redirectUri,
    state: "xyz",
    scope: "read write",
    code_challenge: challenge,
    code_challenge_method: "S256",
    ...changes,
  };
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}

async function post(
  server: AuthorizationServer,
  body: Record<string, string>,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const { id, secret = "" } = defaultClient;
  const pair = `${new URLSearchParams({ "": id }).toString().slice(1)}:${new URLSearchParams({ "": secret }).toString().slice(1)}`;
  const response = await fetch(server.tokenUrl, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` },
    body: new URLSearchParams(body),
  });
  return { status: response.status, body: Object(await response.json()) };
}

function codeOf(callback: URL): string {
  return callback.searchParams.get("code") ?? "";
}

test("a person goes through the page, and the code gives a token of that person", async () => {
  await using server = await startAuthorizationServer({ issuerPath: "/acme" });
  const callback = await server.approve(authorizationUrl(server), "ada");
  expect(callback.origin + callback.pathname).toBe(redirectUri);
  expect(callback.searchParams.get("state")).toBe("xyz");
  expect(callback.searchParams.get("iss")).toBe(server.issuer);
  const form = {
    grant_type: "authorization_code",
    code: codeOf(callback),
    redirect_uri: redirectUri,
    code_verifier: verifier,
  };
  const { status, body } = await post(server, form);
  expect(status).toBe(200);
  expect(body).toMatchObject({ token_type: "Bearer", expires_in: 300, scope: "read write" });
  expect(server.userOf(String(body["access_token"]))).toBe("ada");

  const again = await post(server, form);
  expect([again.status, again.body["error"]]).toEqual([400, "invalid_grant"]);
  expect(server.userOf(String(body["access_token"]))).toBeUndefined();
  expect(server.reuses()).toBe(1);
});

test("a refresh token that is used twice ends the whole grant", async () => {
  await using server = await startAuthorizationServer();
  const first = server.issue("ada");
  const second = await post(server, { grant_type: "refresh_token", refresh_token: first.refreshToken ?? "" });
  expect(second.status).toBe(200);
  const reuse = await post(server, { grant_type: "refresh_token", refresh_token: first.refreshToken ?? "" });
  expect(reuse.body["error"]).toBe("invalid_grant");
  const killed = await post(server, {
    grant_type: "refresh_token",
    refresh_token: String(second.body["refresh_token"]),
  });
  expect(killed.body["error"]).toBe("invalid_grant");
  expect(server.userOf(String(second.body["access_token"]))).toBeUndefined();
});

test.each([
  ["a wrong verifier", { code_verifier: "x".repeat(43) }, "invalid_grant"],
  ["another redirect_uri", { redirect_uri: `${redirectUri}/` }, "invalid_grant"],
  ["a resource that was not authorized", { resource: "https://other.example" }, "invalid_target"],
])("refuses %s", async (_, changes, error) => {
  await using server = await startAuthorizationServer({ autoApprove: "ada" });
  const code = codeOf(await server.approve(authorizationUrl(server), "ada"));
  const { body } = await post(server, {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
    ...changes,
  });
  expect(body["error"]).toBe(error);
});

test.each([
  ["no challenge", { code_challenge: undefined }, "invalid_request"],
  ["the method plain", { code_challenge_method: "plain" }, "invalid_request"],
  ["another response type", { response_type: "token" }, "unsupported_response_type"],
  ["an unknown scope", { scope: "fly" }, "invalid_scope"],
])("sends the browser back with an error for %s", async (_, changes, error) => {
  await using server = await startAuthorizationServer({ scopes: ["read", "write"] });
  const callback = await server.approve(authorizationUrl(server, changes), "ada");
  expect(callback.searchParams.get("error")).toBe(error);
});

test("sends the browser nowhere for an unknown client or address, and back with an error when denied", async () => {
  await using server = await startAuthorizationServer({
    clients: [{ id: "gateway", redirectUris: [redirectUri] }],
  });
  for (const changes of [{ client_id: "who" }, { redirect_uri: `${redirectUri}?x` }]) {
    const page = await fetch(authorizationUrl(server, changes), { redirect: "manual" });
    expect([page.status, page.headers.get("location")]).toEqual([400, null]);
  }
  const denied = await server.deny(authorizationUrl(server));
  expect(denied.searchParams.get("error")).toBe("access_denied");
});

test("metadata names what there is, and clients can register", async () => {
  await using server = await startAuthorizationServer({ issuerPath: "/acme", registration: "secrets" });
  const metadata = await (await fetch(server.metadataUrl)).json();
  expect(metadata).toMatchObject({ issuer: server.issuer, registration_endpoint: server.registrationUrl });
  const registered = await fetch(server.registrationUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ redirect_uris: [redirectUri], client_name: "Gateway" }),
  });
  expect(registered.status).toBe(201);
  expect(await registered.json()).toMatchObject({
    client_name: "Gateway",
    client_secret: expect.stringMatching(/^secret_/),
  });
  expect(server.registered).toHaveLength(1);
});
