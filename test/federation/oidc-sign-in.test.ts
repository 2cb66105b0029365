import { describe, expect, test } from "vitest";
import { createOidcSignIn } from "../../src/federation/create-oidc-sign-in.ts";
import { createSignInAttempts } from "../../src/federation/oidc-attempts.ts";
import { createOwnAddress } from "../../src/own-address.ts";
import { auth, codeOf, createHarness } from "../identity/harness.ts";
import { startClient } from "../upstream/loopback.ts";
import {
  baseUrl,
  clientId,
  clientSecret,
  configOf,
  startProvider,
  startSigningIn,
} from "./identity-provider.ts";
import { sign } from "./token-issuer.ts";

const claimRules = (roles: string) => ({ tenant: undefined, roles: { claim: roles, values: undefined } });

describe("signing in", () => {
  test("by code and PKCE, with state and nonce", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const { url, state, browser } = await signing.oidc.begin("apps");
    const asked = new URL(url);
    expect(`${asked.origin}${asked.pathname}`).toBe(`${provider.url}/authorize`);
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      ...{ keep: "1", response_type: "code", client_id: clientId, scope: "openid email", state },
      redirect_uri: `${baseUrl}/login/callback`,
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: "S256",
    });
    const answer = provider.letIn(url);
    expect(await signing.oidc.finish(answer.toString(), browser)).toEqual({
      account: {
        ...{ issuer: provider.url, subject: "ada" },
        claims: expect.objectContaining({ sub: "ada", email: "ada@example.com", email_verified: true }),
      },
      next: "apps",
    });
    expect(provider.asked).toEqual(["GET /.well-known/openid-configuration", "POST /token", "GET /keys"]);
    expect(provider.redeemed[0]?.get("grant_type")).toBe("authorization_code");
    expect(signing.harness.logged).toEqual([]);
  });

  test("never with the same values twice, and nothing that travels is in the store", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const urls = await Promise.all([signing.oidc.begin(undefined), signing.oidc.begin(undefined)]);
    for (const name of ["state", "nonce", "code_challenge"])
      expect(new Set(urls.map(({ url }) => new URL(url).searchParams.get(name))).size).toBe(2);
    const stored = JSON.stringify(await signing.harness.store.gateway.list("sign_in"));
    for (const { state, browser } of urls) {
      expect(stored).not.toContain(state);
      expect(stored).not.toContain(browser);
    }
  });

  test.each(["RS256", "PS256", "ES256", "ES384", "EdDSA"])("by a token signed by %s", async (algorithm) => {
    await using provider = await startProvider(algorithm);
    await using signing = await startSigningIn(provider);
    expect((await signing.signIn()).account.subject).toBe("ada");
  });

  test("keys and metadata are asked for once in a while", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    await signing.signIn();
    await signing.signIn();
    expect(provider.asked).toEqual([
      ...["GET /.well-known/openid-configuration", "POST /token", "GET /keys", "POST /token"],
    ]);
  });

  test("the client shows its secret as the provider wants it", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    await signing.signIn();
    expect(provider.redeemed[0]?.has("client_secret")).toBe(false);
    signing.harness.time += 11 * 60_000;
    provider.metadata = { token_endpoint_auth_methods_supported: ["client_secret_post"] };
    await signing.signIn();
    expect(provider.redeemed[1]?.get("client_secret")).toBe(clientSecret);
  });

  test("claims that are not in the token come from UserInfo, of the same person", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    provider.claims = { email: undefined, email_verified: undefined };
    provider.userinfo = { email: "ada@example.org", email_verified: true, groups: ["a"], name: "Other" };
    const { claims } = (await signing.signIn()).account;
    expect(claims).toMatchObject({
      ...{ email: "ada@example.org", email_verified: true, groups: ["a"], name: "ADA" },
      nonce: expect.any(String),
    });
    provider.userinfo = { sub: "grace", email: "ada@example.org", email_verified: true };
    expect(await codeOf(signing.signIn())).toBe("upstream_failed");
  });

  test("nobody is asked for what is there", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    signing.config = configOf(provider, { claims: claimRules("groups") });
    provider.claims = { groups: [] };
    await signing.signIn();
    expect(provider.asked).not.toContain("GET /userinfo");
    provider.claims = {};
    provider.userinfo = { groups: ["a"] };
    expect((await signing.signIn()).account.claims["groups"]).toEqual(["a"]);
  });

  test("an address is never verified by the word about another", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    provider.claims = { email: "boss@example.com", email_verified: undefined };
    provider.userinfo = { email_verified: true };
    expect((await signing.signIn()).account.claims).not.toHaveProperty("email_verified");
    provider.userinfo = { email: "ada@example.com", email_verified: true };
    expect((await signing.signIn()).account.claims).toMatchObject({ email: "ada@example.com" });
    provider.claims = { email: "ada@example.com", email_verified: false };
    provider.userinfo = { email: "ada@example.com", email_verified: true };
    expect((await signing.signIn()).account.claims["email_verified"]).toBe(false);
  });

  test("comes back to the name that the browser has used, where no base URL is named", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    await using http = startClient();
    const oidc = createOidcSignIn({
      auth: () => ({ ...auth, provider: "oidc", oidc: configOf(provider) }),
      store: () => signing.harness.store,
      address: createOwnAddress(() => ({ host: "127.0.0.1", port: 8080, baseUrl: undefined })),
      ...{ http, log: () => {} },
    });
    const redirectOf = async (host: string) =>
      new URL((await oidc.begin(undefined, { host, address: "" })).url).searchParams.get("redirect_uri");
    expect(await redirectOf("localhost:8080")).toBe("http://localhost:8080/login/callback");
    expect(await redirectOf("evil.example:8080")).toBe("http://127.0.0.1:8080/login/callback");
  });
});

describe("an answer counts", () => {
  test("once", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const { begun, answer } = await signing.begin();
    const both = [1, 2, 3].map(() => codeOf(signing.oidc.finish(answer.toString(), begun.browser)));
    const codes = await Promise.all(both);
    expect(codes.filter((code) => code === "bad_request")).toHaveLength(2);
    expect(await codeOf(signing.oidc.finish(answer.toString(), begun.browser))).toBe("bad_request");
    expect(provider.redeemed).toHaveLength(1);
  });

  test("also where the token request failed: no code is tried twice", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const { begun, answer } = await signing.begin();
    provider.answer = (path, response) => path === "/token" && Boolean(response.writeHead(500).end());
    expect(await codeOf(signing.oidc.finish(answer.toString(), begun.browser))).toBe("upstream_failed");
    provider.answer = undefined;
    expect(await codeOf(signing.oidc.finish(answer.toString(), begun.browser))).toBe("bad_request");
  });

  test("for ten minutes", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const [first, second] = [await signing.oidc.begin(undefined), await signing.oidc.begin(undefined)];
    const comeBack = ({ url, browser }: typeof first) =>
      codeOf(signing.oidc.finish(provider.letIn(url).toString(), browser));
    signing.harness.time += 10 * 60_000 - 1;
    expect(await comeBack(first)).toContain("resolved");
    signing.harness.time += 1;
    expect(await comeBack(second)).toBe("bad_request");
  });

  test("in the browser that has begun it, which others can't keep from it", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const [mine, theirs] = [await signing.begin("ada"), await signing.begin("mallory")];
    for (const browser of [undefined, "", theirs.begun.browser, mine.begun.state, "a".repeat(43)])
      await expect(signing.oidc.finish(mine.answer.toString(), browser)).rejects.toThrow("another browser");
    // The attacker's answer in the victim's browser: that of the attacker's own sign-in, or with the state swapped.
    await expect(signing.oidc.finish(theirs.answer.toString(), mine.begun.browser)).rejects.toThrow(
      "another browser",
    );
    expect(provider.redeemed).toEqual([]);
    expect((await signing.oidc.finish(mine.answer.toString(), mine.begun.browser)).account.subject).toBe(
      "ada",
    );
  });

  test("with its own code: another one does not fit its verifier and nonce", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const [mine, theirs] = [await signing.begin("ada"), await signing.begin("mallory")];
    mine.answer.set("code", theirs.answer.get("code") ?? "");
    expect(await codeOf(signing.oidc.finish(mine.answer.toString(), mine.begun.browser))).toBe(
      "upstream_failed",
    );
  });

  test.each([
    ["no state", (answer: URLSearchParams) => answer.delete("state")],
    ["two states", (answer: URLSearchParams) => answer.append("state", answer.get("state") ?? "")],
    ["another state", (answer: URLSearchParams) => answer.set("state", "b".repeat(43))],
    [
      "a part of the state",
      (answer: URLSearchParams) => answer.set("state", (answer.get("state") ?? "").slice(1)),
    ],
    ["no code", (answer: URLSearchParams) => answer.delete("code")],
    ["an empty code", (answer: URLSearchParams) => answer.set("code", "")],
    ["two codes", (answer: URLSearchParams) => answer.append("code", "c")],
    ["a code of controls", (answer: URLSearchParams) => answer.set("code", "a\nb")],
    ["a code too long", (answer: URLSearchParams) => answer.set("code", "c".repeat(5_000))],
    ["no issuer, of one that always says so", (answer: URLSearchParams) => answer.delete("iss")],
    ["another issuer", (answer: URLSearchParams) => answer.set("iss", "https://evil.example")],
    [
      "an issuer that looks the same",
      (answer: URLSearchParams) => answer.set("iss", `${answer.get("iss")}/`),
    ],
    ["an empty issuer", (answer: URLSearchParams) => answer.set("iss", "")],
    ["two issuers", (answer: URLSearchParams) => answer.append("iss", "https://evil.example")],
    ["a token", (answer: URLSearchParams) => answer.set("id_token", "a.b.c")],
    ["a whole response in a token", (answer: URLSearchParams) => answer.set("response", "a.b.c")],
  ])("not with %s", async (_case, bend) => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const { begun, answer } = await signing.begin();
    bend(answer);
    expect(await codeOf(signing.oidc.finish(answer.toString(), begun.browser))).toBe("bad_request");
    expect(provider.redeemed).toEqual([]);
  });

  test("of the provider that was asked, where the file names another one meanwhile", async () => {
    await using provider = await startProvider();
    await using other = await startProvider();
    await using signing = await startSigningIn(provider);
    const first = await signing.begin();
    signing.config = configOf(other);
    await expect(signing.oidc.finish(first.answer.toString(), first.begun.browser)).rejects.toThrow("by now");
    signing.config = configOf(provider);
    const second = await signing.begin();
    signing.config = configOf(provider, { clientId: "another client" });
    await expect(signing.oidc.finish(second.answer.toString(), second.begun.browser)).rejects.toThrow(
      "by now",
    );
    signing.config = undefined;
    expect(await codeOf(signing.oidc.finish("", undefined))).toBe("not_found");
    expect(await codeOf(signing.oidc.begin(undefined))).toBe("not_found");
    expect(provider.redeemed).toEqual([]);
  });

  test("an issuer that does not say so need not, but is compared where it does", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    provider.metadata = { authorization_response_iss_parameter_supported: undefined };
    const first = await signing.begin();
    first.answer.delete("iss");
    expect(await codeOf(signing.oidc.finish(first.answer.toString(), first.begun.browser))).toContain(
      "resolved",
    );
    const second = await signing.begin();
    second.answer.set("iss", "https://evil.example");
    await expect(signing.oidc.finish(second.answer.toString(), second.begun.browser)).rejects.toThrow(
      "somebody else",
    );
  });
});

describe("a refusal of the provider", () => {
  test.each([
    ["access_denied", "did not allow it"],
    ["temporarily_unavailable", "Try again later"],
    ["invalid_scope", "whoever runs the gateway"],
    ["<b>bold</b>", "Try again."],
    ["constructor", "Try again."],
  ])("%s is told in our words", async (error, words) => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const { begun, answer } = await signing.begin();
    answer.delete("code");
    answer.set("error", error);
    answer.set("error_description", "call +1 555 0100");
    answer.set("error_uri", "https://evil.example");
    const told: unknown = await signing.oidc
      .finish(answer.toString(), begun.browser)
      .catch((thrown) => thrown);
    expect(told).toMatchObject({ code: "forbidden", message: expect.stringContaining(words) });
    expect(String(told)).not.toMatch(/555|evil|<b>/);
  });

  test("of somebody else is not believed either", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const { begun, answer } = await signing.begin();
    const error = new URLSearchParams({
      state: answer.get("state") ?? "",
      error: "access_denied",
      iss: "https://evil.example",
    });
    expect(await codeOf(signing.oidc.finish(error.toString(), begun.browser))).toBe("bad_request");
  });
});

describe("an ID token", () => {
  const seconds = (time: number, offset: number) => Math.floor(time / 1_000) + offset;
  test.each<readonly [string, (time: number) => Record<string, unknown>, boolean]>([
    ["as it should be", () => ({}), true],
    ["of several audiences, for us", () => ({ aud: ["other", clientId], azp: clientId }), true],
    ["of another issuer", () => ({ iss: "https://evil.example" }), false],
    ["of an issuer with a slash", () => ({ iss: "https://evil.example/" }), false],
    ["without issuer", () => ({ iss: undefined }), false],
    ["for another client", () => ({ aud: "other" }), false],
    ["for other clients", () => ({ aud: ["other", "more"] }), false],
    ["for nobody", () => ({ aud: [] }), false],
    ["without audience", () => ({ aud: undefined }), false],
    ["of several audiences, asked for by another", () => ({ aud: ["other", clientId], azp: "other" }), false],
    ["of several audiences, asked for by nobody knows whom", () => ({ aud: ["other", clientId] }), false],
    ["asked for by another", () => ({ azp: "other" }), false],
    ["with another nonce", () => ({ nonce: "b".repeat(43) }), false],
    ["without nonce", () => ({ nonce: undefined }), false],
    ["without subject", () => ({ sub: undefined }), false],
    ["with an empty subject", () => ({ sub: "" }), false],
    ["with a subject too long", () => ({ sub: "s".repeat(256) }), false],
    ["with a number as subject", () => ({ sub: 1 }), false],
    ["that has expired just now", (time) => ({ exp: seconds(time, -30) }), true],
    ["that has expired", (time) => ({ exp: seconds(time, -61) }), false],
    ["without end", () => ({ exp: undefined }), false],
    ["without beginning", () => ({ iat: undefined }), false],
    ["that does not count yet", (time) => ({ nbf: seconds(time, 90) }), false],
    ["that counts any moment", (time) => ({ nbf: seconds(time, 30) }), true],
  ])("%s", async (_case, claims, isGood) => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    provider.claims = claims(signing.harness.time);
    expect(await codeOf(signing.signIn())).toMatch(isGood ? /^resolved/ : /^upstream_failed$/);
  });

  test("by the clock of the gateway", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    signing.harness.time += 400 * 86_400_000;
    expect(await codeOf(signing.signIn())).toContain("resolved");
    provider.now = Date.now;
    expect(await codeOf(signing.signIn())).toBe("upstream_failed");
  });

  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  test.each<readonly [string, (good: string) => string]>([
    ["unsigned", (good) => `${encode({ alg: "none" })}.${good.split(".")[1]}.`],
    ["signed by a secret", (good) => `${encode({ alg: "HS256" })}.${good.split(".").slice(1).join(".")}`],
    ["with a signature that was changed", (good) => good.replace(/\.[^.]{6}([^.]*)$/, ".AAAAAA$1")],
    [
      "with claims that were changed",
      (good) => {
        const [header, payload = "", signature] = good.split(".");
        const claims: object = JSON.parse(Buffer.from(payload, "base64url").toString());
        return [header, encode({ ...claims, sub: "root" }), signature].join(".");
      },
    ],
    [
      "of another algorithm",
      (good) => `${encode({ alg: "ES256", kid: "k1" })}.${good.split(".").slice(1).join(".")}`,
    ],
    ["encrypted", (good) => `${good}.a.b`],
    ["that is none", () => "nothing"],
    ["that is empty", () => ""],
  ])("%s is nothing", async (_case, bend) => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    provider.idToken = async (claims) => bend(await sign(provider.key, claims, { typ: "JWT" }));
    expect(await codeOf(signing.signIn())).toBe("upstream_failed");
  });

  test.each<readonly [string, Record<string, unknown>]>([
    ["another key's name", { kid: "k2" }],
    ["something critical", { crit: ["x"], x: 1 }],
  ])("with %s is nothing", async (_case, header) => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    provider.idToken = async (claims) => {
      const [, payload, signature] = (await sign(provider.key, claims)).split(".");
      return [encode({ alg: "RS256", kid: "k1", ...header }), payload, signature].join(".");
    };
    expect(await codeOf(signing.signIn())).toBe("upstream_failed");
  });

  test("says a claim once", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const { subtle } = crypto;
    provider.idToken = async (claims) => {
      const text = JSON.stringify(claims).replace('"sub":"ada"', '"sub":"root","sub":"ada"');
      const input = `${encode({ alg: "RS256", kid: "k1" })}.${Buffer.from(text).toString("base64url")}`;
      const signature = await subtle.sign("RSASSA-PKCS1-v1_5", provider.key.privateKey, Buffer.from(input));
      return `${input}.${Buffer.from(signature).toString("base64url")}`;
    };
    expect(await codeOf(signing.signIn())).toBe("upstream_failed");
    expect(signing.harness.logged.join()).toContain("understood in several ways");
  });
});

describe("a provider that does not work", () => {
  test.each<readonly [string, RegExp, number, string, string]>([
    ["has no metadata", /openid-conf|oauth-auth/, 404, "text/plain", ""],
    ["has trouble", /openid-conf/, 500, "application/json", "{}"],
    ["answers with a page", /openid-conf/, 200, "text/html", "<h1>Welcome</h1>"],
    ["answers with a page that it calls JSON", /openid-conf/, 200, "application/json", "<h1>Welcome</h1>"],
    ["answers with a list", /openid-conf/, 200, "application/json", "[]"],
    ["leads elsewhere", /openid-conf/, 302, "text/plain", ""],
    ["says too much", /openid-conf/, 200, "application/json", `{"a":"${"x".repeat(2_000_000)}"}`],
  ])("%s", async (_case, path, status, type, body) => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    provider.answer = (asked, response) =>
      path.test(asked) &&
      Boolean(
        response.writeHead(status, { "content-type": type, location: "https://evil.example" }).end(body),
      );
    const told: unknown = await signing.oidc.begin(undefined).catch((error: unknown) => error);
    expect(told).toMatchObject({
      code: "upstream_failed",
      message: expect.stringMatching(/^Example ID can't be asked to sign you in\. /),
    });
    expect(String(told)).not.toContain("evil");
    expect(await signing.harness.store.gateway.list("sign_in")).toEqual([]);
    provider.answer = undefined;
    expect(await codeOf(signing.signIn())).toContain("resolved");
  });

  test.each<readonly [string, Record<string, unknown>, string]>([
    ["names another issuer", { issuer: "https://evil.example" }, "another issuer"],
    ["has no token endpoint", { token_endpoint: undefined }, "`token_endpoint` is missing"],
    [
      "has neither keys nor a token endpoint",
      { token_endpoint: undefined, jwks_uri: undefined },
      "are missing",
    ],
    ["signs by secrets only", { id_token_signing_alg_values_supported: ["HS256", "none"] }, "no algorithm"],
    ["wants tokens asked for in the clear", { token_endpoint: "http://tokens.example/" }, "not encrypted"],
  ])("%s", async (_case, metadata, words) => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    provider.metadata = metadata;
    await expect(signing.oidc.begin(undefined)).rejects.toThrow(words);
  });

  test.each<readonly [string, string, number, string, string]>([
    ["the token endpoint answers with a page", "/token", 200, "text/html", "<h1>Welcome</h1>"],
    ["the token endpoint answers with nothing", "/token", 200, "application/json", "{}"],
    [
      "the token endpoint gives no ID token",
      "/token",
      200,
      "application/json",
      '{"access_token":"a","token_type":"bearer"}',
    ],
    ["the token endpoint leads elsewhere", "/token", 307, "text/html", ""],
    [
      "the token endpoint says too much",
      "/token",
      200,
      "application/json",
      `{"a":"${"x".repeat(2_000_000)}"}`,
    ],
    ["the keys are away", "/keys", 503, "text/html", ""],
    ["the keys are none", "/keys", 200, "application/json", '{"keys":[]}'],
  ])("%s", async (_case, path, status, type, body) => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const { begun, answer } = await signing.begin();
    provider.answer = (asked, response) =>
      asked === path &&
      Boolean(
        response.writeHead(status, { "content-type": type, location: "https://evil.example" }).end(body),
      );
    const told: unknown = await signing.oidc.finish(answer.toString(), begun.browser).catch((error) => error);
    expect(told).toMatchObject({ code: expect.stringMatching(/^(upstream_failed|timed_out)$/) });
    expect(String(told)).not.toMatch(/evil|Welcome|xxx/);
    expect(signing.harness.logged).toHaveLength(1);
  });

  test("is gone", async () => {
    const provider = await startProvider();
    await using signing = await startSigningIn(provider);
    await provider[Symbol.asyncDispose]();
    await expect(signing.oidc.begin(undefined)).rejects.toThrow(
      /^Example ID can't be asked to sign you in\. /,
    );
  });

  test("takes too long", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    provider.answer = () => true;
    const told: unknown = await signing.oidc.begin(undefined).catch((error: unknown) => error);
    expect(told).toMatchObject({
      code: "timed_out",
      message: expect.stringMatching(/^Example ID .*Try again/),
    });
  });

  test("does not know the client", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const { config } = signing;
    if (config !== undefined) signing.config = { ...config, clientSecret: undefined };
    await expect(signing.signIn()).rejects.toThrow("client id and secret");
  });

  test.each([
    [
      "/token",
      "does not know this gateway by its client id and secret",
      "does not accept the client id and secret",
    ],
    ["/userinfo", "can't be believed", "does not accept the access token"],
  ])("answers with a challenge at %s", async (endpoint, toPerson, toOperator) => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    provider.claims = { email: undefined };
    provider.answer = (path, response) => {
      if (path !== endpoint) return false;
      response.writeHead(401, { "www-authenticate": 'Basic realm="id"' }).end('{"error":"invalid_client"}');
      return true;
    };
    await expect(signing.signIn()).rejects.toThrow(toPerson);
    expect(signing.harness.logged.join()).toContain(toOperator);
  });

  test("nothing that it says of tokens reaches the log or the person", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    for (const claims of [{ aud: "other" }, { nonce: "x" }, { sub: "" }]) {
      provider.claims = claims;
      await signing.signIn().catch((error: unknown) => signing.harness.logged.push(String(error)));
    }
    const { begun, answer } = await signing.begin();
    provider.answer = (path, response) =>
      path === "/token" &&
      Boolean(
        response
          .writeHead(400, { "content-type": "application/json" })
          .end(JSON.stringify({ error: clientSecret, error_description: answer.get("code") })),
      );
    await signing.oidc
      .finish(answer.toString(), begun.browser)
      .catch((error: unknown) => signing.harness.logged.push(String(error)));
    const logged = signing.harness.logged.join("\n");
    expect(logged.split("\n").length).toBeGreaterThan(5);
    for (const secret of [clientSecret, answer.get("code") ?? "", "eyJ", begun.browser, begun.state, '"at"'])
      expect(logged).not.toContain(secret);
  });
});

describe("bounds", () => {
  test("of one address, and of all", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const begin = (address: string) => signing.oidc.begin(undefined, { host: undefined, address });
    for (let count = 0; count < 600; count += 1) await begin("192.0.2.1");
    await expect(begin("192.0.2.1")).rejects.toMatchObject({ code: "rate_limited", retryable: true });
    expect(await codeOf(begin("192.0.2.2"))).toContain("resolved");
    signing.harness.time += 1_000;
    expect(await codeOf(begin("192.0.2.1"))).toContain("resolved");
  });

  test("of all who are under way: each makes room who comes back, or takes too long", async () => {
    const harness = await createHarness();
    const attempts = createSignInAttempts({ store: () => harness.store, now: () => harness.time });
    const attempt = {
      ...{ issuer: "https://id.example", clientId, redirectUri: baseUrl, next: undefined },
      ...{ verifier: "v", nonce: "n" },
    };
    const keep = () => attempts.keep(attempt);
    const [first] = await Promise.all(Array.from({ length: 5_000 }, keep));
    await expect(keep()).rejects.toMatchObject({ code: "overloaded", retryable: true });
    if (first === undefined) throw new Error("none");
    expect(await attempts.take(first.state, first.browser)).toEqual(attempt);
    await keep();
    expect(await codeOf(keep())).toBe("overloaded");
    harness.time += 10 * 60_000;
    await keep();
  });

  test("where no store is open, or it is broken, nobody signs in", async () => {
    await using provider = await startProvider();
    await using signing = await startSigningIn(provider);
    const { begun, answer } = await signing.begin();
    signing.store = undefined;
    expect(await codeOf(signing.oidc.begin(undefined))).toBe("store_unavailable");
    expect(await codeOf(signing.oidc.finish(answer.toString(), begun.browser))).toBe("store_unavailable");
    signing.store = signing.harness.store;
    const [record] = await signing.harness.store.gateway.list("sign_in");
    if (record === undefined) throw new Error("no record");
    await signing.harness.store.gateway.write([
      {
        action: "put",
        kind: "sign_in",
        id: record.id,
        value: { browser: record.value["browser"] ?? null },
        expected: "any",
      },
    ]);
    expect(await codeOf(signing.oidc.finish(answer.toString(), begun.browser))).toBe("bad_request");
    expect(provider.redeemed).toEqual([]);
  });
});
