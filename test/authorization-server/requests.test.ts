import { describe, expect, test } from "vitest";
import {
  type Answer,
  agree,
  ask,
  connect,
  exchangeOf,
  type Instance,
  newAttempt,
  redirectUri,
  refreshOf,
  type Stage,
  second,
  startStage,
  tokensOf,
  use,
} from "./stage.ts";

const timeout = 60_000;
const form = { "content-type": "application/x-www-form-urlencoded" };
const webSecret = "s3cret-of-the-web-client";

function basic(id: string, secret: string): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` };
}

function authorize(at: Instance, parameters: Readonly<Record<string, string>>): Promise<Answer> {
  return at.send("GET", `/oauth/authorize?${new URLSearchParams(newAttempt(parameters).parameters)}`);
}

/** What the client is told by way of the browser. */
function sentBack({ status, headers }: Answer): Readonly<Record<string, string>> {
  expect(status).toBe(303);
  expect(headers.location).toMatch(/^http:\/\/127\.0\.0\.1:7777\/callback\?/);
  return Object.fromEntries(new URL(headers.location ?? "").searchParams);
}

describe("bodies that are no requests for tokens", () => {
  const cases: readonly {
    readonly what: string;
    readonly body: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly query?: string;
    readonly status?: number;
    readonly error?: string;
    readonly says: string;
  }[] = [
    {
      what: "JSON",
      body: "{}",
      headers: { "content-type": "application/json" },
      says: "not as application/json",
    },
    {
      what: "no type",
      body: "grant_type=refresh_token",
      headers: {},
      says: "application/x-www-form-urlencoded",
    },
    {
      what: "a parameter twice",
      body: "client_id=app&grant_type=refresh_token&grant_type=x",
      says: "grant_type comes more",
    },
    { what: "an unknown parameter twice", body: "client_id=app&a=1&a=2", says: "The parameter a comes" },
    { what: "more than 64 KB", body: `client_id=${"x".repeat(65_527)}`, status: 413, says: "64 KB" },
    {
      what: "a secret in the URL",
      body: "grant_type=x",
      query: "?client_secret=s",
      says: "client_secret stands in the URL",
    },
    { what: "a code in the URL", body: "grant_type=x", query: "?code=s", says: "code stands in the URL" },
    { what: "nothing", body: "", says: "client_id is missing" },
    { what: "no grant type", body: "client_id=app", says: "grant_type" },
    {
      what: "another grant type",
      body: "client_id=app&grant_type=password",
      error: "unsupported_grant_type",
      says: "authorization_code and refresh_token",
    },
    {
      what: "client credentials",
      body: "client_id=app&grant_type=client_credentials",
      error: "unsupported_grant_type",
      says: "authorization_code",
    },
    { what: "no code", body: "client_id=app&grant_type=authorization_code", says: "code" },
    { what: "no refresh token", body: "client_id=app&grant_type=refresh_token", says: "refresh_token" },
    {
      what: "an unknown client",
      body: "client_id=nobody&grant_type=refresh_token&refresh_token=x",
      status: 401,
      error: "invalid_client",
      says: "no client nobody here",
    },
    {
      what: "no secret where there is one",
      body: "client_id=web&grant_type=refresh_token&refresh_token=x",
      status: 401,
      error: "invalid_client",
      says: "has a secret, and did not send it",
    },
    {
      what: "a secret where there is none",
      body: "client_id=app&client_secret=x&grant_type=refresh_token&refresh_token=x",
      status: 401,
      error: "invalid_client",
      says: "has no secret, but sent one",
    },
    {
      what: "a wrong secret",
      body: "client_id=web&client_secret=x&grant_type=refresh_token&refresh_token=x",
      status: 401,
      error: "invalid_client",
      says: "client_secret is wrong",
    },
    {
      what: "two ways at once",
      body: `client_id=web&client_secret=${webSecret}&grant_type=x`,
      headers: { ...form, ...basic("web", webSecret) },
      says: "two ways at once",
    },
    {
      what: "two clients",
      body: "client_id=app&grant_type=x",
      headers: { ...form, ...basic("web", webSecret) },
      says: "names another client",
    },
    {
      what: "a token in the header",
      body: "client_id=app&grant_type=x",
      headers: { ...form, authorization: "Bearer x" },
      says: "Use Basic",
    },
    { what: "no client", body: "grant_type=refresh_token&refresh_token=x", says: "client_id is missing" },
    {
      what: "a header without a colon",
      body: "grant_type=x",
      headers: { ...form, authorization: "Basic d2Vi" },
      says: "no colon",
    },
    {
      what: "an unknown code",
      body: "client_id=app&grant_type=authorization_code&code=x&redirect_uri=x&code_verifier=x",
      error: "invalid_grant",
      says: "was used, has expired",
    },
    {
      what: "a token of 5,000 characters",
      body: `client_id=app&grant_type=refresh_token&refresh_token=${"x".repeat(5_000)}`,
      says: "refresh_token has more than 4096",
    },
    {
      what: "an unknown refresh token",
      body: "client_id=app&grant_type=refresh_token&refresh_token=x",
      error: "invalid_grant",
      says: "refresh token is unknown",
    },
    {
      what: "an access token in its place",
      body: `client_id=app&grant_type=refresh_token&refresh_token=gst_oat_${"x".repeat(43)}`,
      error: "invalid_grant",
      says: "refresh token is unknown",
    },
  ];

  test("each is refused, with what is wrong", { timeout }, async () => {
    const stage = await startStage();
    for (const {
      what,
      body,
      headers = form,
      query = "",
      status = 400,
      error = "invalid_request",
      says,
    } of cases) {
      const answer = await stage.send("POST", `/oauth/token${query}`, headers, body);
      expect({ what, status: answer.status, error: answer.json["error"] }).toEqual({ what, status, error });
      expect(String(answer.json["error_description"]), what).toContain(says);
      expect(answer.headers, what).toMatchObject({
        "cache-control": "no-store",
        "content-type": expect.stringContaining("application/json"),
        "x-content-type-options": "nosniff",
      });
      // The characters of RFC 6749, section 5.2.
      expect(String(answer.json["error_description"])).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
    }
    expect(stage.harness.logged).toEqual([]);
  });

  test("64 KB are read", { timeout }, async () => {
    const stage = await startStage();
    const body = `grant_type=refresh_token&refresh_token=x&client_id=app&x=`;
    const answer = await stage.send("POST", "/oauth/token", form, body.padEnd(64 * 1024, "x"));
    expect(answer).toMatchObject({ status: 400, json: { error: "invalid_grant" } });
  });

  test("other methods are not taken", { timeout }, async () => {
    const stage = await startStage();
    for (const path of ["/oauth/token", "/oauth/revoke", "/oauth/register"]) {
      for (const method of ["GET", "PUT", "DELETE"]) {
        const answer = await stage.send(method, path);
        expect(answer).toMatchObject({ status: 405, json: { error: "invalid_request" } });
        expect(answer.headers.allow).toBe("POST, OPTIONS");
      }
    }
    expect((await stage.send("POST", "/oauth/authorize", form, "client_id=app")).json["code"]).toBe(
      "method_not_allowed",
    );
    expect((await stage.send("POST", "/.well-known/oauth-authorization-server")).status).toBe(405);
  });

  test("who guesses secrets too often waits", { timeout }, async () => {
    const stage = await startStage();
    const wrong = { ...refreshOf(`gst_ort_${"x".repeat(43)}`, "web"), client_secret: "guessed" };
    const answers = [];
    for (let count = 0; count < 70; count += 1) answers.push(await stage.post(wrong));
    const last = answers.at(-1);
    expect(last).toMatchObject({ status: 429, json: { error: "temporarily_unavailable" } });
    expect(Number(last?.headers["retry-after"])).toBeGreaterThan(0);
    // Others are not kept out by it.
    expect((await stage.post({ ...wrong, client_id: "rival" })).status).toBe(401);
    stage.harness.time += 5 * second;
    expect((await stage.post(wrong)).status).toBe(401);
  });

  test("nobody keeps out a client whose id everybody knows, by failing in its name", {
    timeout,
  }, async () => {
    const stage = await startStage();
    const { refresh } = await connect(stage);
    const wrong = refreshOf(`gst_ort_${"x".repeat(43)}`);
    for (let count = 0; count < 70; count += 1) expect((await stage.post(wrong)).status).toBe(400);
    expect((await stage.post(refreshOf(refresh))).status).toBe(200);
  });
});

describe("clients with a secret", () => {
  test("send it by either way, encoded or not", { timeout }, async () => {
    const stage = await startStage();
    const { refresh } = await connectAs(stage, "web", basic("web", webSecret));
    const byBody = await stage.post({ ...refreshOf(refresh, "web"), client_secret: webSecret });
    const encoded = basic("web", webSecret.replaceAll("-", "%2D"));
    const byHeader = await stage.post(
      { grant_type: "refresh_token", refresh_token: tokensOf(byBody).refresh },
      encoded,
    );
    expect(await use(stage, tokensOf(byHeader).access)).toBe("ada everything");
  });

  test("are told of a wrong one as HTTP has it", { timeout }, async () => {
    const stage = await startStage();
    const answer = await stage.post(
      { grant_type: "refresh_token", refresh_token: "x" },
      basic("web", "wrong"),
    );
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toBe(`Basic realm="${stage.url}"`);
  });

  test("without one send an empty one at most", { timeout }, async () => {
    const stage = await startStage();
    const { refresh } = await connect(stage);
    const empty = tokensOf(await stage.post({ ...refreshOf(refresh), client_secret: "" }));
    expect((await stage.post(refreshOf(empty.refresh), basic("app", ""))).status).toBe(200);
  });

  async function connectAs(stage: Stage, client: string, headers: Readonly<Record<string, string>>) {
    const attempt = newAttempt({ client_id: client });
    const { client_id, ...exchange } = exchangeOf(
      attempt,
      await agree(stage, await ask(stage, attempt), stage.person),
    );
    return tokensOf(await stage.post(exchange, headers));
  }
});

describe("authorization requests", () => {
  test("what the client can mend is told by way of the browser", { timeout }, async () => {
    const stage = await startStage();
    const cases: readonly (readonly [Record<string, string>, string, string])[] = [
      [{ response_type: "token" }, "unsupported_response_type", "response_type=code"],
      [{ response_type: "code id_token" }, "unsupported_response_type", "response_type=code"],
      [{ code_challenge: "", code_challenge_method: "" }, "invalid_request", "code_challenge is missing"],
      [{ code_challenge_method: "plain" }, "invalid_request", "has to be S256"],
      [{ code_challenge_method: "" }, "invalid_request", "has to be S256"],
      [{ code_challenge: "short" }, "invalid_request", "43 characters"],
      [{ resource: "https://elsewhere.example/mcp" }, "invalid_target", `${stage.url}/mcp`],
      [{ resource: `${stage.url}/other` }, "invalid_target", `${stage.url}/mcp`],
      [{ resource: `${stage.url}/mcp?x` }, "invalid_target", `${stage.url}/mcp`],
      [{ response_mode: "fragment" }, "unsupported_response_mode", "response_mode=query"],
      [{ response_mode: "form_post" }, "unsupported_response_mode", "response_mode=query"],
      [{ response_mode: "web_message" }, "unsupported_response_mode", "response_mode=query"],
      [{ prompt: "none" }, "interaction_required", "prompt=none"],
      [{ request: "a.b.c" }, "request_not_supported", "parameter request "],
      [{ request_uri: "https://app.example/r" }, "request_uri_not_supported", "request_uri"],
      [{ registration: "{}" }, "registration_not_supported", "registration"],
      [{ max_age: "1" }, "invalid_request", "max_age needs OpenID Connect"],
      [{ id_token_hint: "a.b.c" }, "invalid_request", "id_token_hint needs OpenID Connect"],
    ];
    for (const [parameters, error, says] of cases) {
      const told = sentBack(await authorize(stage, parameters));
      expect(told).toMatchObject({ error, state: "a state", iss: stage.url });
      expect(told["error_description"]).toContain(says);
      expect(told["code"]).toBeUndefined();
    }
    expect(await stage.store.gateway.list("interaction")).toEqual([]);
  });

  test("two resources are one too many", { timeout }, async () => {
    const stage = await startStage();
    const query = new URLSearchParams(newAttempt({ resource: `${stage.url}/mcp` }).parameters);
    query.append("resource", `${stage.url}/mcp/`);
    const same = await stage.send("GET", `/oauth/authorize?${query}`);
    expect(same.headers.location).toContain("/oauth/consent?request=");
    query.append("resource", `${stage.url}/api/v1`);
    expect(sentBack(await stage.send("GET", `/oauth/authorize?${query}`))).toMatchObject({
      error: "invalid_target",
    });
  });

  test("nobody is sent anywhere that the client has not registered", { timeout }, async () => {
    const stage = await startStage();
    const cases: readonly (readonly [Record<string, string>, string])[] = [
      [{ client_id: "nobody" }, "no client nobody here"],
      [{ client_id: "" }, "client_id"],
      [{ redirect_uri: "" }, "redirect_uri"],
      [{ redirect_uri: "https://evil.example/cb" }, "not one of its redirect URIs"],
      [{ redirect_uri: `${redirectUri}/` }, "slash more"],
      [{ redirect_uri: "https://evil.example/cb", response_type: "token" }, "redirect"],
      [{ redirect_uri: "https://evil.example/cb", code_challenge: "" }, "redirect"],
      [{ redirect_uri: "https://evil.example/cb", prompt: "none" }, "redirect"],
      [{ redirect_uri: "https://evil.example/cb", response_mode: "form_post" }, "redirect"],
      [{ redirect_uri: "https://evil.example/cb", request: "x" }, "redirect"],
    ];
    for (const [parameters, says] of cases) {
      const answer = await authorize(stage, parameters);
      expect(answer.headers.location).toBeUndefined();
      expect(answer.status).toBe(400);
      expect(answer.json["page"]).toContain(says);
    }
    for (const name of ["client_id", "redirect_uri"]) {
      const query = new URLSearchParams(newAttempt().parameters);
      query.append(name, "https://evil.example/cb");
      const answer = await stage.send("GET", `/oauth/authorize?${query}`);
      expect(answer.headers.location).toBeUndefined();
      expect(answer.json["page"]).toContain(name);
    }
    expect(await stage.store.gateway.list("interaction")).toEqual([]);
  });

  test("the redirect URI is answered to the letter", { timeout }, async () => {
    const stage = await startStage();
    for (const [uri, expected] of [
      ["http://127.0.0.1:80/callback", /^http:\/\/127\.0\.0\.1:80\/callback\?code=/],
      ["https://app.example/cb?a=1", /^https:\/\/app\.example\/cb\?a=1&code=/],
    ] as const) {
      const attempt = newAttempt({ redirect_uri: uri });
      const asked = await ask(stage, attempt);
      const { seal } = await stage.server.question(asked.id, asked.cookies);
      const decision = { kind: "agree", scopes: ["mcp"], seal: seal(stage.person) } as const;
      const back = await stage.server.answer(asked.id, asked.cookies, stage.person, decision);
      const { pathname } = new URL(back);
      const end = await stage.send("GET", pathname, { cookie: asked.cookies });
      expect(end.headers.location).toMatch(expected);
      expect(end.headers).toMatchObject({ "cache-control": "no-store", "referrer-policy": "no-referrer" });
      expect(end.text).toBe("");
      const code = new URL(end.headers.location ?? "");
      expect((await stage.post(exchangeOf(attempt, code))).status).toBe(200);
    }
  });

  test("scopes of others are left out", { timeout }, async () => {
    const stage = await startStage();
    for (const [asked, offered] of [
      ["", ["mcp", "mcp:read"]],
      ["openid profile offline_access", ["mcp", "mcp:read"]],
      ["mcp:read email", ["mcp:read"]],
      ["mcp mcp:read", ["mcp", "mcp:read"]],
    ] as const) {
      const { id, cookies } = await ask(stage, newAttempt(asked === "" ? {} : { scope: asked }));
      expect((await stage.server.question(id, cookies)).scopes).toEqual(offered);
    }
    const tokens = await connect(stage, {
      scope: "openid mcp",
      nonce: "n",
      prompt: "login consent",
      ui_locales: "de",
    });
    expect(tokens.scope).toBe("mcp");
  });

  test("cookies of the library are not sent, but for the one to come back with", { timeout }, async () => {
    const stage = await startStage();
    const attempt = newAttempt();
    const { answer, cookies, id } = await ask(stage, attempt);
    const names = (answer.headers["set-cookie"] ?? []).map((cookie) => cookie.split("=", 1)[0]);
    expect(names).toEqual([
      expect.stringMatching(/^__Host-gateway-consent-[0-9a-f]{16}$/),
      "gateway-oauth-resume",
      "gateway-oauth-resume.sig",
    ]);
    const { seal } = await stage.server.question(id, cookies);
    const decision = { kind: "refuse", seal: seal(stage.person) } as const;
    const back = await stage.server.answer(id, cookies, stage.person, decision);
    const end = await stage.send("GET", new URL(back).pathname, { cookie: cookies });
    expect(sentBack(end)).toMatchObject({ error: "access_denied", state: "a state", iss: stage.url });
    for (const cookie of end.headers["set-cookie"] ?? [])
      expect(cookie).toMatch(/Max-Age=0|expires=Thu, 01 Jan 1970/);
    expect(end.headers["set-cookie"]?.join()).not.toContain("session");
  });
});

describe("metadata", () => {
  test("says what there is, for scripts of any page", { timeout }, async () => {
    const stage = await startStage();
    for (const path of ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]) {
      const { json, headers, status } = await stage.send("GET", path, { origin: "https://app.example" });
      expect(status).toBe(200);
      expect(headers["access-control-allow-origin"]).toBe("*");
      expect(json).toEqual({
        issuer: stage.url,
        authorization_endpoint: `${stage.url}/oauth/authorize`,
        token_endpoint: `${stage.url}/oauth/token`,
        revocation_endpoint: `${stage.url}/oauth/revoke`,
        registration_endpoint: `${stage.url}/oauth/register`,
        scopes_supported: ["mcp", "mcp:read"],
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        token_endpoint_auth_methods_supported: ["none", "client_secret_basic", "client_secret_post"],
        revocation_endpoint_auth_methods_supported: ["none", "client_secret_basic", "client_secret_post"],
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: true,
      });
    }
  });

  test("leaves out what is switched off", { timeout }, async () => {
    const stage = await startStage({
      settings: { dynamicRegistration: undefined, clientIdMetadata: undefined },
    });
    const { json } = await stage.send("GET", "/.well-known/oauth-authorization-server");
    expect(json).not.toHaveProperty("registration_endpoint");
    expect(json["client_id_metadata_document_supported"]).toBe(false);
  });

  test("names the base URL that the client uses", { timeout }, async () => {
    const stage = await startStage();
    const host = `localhost:${new URL(stage.url).port}`;
    const { json } = await stage.send("GET", "/.well-known/oauth-authorization-server", { host });
    expect(json["issuer"]).toBe(`http://${host}`);
    const foreign = {
      host: "evil.example",
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "https",
    };
    const other = await stage.send("GET", "/.well-known/oauth-authorization-server", foreign);
    expect(other.json["issuer"]).toBe(stage.url);
    const query = new URLSearchParams(newAttempt().parameters);
    const answer = await stage.send("GET", `/oauth/authorize?${query}`, foreign);
    expect(answer.headers.location).toContain(`${stage.url}/oauth/consent?`);
  });

  test("a path of the base URL is a part of everything", { timeout }, async () => {
    const baseUrl = "https://gateway.example/tools";
    const stage = await startStage({ baseUrl });
    for (const path of [
      "/.well-known/oauth-authorization-server",
      "/.well-known/oauth-authorization-server/tools",
      "/tools/.well-known/openid-configuration",
    ])
      expect((await stage.send("GET", path)).json["issuer"]).toBe(baseUrl);
    expect(stage.server.owns("/.well-known/oauth-authorization-server/other")).toBe(false);
    const attempt = newAttempt();
    const asked = await ask(stage, attempt);
    expect(asked.answer.headers.location).toBe(`${baseUrl}/oauth/consent?request=${asked.id}`);
    const resume = (asked.answer.headers["set-cookie"] ?? []).find((cookie) => cookie.includes("resume="));
    expect(resume).toMatch(/^__Secure-gateway-oauth-resume=.*path=\/tools\/oauth\/authorize\/.*secure/i);
    const { seal } = await stage.server.question(asked.id, asked.cookies);
    const decision = { kind: "agree", scopes: ["mcp"], seal: seal(stage.person) } as const;
    const back = await stage.server.answer(asked.id, asked.cookies, stage.person, decision);
    expect(back).toBe(`${baseUrl}/oauth/authorize/${asked.id}`);
    const end = await stage.send("GET", `/oauth/authorize/${asked.id}`, { cookie: asked.cookies });
    const url = new URL(end.headers.location ?? "");
    expect(url.searchParams.get("iss")).toBe(baseUrl);
    expect((await stage.post(exchangeOf(attempt, url))).status).toBe(200);
  });
});

describe("scripts of other pages", () => {
  test("may ask for tokens, without cookies", { timeout }, async () => {
    const stage = await startStage();
    const origin = "https://app.example";
    for (const path of ["/oauth/token", "/oauth/revoke", "/oauth/register"]) {
      const preflight = await stage.send("OPTIONS", path, {
        ...{ origin, "access-control-request-method": "POST" },
        "access-control-request-headers": "content-type, mcp-protocol-version",
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers).toMatchObject({
        "access-control-allow-origin": origin,
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "content-type, mcp-protocol-version",
      });
      const answer = await stage.send("POST", path, { ...form, origin }, "x=1");
      expect(answer.headers["access-control-allow-origin"]).toBe(origin);
      expect(answer.headers["access-control-allow-credentials"]).toBeUndefined();
    }
    const { refresh } = await connect(stage);
    const tokens = await stage.post(refreshOf(refresh), { origin });
    expect(tokens.headers["access-control-allow-origin"]).toBe(origin);
    expect(
      (await stage.send("GET", "/oauth/authorize", { origin })).headers["access-control-allow-origin"],
    ).toBeUndefined();
  });
});
