import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { asObject } from "../../src/json-object.ts";
import {
  type Browser,
  type Client,
  readForm,
  redirectUri,
  type Scene,
  send,
  startScene,
  type Tokens,
  whereNext,
} from "./oauth-scene.ts";

// OAuth 2.0 Security Best Current Practice (RFC 9700), section 4: each attack that it describes, tried on the whole gateway over HTTP.

let scene: Scene;
let ada: Browser;
let client: Client;

beforeAll(async () => {
  scene = await startScene();
  ada = await scene.browser("ada");
  client = await scene.register();
});
afterAll(() => scene[Symbol.asyncDispose]());

/** Tokens of a fresh consent of ada's. */
async function tokensOf(of: Client = client): Promise<Tokens> {
  const begun = scene.begin(of);
  const reply = await scene.exchange(of, await scene.code(ada, begun), begun.verifier);
  expect(reply.status, reply.text).toBe(200);
  return JSON.parse(reply.text);
}

/** What is refused at the authorization endpoint without the client hearing of it. */
async function expectNoRedirect(url: string): Promise<void> {
  const page = await ada.get(url);
  expect(page.status, page.text).toBeGreaterThanOrEqual(400);
  expect(page.headers.location).toBeUndefined();
}

/** What the client is told by a redirect to its own address. */
async function expectRefusal(url: string, error: string): Promise<URLSearchParams> {
  const page = await ada.open(url);
  const end = new URL(page.url);
  expect(`${end.origin}${end.pathname}${end.hash}`, page.text).toBe(redirectUri);
  expect(end.searchParams.get("error")).toBe(error);
  for (const name of ["code", "access_token", "id_token"]) expect(end.searchParams.has(name)).toBe(false);
  return end.searchParams;
}

function errorOf(text: string): unknown {
  return asObject(JSON.parse(text))?.["error"];
}

describe("4.1 insufficient validation of redirect URIs", () => {
  test.each([
    ["another path", "http://127.0.0.1:49152/other"],
    ["another host", "http://evil.example.com:49152/callback"],
    ["a longer path", "http://127.0.0.1:49152/callback/more"],
    ["a query that was not registered", "http://127.0.0.1:49152/callback?next=x"],
    ["a fragment", "http://127.0.0.1:49152/callback#x"],
    ["a user before the host", "http://127.0.0.1:49152@evil.example.com/callback"],
    ["a path that leads up", "http://127.0.0.1:49152/x/../callback"],
    ["another scheme", "https://127.0.0.1:49152/callback"],
    ["another name of loopback", "http://localhost:49152/callback"],
  ])("%s is refused without a redirect", async (_what, uri) => {
    await expectNoRedirect(scene.begin(client, { redirect_uri: uri }).url);
  });

  test("two of them are refused without a redirect", async () => {
    const { url } = scene.begin(client);
    await expectNoRedirect(`${url}&redirect_uri=${encodeURIComponent("http://evil.example.com/")}`);
  });

  test("an unknown client is refused without a redirect", async () => {
    await expectNoRedirect(scene.begin({ ...client, id: "unknown" }).url);
  });

  test("the code can't be exchanged with another one", async () => {
    const begun = scene.begin(client);
    const code = await scene.code(ada, begun);
    const reply = await scene.exchange(client, code, begun.verifier, {
      redirect_uri: "http://127.0.0.1:1/callback",
    });
    expect([reply.status, errorOf(reply.text)]).toEqual([400, "invalid_grant"]);
  });
});

describe("4.2 leaks by the Referer header", () => {
  test("no page on the way lets the browser tell other sites where it was", async () => {
    const begun = scene.begin(client);
    const page = await ada.open(begun.url);
    expect(page.status).toBe(200);
    expect(page.headers["referrer-policy"]).toMatch(/^(no-referrer|same-origin|strict-origin)$/);
    const problem = await ada.get(scene.begin({ ...client, id: "unknown" }).url);
    expect(problem.headers["referrer-policy"]).toMatch(/^(no-referrer|same-origin|strict-origin)$/);
  });

  test("pages load nothing from elsewhere", async () => {
    const page = await ada.open(scene.begin(client).url);
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
    expect(page.text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  test("the consent page's address holds neither state nor challenge", async () => {
    const begun = scene.begin(client);
    const page = await ada.open(begun.url);
    expect(page.url).not.toContain(begun.state);
    expect(new URL(page.url).searchParams.size).toBe(1);
  });
});

describe("4.3 leaks by the history of browsers", () => {
  test("nothing of the way may be kept", async () => {
    const first = await ada.get(scene.begin(client).url);
    const page = await ada.open(scene.begin(client).url);
    const { action, fields } = readForm(page, "allow");
    const answer = await ada.submitTo(action, fields);
    const last = await ada.get(new URL(whereNext(answer) ?? "", action).href);
    for (const reply of [first, page, answer, last])
      expect(reply.headers["cache-control"]).toContain("no-store");
  });

  test("answers with tokens may not be kept", async () => {
    const begun = scene.begin(client);
    const reply = await scene.exchange(client, await scene.code(ada, begun), begun.verifier);
    expect(reply.headers["cache-control"]).toContain("no-store");
  });

  test("a code that is found later is of no use", async () => {
    const begun = scene.begin(client);
    const code = await scene.code(ada, begun);
    expect((await scene.exchange(client, code, begun.verifier)).status).toBe(200);
    const again = await scene.exchange(client, code, begun.verifier);
    expect([again.status, errorOf(again.text)]).toEqual([400, "invalid_grant"]);
  });

  test.each(["access_token", "token", "anything"])("a token in the query (%s) is refused", async (name) => {
    const { access_token: token } = await tokensOf();
    const reply = await send("GET", `${scene.url}/api/v1/integrations?${name}=${token}`);
    expect(reply.status).toBe(401);
    const mcp = await send(
      "POST",
      `${scene.url}/mcp?${name}=${token}`,
      { "content-type": "application/json" },
      "{}",
    );
    expect(mcp.status).toBe(401);
  });
});

describe("4.4 mix-up", () => {
  test("a code comes with the issuer that gave it", async () => {
    const page = await ada.press(await ada.open(scene.begin(client).url), "allow");
    expect(new URL(page.url).searchParams.get("iss")).toBe(scene.url);
  });

  test("so does a refusal", async () => {
    const page = await ada.press(await ada.open(scene.begin(client).url), "deny");
    const { searchParams } = new URL(page.url);
    expect([searchParams.get("error"), searchParams.get("iss")]).toEqual(["access_denied", scene.url]);
  });

  test("so does an error", async () => {
    const told = await expectRefusal(
      scene.begin(client, { response_type: "token" }).url,
      "unsupported_response_type",
    );
    expect(told.get("iss")).toBe(scene.url);
  });

  test("the metadata says so, and its issuer is where it was found, to the letter", async () => {
    const reply = await send("GET", `${scene.url}/.well-known/oauth-authorization-server`);
    const metadata = asObject(JSON.parse(reply.text));
    expect(metadata?.["issuer"]).toBe(scene.url);
    expect(metadata?.["authorization_response_iss_parameter_supported"]).toBe(true);
  });
});

describe("4.5 injection of codes", () => {
  test("a code does not work with the verifier of another authorization", async () => {
    const stolen = await scene.code(ada, scene.begin(client));
    const own = scene.begin(client);
    const reply = await scene.exchange(client, stolen, own.verifier);
    expect([reply.status, errorOf(reply.text)]).toEqual([400, "invalid_grant"]);
  });

  test("a code does not work for another client", async () => {
    const begun = scene.begin(client);
    const code = await scene.code(ada, begun);
    const other = await scene.register();
    const reply = await scene.exchange(other, code, begun.verifier);
    expect([reply.status, errorOf(reply.text)]).toEqual([400, "invalid_grant"]);
  });

  test.each(["", "x".repeat(43), "x".repeat(200)])(
    "a code does not work with the verifier %j",
    async (verifier) => {
      const begun = scene.begin(client);
      const reply = await scene.exchange(client, await scene.code(ada, begun), verifier);
      expect(reply.status).toBe(400);
    },
  );

  test("a code that comes again takes the tokens of the first one with it", async () => {
    const begun = scene.begin(client);
    const code = await scene.code(ada, begun);
    const first: Tokens = JSON.parse((await scene.exchange(client, code, begun.verifier)).text);
    expect((await scene.mcp(first.access_token)).status).toBe(200);
    expect((await scene.exchange(client, code, begun.verifier)).status).toBe(400);
    expect((await scene.mcp(first.access_token)).status).toBe(401);
    expect((await scene.refresh(client, first.refresh_token)).status).toBe(400);
  });

  test("of twenty exchanges at once one is answered at most", async () => {
    const begun = scene.begin(client);
    const code = await scene.code(ada, begun);
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => scene.exchange(client, code, begun.verifier)),
    );
    expect(replies.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    for (const { status } of replies) expect([200, 400]).toContain(status);
  });
});

describe("4.6 injection of access tokens", () => {
  test.each(["token", "id_token", "code token", "id_token token", "code id_token", "none"])(
    "no token comes through the browser: response_type %s",
    async (type) => {
      await expectRefusal(scene.begin(client, { response_type: type }).url, "unsupported_response_type");
    },
  );

  test.each(["fragment", "form_post", "web_message", "query.jwt"])(
    "response_mode %s is refused",
    async (mode) => {
      const page = await ada.open(scene.begin(client, { response_mode: mode }).url);
      expect(page.text).not.toContain("code=");
      expect(new URL(page.url).searchParams.get("code")).toBeNull();
      expect(new URL(page.url).hash).toBe("");
      expect(page.status === 400 || new URL(page.url).searchParams.has("error")).toBe(true);
    },
  );

  test("the metadata offers neither", async () => {
    const reply = await send("GET", `${scene.url}/.well-known/oauth-authorization-server`);
    const metadata = asObject(JSON.parse(reply.text));
    expect(metadata?.["response_types_supported"]).toEqual(["code"]);
    expect(metadata?.["response_modes_supported"]).toEqual(["query"]);
  });
});

describe("4.7 cross-site request forgery", () => {
  test("state comes back to the letter", async () => {
    for (const state of ["a b&c=d", "é%20<script>", "x".repeat(1_000)]) {
      const page = await ada.press(await ada.open(scene.begin(client, { state }).url), "allow");
      expect(new URL(page.url).searchParams.get("state")).toBe(state);
    }
  });

  test("nobody can send the form for somebody else", async () => {
    const page = await ada.open(scene.begin(client).url);
    const { action, fields } = readForm(page, "allow");
    const foreign = [
      { "sec-fetch-site": "cross-site", origin: "https://evil.example.com" },
      { "sec-fetch-site": "same-site", origin: "https://other.example.com" },
      { origin: "null" },
    ];
    for (const headers of foreign) {
      const reply = await ada.submitTo(action, fields, headers);
      expect(reply.status, reply.text).toBe(403);
    }
  });

  test("the form of one question does not answer another", async () => {
    const one = await ada.open(scene.begin(client).url);
    const other = await ada.open(scene.begin(client).url);
    const { fields } = readForm(one, "allow");
    const { action } = readForm(other, "allow");
    const reply = await ada.submitTo(action, fields);
    expect(reply.status).toBeGreaterThanOrEqual(400);
  });

  test("a question is shown only in the browser that has begun it", async () => {
    const eve = await scene.browser("eve");
    const page = await eve.open(scene.begin(client).url);
    expect(page.status).toBe(200);
    const elsewhere = await ada.open(page.url);
    expect(elsewhere.status).toBeGreaterThanOrEqual(400);
    expect(elsewhere.text).not.toContain('value="allow"');
    const { action, fields } = readForm(page, "allow");
    const reply = await ada.submitTo(action, fields);
    expect(reply.status).toBeGreaterThanOrEqual(400);
  });

  test("nobody can finish what was begun in another browser", async () => {
    const eve = await scene.browser("eve");
    const page = await eve.open(scene.begin(client).url);
    const { action, fields } = readForm(page, "allow");
    const answer = await eve.submitTo(action, fields);
    const end = await ada.get(new URL(whereNext(answer) ?? "", action).href);
    expect(end.status).toBeGreaterThanOrEqual(400);
    expect(end.headers.location).toBeUndefined();
  });
});

describe("4.8 downgrade of PKCE", () => {
  test("a request without a challenge is refused", async () => {
    await expectRefusal(
      scene.begin(client, { code_challenge: undefined, code_challenge_method: undefined }).url,
      "invalid_request",
    );
  });

  test.each(["plain", "S512", "", "s256"])("the method %j is refused", async (method) => {
    await expectRefusal(scene.begin(client, { code_challenge_method: method }).url, "invalid_request");
  });

  test("a challenge without its method, which means plain, is refused", async () => {
    await expectRefusal(scene.begin(client, { code_challenge_method: undefined }).url, "invalid_request");
  });

  test("clients with a secret need one too", async () => {
    const confidential = await scene.register({ token_endpoint_auth_method: "client_secret_post" });
    await expectRefusal(
      scene.begin(confidential, { code_challenge: undefined, code_challenge_method: undefined }).url,
      "invalid_request",
    );
  });

  test("a code is not exchanged without the verifier", async () => {
    const begun = scene.begin(client);
    const code = await scene.code(ada, begun);
    const reply = await scene.token({
      grant_type: "authorization_code",
      client_id: client.id,
      code,
      redirect_uri: redirectUri,
    });
    expect(reply.status).toBe(400);
  });

  test("the metadata offers S256 alone", async () => {
    const reply = await send("GET", `${scene.url}/.well-known/oauth-authorization-server`);
    expect(asObject(JSON.parse(reply.text))?.["code_challenge_methods_supported"]).toEqual(["S256"]);
  });
});

describe("4.9 leaks at the resource server", () => {
  test("a token does not stand in the log, nor in what is stored", async () => {
    const { access_token: access, refresh_token: refresh } = await tokensOf();
    expect((await scene.mcp(access)).status).toBe(200);
    expect((await scene.mcp(`${access}x`)).status).toBe(401);
    const log = scene.system.log.join("\n");
    for (const token of [access, refresh]) expect(log).not.toContain(token);
  });

  test("nobody is told why a token was refused", async () => {
    const { access_token: access } = await tokensOf();
    const [expired, junk] = [await scene.mcp(`${access.slice(0, -1)}_`), await scene.mcp("junk")];
    expect(expired.status).toBe(401);
    expect(expired.headers["www-authenticate"]).toBe(junk.headers["www-authenticate"]);
    expect(expired.text).toBe(junk.text);
  });
});

describe("4.10 misuse of stolen access tokens", () => {
  test("a token counts for the resource that it was issued for", async () => {
    const { access_token: access } = await tokensOf();
    expect((await scene.mcp(access)).status).toBe(200);
    const authorization = { authorization: `Bearer ${access}` };
    expect((await send("GET", `${scene.url}/api/v1/integrations`, authorization)).status).toBe(401);
    expect((await send("GET", `${scene.url}/apps`, authorization)).status).not.toBe(200);
  });

  test("a token for the HTTP API does not count at /mcp", async () => {
    const resource = `${scene.url}/api/v1`;
    const begun = scene.begin(client, { resource });
    const reply = await scene.exchange(client, await scene.code(ada, begun), begun.verifier, { resource });
    const { access_token: access }: Tokens = JSON.parse(reply.text);
    const authorization = { authorization: `Bearer ${access}` };
    expect((await send("GET", `${scene.url}/api/v1/integrations`, authorization)).status).toBe(200);
    expect((await scene.mcp(access)).status).toBe(401);
  });

  test.each(["https://other.example.com/mcp", "http://127.0.0.1/mcp", "urn:x", "/mcp", "not a url"])(
    "none is issued for %s",
    async (resource) => {
      await expectRefusal(scene.begin(client, { resource }).url, "invalid_target");
    },
  );

  test("none is issued for another address of this computer, where somebody else may listen", async () => {
    const { port } = new URL(scene.url);
    for (const host of ["[::1]", "127.0.0.2", "127.1", "localhost.localdomain", "0.0.0.0"]) {
      const resource = `http://${host}:${port}/mcp`;
      // Browsers and clients read `127.1` as the address that it is.
      if (new URL(resource).origin === scene.url) continue;
      await expectRefusal(scene.begin(client, { resource }).url, "invalid_target");
    }
  });

  test("none is issued for more than one resource", async () => {
    const { url } = scene.begin(client);
    const page = await ada.open(`${url}&resource=${encodeURIComponent("https://other.example.com/mcp")}`);
    expect(new URL(page.url).searchParams.get("error") ?? page.status).not.toBe(200);
  });

  test("an exchange can't name another resource than the person has seen", async () => {
    const begun = scene.begin(client);
    const code = await scene.code(ada, begun);
    const reply = await scene.exchange(client, code, begun.verifier, { resource: `${scene.url}/api/v1` });
    expect([reply.status, errorOf(reply.text)]).toEqual([400, "invalid_target"]);
  });

  test("a client that may read only reads", async () => {
    const begun = scene.begin(client, { scope: "mcp:read" });
    const reply = await scene.exchange(client, await scene.code(ada, begun), begun.verifier);
    const { access_token: access, scope }: Tokens = JSON.parse(reply.text);
    expect(scope).toBe("mcp:read");
    const list = (await scene.mcp(access)).text;
    expect(list).toContain("shop_list_books");
    expect(list).not.toContain("shop_remove_book");
  });

  test("a refresh token and a code are no access tokens", async () => {
    const begun = scene.begin(client);
    const code = await scene.code(ada, begun);
    expect((await scene.mcp(code)).status).toBe(401);
    const { refresh_token: refresh } = await tokensOf();
    expect((await scene.mcp(refresh)).status).toBe(401);
  });

  test("what was revoked is refused with the next request", async () => {
    const { access_token: access } = await tokensOf();
    expect((await scene.mcp(access)).status).toBe(200);
    expect((await scene.revoke(client, access)).status).toBe(200);
    expect((await scene.mcp(access)).status).toBe(401);
  });
});

describe("4.11 open redirection", () => {
  test.each(["https://evil.example.com", "//evil.example.com", "/\\evil.example.com", "javascript:alert(1)"])(
    "signing in does not lead to %s",
    async (next) => {
      const browser = await scene.browser();
      const reply = await browser.submitTo(`${scene.url}/login`, {
        name: "ada",
        password: "correct horse battery staple",
        next,
      });
      expect(reply.headers.location ?? "").not.toMatch(/evil|javascript/);
    },
  );

  test("a person is asked before anybody is sent to a registered address", async () => {
    const elsewhere = await scene.register({ redirect_uris: ["https://elsewhere.example.com/cb"] });
    const page = await ada.open(scene.begin(elsewhere).url);
    expect(page.status).toBe(200);
    expect(page.text).toContain("elsewhere.example.com");
  });

  test.each<readonly [string, Readonly<Record<string, string | undefined>>]>([
    ["another response type", { response_type: "token" }],
    ["a missing challenge", { code_challenge: undefined, code_challenge_method: undefined }],
    ["another resource", { resource: "https://elsewhere.example.com/mcp" }],
    ["prompt=none", { prompt: "none" }],
    ["another response mode", { response_mode: "fragment" }],
  ])(
    "a web site that has registered itself is not reached by a mistake on purpose: %s",
    async (_, change) => {
      const elsewhere = await scene.register({ redirect_uris: ["https://elsewhere.example.com/cb"] });
      for (const browser of [ada, await scene.browser()]) {
        const page = await browser.get(scene.begin(elsewhere, change).url);
        expect([page.status, page.headers.location]).toEqual([400, undefined]);
        expect(page.text).toContain("Not connected");
        expect(page.text).not.toContain('href="https://elsewhere');
      }
      // Who has looked at the page and said no is sent back.
      const page = await ada.press(await ada.open(scene.begin(elsewhere).url), "deny");
      expect(page.url).toContain("https://elsewhere.example.com/cb?error=access_denied");
    },
  );
});

describe("4.12 redirects that repeat forms", () => {
  test("no form is sent on: 303 after each", async () => {
    const browser = await scene.browser();
    const signedIn = await browser.submitTo(`${scene.url}/login`, {
      name: "ada",
      password: "correct horse battery staple",
    });
    expect(signedIn.status).toBe(303);
    const page = await browser.open(scene.begin(client).url);
    const { action, fields } = readForm(page, "allow");
    const answer = await browser.submitTo(action, fields);
    // No redirect at all: a page from which the browser goes on by itself, by GET.
    expect(answer.status).toBe(200);
    const last = await browser.get(new URL(whereNext(answer) ?? "", action).href);
    expect([302, 303]).toContain(last.status);
  });
});

describe("4.13 reverse proxies", () => {
  test.each([
    { "x-forwarded-host": "evil.example.com" },
    { "x-forwarded-proto": "javascript" },
    { "x-forwarded-prefix": "/evil" },
    { forwarded: "host=evil.example.com;proto=https" },
    { "x-original-url": "/evil", "x-rewrite-url": "/evil" },
  ])("headers of a proxy that nobody set do not change addresses: %j", async (headers) => {
    for (const path of [
      "/.well-known/oauth-authorization-server",
      "/.well-known/oauth-protected-resource/mcp",
    ]) {
      const [plain, given] = [
        await send("GET", scene.url + path),
        await send("GET", scene.url + path, headers),
      ];
      expect(given.status).toBe(200);
      expect(given.text).toBe(plain.text);
    }
    const begun = await ada.get(scene.begin(client).url, {
      ...headers,
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    });
    expect(new URL(begun.headers.location ?? "", scene.url).origin).toBe(scene.url);
  });

  test("another Host is refused", async () => {
    for (const path of ["/.well-known/oauth-authorization-server", "/oauth/authorize", "/oauth/token"]) {
      const reply = await send(path.endsWith("token") ? "POST" : "GET", scene.url + path, {
        host: "evil.example.com",
      });
      expect(reply.status).toBe(403);
    }
  });
});

describe("4.14 refresh tokens", () => {
  test("each counts once, and the next one comes with the answer", async () => {
    const { refresh_token: first } = await tokensOf();
    const second: Tokens = JSON.parse((await scene.refresh(client, first)).text);
    expect(second.refresh_token).not.toBe(first);
    expect((await scene.mcp(second.access_token)).status).toBe(200);
  });

  test("the same request within seconds gets the same answer, and nobody gets another one", async () => {
    const { refresh_token: first } = await tokensOf();
    const replies = await Promise.all(Array.from({ length: 10 }, () => scene.refresh(client, first)));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(replies.map(({ text }) => asObject(JSON.parse(text))?.["refresh_token"])).size).toBe(1);
  });

  test("a used one that comes seconds later ends the grant", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    await using own = await startScene();
    const { client: app, tokens } = await own.connect("ada");
    const second: Tokens = JSON.parse((await own.refresh(app, tokens.refresh_token)).text);
    const third: Tokens = JSON.parse((await own.refresh(app, second.refresh_token)).text);
    expect((await own.mcp(third.access_token)).status).toBe(200);
    vi.setSystemTime(Date.now() + 11_000);
    const stolen = await own.refresh(app, tokens.refresh_token);
    expect([stolen.status, errorOf(stolen.text)]).toEqual([400, "invalid_grant"]);
    expect((await own.refresh(app, third.refresh_token)).status).toBe(400);
    expect((await own.mcp(third.access_token)).status).toBe(401);
  });

  test("it is bound to its client", async () => {
    const { refresh_token: refresh } = await tokensOf();
    const other = await scene.register();
    const reply = await scene.refresh(other, refresh);
    expect([reply.status, errorOf(reply.text)]).toEqual([400, "invalid_grant"]);
  });

  test("it gives no more than was granted", async () => {
    const begun = scene.begin(client, { scope: "mcp:read" });
    const reply = await scene.exchange(client, await scene.code(ada, begun), begun.verifier);
    const { refresh_token: refresh }: Tokens = JSON.parse(reply.text);
    const more = await scene.refresh(client, refresh, { scope: "mcp" });
    expect([more.status, errorOf(more.text)]).toEqual([400, "invalid_scope"]);
  });

  test("it can't move to another resource", async () => {
    const { refresh_token: refresh } = await tokensOf();
    const reply = await scene.refresh(client, refresh, { resource: `${scene.url}/api/v1` });
    expect([reply.status, errorOf(reply.text)]).toEqual([400, "invalid_target"]);
  });

  test("it ends with the user's password, and with the user", async () => {
    const administration = await scene.system.administration();
    const { client: own, tokens } = await scene.connect("eve");
    expect((await scene.mcp(tokens.access_token)).status).toBe(200);
    await administration.updateUser("eve", { disabled: true });
    expect((await scene.mcp(tokens.access_token)).status).toBe(401);
    expect((await scene.refresh(own, tokens.refresh_token)).status).toBe(400);
    await administration.updateUser("eve", { disabled: false });
    expect((await scene.mcp(tokens.access_token)).status).toBe(401);
    expect((await scene.refresh(own, tokens.refresh_token)).status).toBe(400);
  });

  test("revoking it ends all that came of it", async () => {
    const { access_token: access, refresh_token: refresh } = await tokensOf();
    expect((await scene.revoke(client, refresh)).status).toBe(200);
    expect((await scene.mcp(access)).status).toBe(401);
    expect((await scene.refresh(client, refresh)).status).toBe(400);
  });

  test("another client can't revoke it", async () => {
    const { access_token: access, refresh_token: refresh } = await tokensOf();
    const other = await scene.register();
    await scene.revoke(other, refresh);
    await scene.revoke(other, access);
    expect((await scene.mcp(access)).status).toBe(200);
    expect((await scene.refresh(client, refresh)).status).toBe(200);
  });
});

describe("4.15 clients that pass for people", () => {
  test.each(["ada", "default", "admin", "usr_aaaaaaaaaaaaaaaa"])(
    "a client that calls itself %s gets an id of the server's choice",
    async (name) => {
      const own = await scene.register({ client_name: name, client_id: name });
      expect(own.id).not.toBe(name);
    },
  );

  test.each(["client_credentials", "password", "urn:ietf:params:oauth:grant-type:jwt-bearer", "implicit"])(
    "no token comes without a person: %s",
    async (type) => {
      const confidential = await scene.register({ token_endpoint_auth_method: "client_secret_post" });
      const reply = await scene.token({
        grant_type: type,
        client_id: confidential.id,
        client_secret: confidential.secret ?? "",
        username: "ada",
        password: "correct horse battery staple",
        scope: "mcp",
      });
      expect(reply.status).toBeGreaterThanOrEqual(400);
      expect(reply.text).not.toContain("access_token");
    },
  );
});

describe("4.16 clickjacking", () => {
  test("no page lets itself be framed", async () => {
    const consent = await ada.open(scene.begin(client).url);
    const problem = await ada.get(scene.begin({ ...client, id: "unknown" }).url);
    const login = await ada.get(`${scene.url}/login`);
    const apps = await ada.get(`${scene.url}/apps`);
    for (const page of [consent, problem, login, apps]) {
      expect(page.headers["x-frame-options"]).toBe("DENY");
      expect(page.headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    }
  });
});

describe("4.17 in-browser communication", () => {
  test("pages run no script and talk to no other window", async () => {
    const page = await ada.open(scene.begin(client).url);
    expect(page.headers["content-security-policy"]).not.toContain("script-src");
    expect(page.headers["cross-origin-opener-policy"]).toBe("same-origin");
    expect(page.text).not.toContain("<script");
    expect(page.text).not.toContain("postMessage");
  });

  test("web_message is refused", async () => {
    const page = await ada.open(scene.begin(client, { response_mode: "web_message" }).url);
    expect(page.text).not.toContain("<script");
    expect(new URL(page.url).searchParams.get("code")).toBeNull();
  });
});
