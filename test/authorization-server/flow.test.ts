import * as oauth from "oauth4webapi";
import { describe, expect, test } from "vitest";
import {
  agree,
  ask,
  comeBack,
  connect,
  dump,
  exchangeOf,
  newAttempt,
  redirectUri,
  refreshOf,
  startStage,
  tokensOf,
  use,
} from "./stage.ts";

const limit = 60_000;

describe("the whole way", () => {
  test(
    "a client of somebody else finds the server, gets tokens, refreshes and revokes them",
    async () => {
      const stage = await startStage();
      const insecure = { [oauth.allowInsecureRequests]: true } as const;
      const issuer = new URL(stage.url);
      const discovered = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
      const server = await oauth.processDiscoveryResponse(issuer, discovered);
      expect(server.code_challenge_methods_supported).toEqual(["S256"]);
      const client = { client_id: "app" };
      const verifier = oauth.generateRandomCodeVerifier();
      const attempt = newAttempt({
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        resource: `${stage.url}/mcp`,
        scope: "mcp",
      });
      const back = await agree(stage, await ask(stage, attempt), stage.person);
      // Checks `iss` (RFC 9207) and `state`.
      const answer = oauth.validateAuthResponse(server, client, back, "a state");
      const exchanged = await oauth.authorizationCodeGrantRequest(
        ...([server, client, oauth.None(), answer, redirectUri, verifier, insecure] as const),
      );
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, exchanged);
      expect(tokens).toMatchObject({ token_type: "bearer", expires_in: 3_600, scope: "mcp" });
      expect(tokens.access_token).toMatch(/^gst_oat_[A-Za-z0-9_-]{43}$/);
      expect(tokens.refresh_token).toMatch(/^gst_ort_[A-Za-z0-9_-]{43}$/);
      expect(await use(stage, tokens.access_token)).toBe("ada everything");

      const asked = await oauth.refreshTokenGrantRequest(
        ...([server, client, oauth.None(), tokens.refresh_token ?? "", insecure] as const),
      );
      const refreshed = await oauth.processRefreshTokenResponse(server, client, asked);
      expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
      expect(await use(stage, refreshed.access_token)).toBe("ada everything");

      const revoked = await oauth.revocationRequest(
        ...([server, client, oauth.None(), refreshed.refresh_token ?? "", insecure] as const),
      );
      await oauth.processRevocationResponse(revoked);
      expect(await use(stage, refreshed.access_token)).toBe("unauthenticated");
      expect(await use(stage, tokens.access_token)).toBe("unauthenticated");
      expect(JSON.parse(await dump(stage.store)).flat()).toEqual([]);
    },
    limit,
  );

  test("the store holds no code, no token and no secret that counts", { timeout: limit }, async () => {
    const stage = await startStage();
    const attempt = newAttempt();
    const back = await agree(stage, await ask(stage, attempt), stage.person);
    const code = back.searchParams.get("code") ?? "";
    expect(code).not.toBe("");
    expect(await dump(stage.store)).not.toContain(code);
    const tokens = tokensOf(await stage.post(exchangeOf(attempt, back)));
    const next = tokensOf(await stage.post(refreshOf(tokens.refresh)));
    const stored = await dump(stage.store);
    for (const token of [code, tokens.access, tokens.refresh, next.access, next.refresh, attempt.verifier])
      expect(stored).not.toContain(token);
    expect(stage.harness.logged).toEqual([]);
  });

  test("an access token counts at the surface that it was asked for", { timeout: limit }, async () => {
    const stage = await startStage();
    const forApi = await connect(stage, { resource: `${stage.url}/api/v1/` });
    expect(await use(stage, forApi.access, "api")).toBe("ada everything");
    expect(await use(stage, forApi.access, "mcp")).toBe("unauthenticated");
    const byDefault = await connect(stage);
    expect(await use(stage, byDefault.access, "mcp")).toBe("ada everything");
    expect(await use(stage, byDefault.access, "api")).toBe("unauthenticated");
  });

  test("tokens last as long as the configuration says, grants from their last use", {
    timeout: limit,
  }, async () => {
    const stage = await startStage();
    const first = await connect(stage);
    stage.harness.time += 3_600_000;
    expect(await use(stage, first.access)).toBe("unauthenticated");
    stage.harness.time += 29 * 86_400_000;
    const second = tokensOf(await stage.post(refreshOf(first.refresh)));
    stage.harness.time += 29 * 86_400_000;
    const third = tokensOf(await stage.post(refreshOf(second.refresh)));
    expect(await use(stage, third.access)).toBe("ada everything");
    stage.harness.time += 30 * 86_400_000;
    expect((await stage.post(refreshOf(third.refresh))).json).toMatchObject({ error: "invalid_grant" });
  });

  test("what somebody allowed ends when nobody fetches the tokens", { timeout: limit }, async () => {
    const stage = await startStage();
    const attempt = newAttempt();
    const back = await agree(stage, await ask(stage, attempt), stage.person);
    stage.harness.time += 60_000;
    expect((await stage.post(exchangeOf(attempt, back))).json).toMatchObject({ error: "invalid_grant" });
    stage.harness.time += 600_000;
    expect(JSON.parse(await dump(stage.store)).flat()).toEqual([]);
  });

  test("codes and tokens go on after a restart, and at another process", { timeout: limit }, async () => {
    const keys = () => [Buffer.alloc(32, 1)];
    const stage = await startStage({ keys });
    const attempt = newAttempt();
    const asked = await ask(stage, attempt);
    const second = await stage.other();
    const { seal } = await second.server.question(asked.id, asked.cookies);
    const decision = { kind: "agree", scopes: ["mcp"], seal: seal(stage.person) } as const;
    const back = await second.server.answer(asked.id, asked.cookies, stage.person, decision);
    const third = await stage.other({ keys: () => [Buffer.alloc(32, 2), Buffer.alloc(32, 1)] });
    const end = await comeBack(third, back, asked.cookies);
    const tokens = tokensOf(await second.post(exchangeOf(attempt, end)));
    const next = tokensOf(await third.post(refreshOf(tokens.refresh)));
    expect(await use(stage, next.access)).toBe("ada everything");
  });

  test("a question of before does not outlive its keys", { timeout: limit }, async () => {
    const stage = await startStage({ keys: () => [Buffer.alloc(32, 1)] });
    const asked = await ask(stage, newAttempt());
    const { server } = await stage.other({ keys: () => [Buffer.alloc(32, 2)] });
    await expect(server.question(asked.id, asked.cookies)).rejects.toMatchObject({ code: "not_found" });
  });

  test("a reload turns it off and on again", { timeout: limit }, async () => {
    const stage = await startStage();
    const tokens = await connect(stage);
    const on = stage.harness.settings;
    stage.harness.settings = { ...on, auth: { ...on.auth, authorizationServer: undefined } };
    expect(stage.server.owns("/oauth/token")).toBe(false);
    expect(stage.server.owns("/.well-known/oauth-authorization-server")).toBe(false);
    expect((await stage.post(refreshOf(tokens.refresh))).status).toBe(404);
    await expect(stage.server.question("x", undefined)).rejects.toMatchObject({ code: "not_found" });
    stage.harness.settings = on;
    expect((await stage.post(refreshOf(tokens.refresh))).status).toBe(200);
  });
});

describe("where nobody signs in", () => {
  test("there is no authorization server", { timeout: limit }, async () => {
    const stage = await startStage();
    const { settings } = stage.harness;
    stage.harness.settings = { ...settings, auth: { ...settings.auth, provider: "none" } };
    expect(stage.server.owns("/oauth/token")).toBe(false);
  });
});
