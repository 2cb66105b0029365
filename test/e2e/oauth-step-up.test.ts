import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeSigningKey, type SigningKey, signParts } from "../attack/jwt-stage.ts";
import { sendJson, startUpstream, type Upstream } from "../attack/upstream.ts";
import { makeOAuthClient } from "./oauth-clients.ts";
import { answer, type OAuthStage, openOAuthStage } from "./oauth-stage.ts";

// A gateway without an authorization server of its own: clients get their tokens at an issuer that it trusts, and come back there for more
// where a scope is missing (MCP 2025-11-25 and 2026-07-28, Step-Up Authorization Flow).

const audience = "https://gateway.example/mcp";
let stage: OAuthStage;
let issuer: Upstream;
let key: SigningKey;
/** Scopes of the tokens that the issuer gives, whatever is asked for. */
let given: string;

beforeAll(async () => {
  key = makeSigningKey("k1", "ES256");
  issuer = await startUpstream(({ target, body }, response) => {
    if (target === "/keys") return sendJson(response, { keys: [key.jwk] });
    if (target === "/register")
      return sendJson(response, { ...JSON.parse(body), client_id: "registered" }, 201);
    if (target === "/token") {
      const now = Math.floor(Date.now() / 1_000);
      const claims = { iss: issuer.url, sub: "ada", aud: audience, iat: now, exp: now + 300, scope: given };
      const access_token = signParts(key, { alg: "ES256", typ: "at+jwt", kid: "k1" }, claims);
      return sendJson(response, { access_token, token_type: "Bearer", expires_in: 300, scope: given });
    }
    sendJson(response, {
      issuer: issuer.url,
      jwks_uri: `${issuer.url}/keys`,
      authorization_endpoint: `${issuer.url}/authorize`,
      token_endpoint: `${issuer.url}/token`,
      registration_endpoint: `${issuer.url}/register`,
      response_types_supported: ["code"],
      grant_types_supported: ["authorization_code"],
      code_challenge_methods_supported: ["S256"],
      token_endpoint_auth_methods_supported: ["none"],
    });
  });
  const trusted = { issuer: issuer.url, audience, algorithms: ["ES256"], required_scopes: ["tools"] };
  stage = await openOAuthStage({
    auth: { authorization_server: undefined, trusted_issuers: [trusted] },
    hasUsers: false,
  });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await issuer?.[Symbol.asyncDispose]();
});

test.each(["SDK v1", "SDK v2, legacy", "SDK v2, modern"] as const)(
  "%s goes to the issuer, and goes again with the scope that the gateway names",
  async (kind) => {
    given = "other";
    const asked: URL[] = [];
    const client = makeOAuthClient(
      kind,
      stage.endpoint,
      await mkdtemp(join(stage.folder, "c-")),
      async (url) => {
        const to = new URL(url);
        asked.push(to);
        // Whoever asks a second time gets what is needed.
        if (asked.length > 1) given = "other tools";
        const back = new URL(to.searchParams.get("redirect_uri") ?? "");
        back.searchParams.set("code", "a-code");
        back.searchParams.set("state", to.searchParams.get("state") ?? "");
        return back;
      },
    );
    try {
      await client.listTools().catch(() => undefined);
      expect(await client.call("shop_find")).toContain(answer);
      expect(asked.length).toBe(2);
      for (const url of asked) {
        expect(url.origin).toBe(issuer.url);
        expect(url.searchParams.get("resource")).toBe(stage.endpoint);
        expect(url.searchParams.get("scope")?.split(" ")).toContain("tools");
      }
    } finally {
      await client.close();
    }
  },
);
