import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import type { OidcSignIn } from "../../src/federation/oidc-sign-in.ts";
import type { VerifiedAccount } from "../../src/identity/identity.ts";
import { Secret } from "../../src/secret.ts";
import { principalOf } from "../principals.ts";
import { openStage, type Stage, session } from "./stage.ts";

const state = "s".repeat(43);
const browser = "b".repeat(43);
const request = "r".repeat(21);
const account: VerifiedAccount = { issuer: "https://id.example", subject: "ada", claims: {} };
const navigation = {
  ...{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
};

/** A stage with an identity provider that does what a test says. */
async function openOidcStage(
  oidc: Partial<OidcSignIn> = {},
  signInBy = async () => ({
    ...{
      principal: principalOf("user", "ada"),
      session: new Secret(session("ada")),
      milliseconds: 3_600_000,
    },
  }),
): Promise<Stage & { readonly heard: readonly unknown[] }> {
  const heard: unknown[] = [];
  const oidcSignIn: OidcSignIn = {
    begin: async (...asked) => {
      heard.push(asked);
      return { url: "https://id.example/authorize?a=1&b=<2>", state, browser };
    },
    finish: async (...asked) => {
      heard.push(asked);
      return { account, next: undefined };
    },
    ...oidc,
  };
  const stage = await openStage({
    auth: {
      provider: "oidc",
      oidc: {
        ...{ issuer: "https://id.example", clientId: "gateway", clientSecret: undefined, scopes: ["openid"] },
        ...{ allowedDomains: undefined, displayName: `Example <b>"ID"</b>` },
        claims: { tenant: undefined, roles: undefined },
      },
    },
    identity: { signInBy },
    oidcSignIn,
  });
  return Object.assign(stage, { heard });
}

/** The cookie that a start has set, as a browser sends it back. */
async function cookieOf(stage: Stage): Promise<string> {
  const { headers } = await stage.send("GET", "/login/start");
  return headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
}

describe("the sign-in page", () => {
  test("leads to the provider by a link, and asks for no password", async () => {
    await using stage = await openOidcStage();
    const { status, text } = await stage.send(
      "GET",
      `/login?next=${encodeURIComponent("connect?provider=a&done=b")}`,
    );
    expect(status).toBe(200);
    expect(text).toContain("Sign in with Example &lt;b&gt;&quot;ID&quot;&lt;/b&gt;</a>");
    expect(text).toContain('href="login/start?next=connect%3Fprovider%3Da%26done%3Db"');
    expect(text).not.toMatch(/<form|<input|<script|<b>/);
    const plain = await stage.send("GET", "/login?next=https://evil.example");
    expect(plain.text).toContain('href="login/start"');
  });

  test.each([
    ["/login", "name=ada&password=correct+horse", "application/x-www-form-urlencoded"],
    ["/api/v1/auth/login", '{"name":"ada","password":"correct horse"}', "application/json"],
  ])("passwords that are sent to %s are for identity to refuse", async (path, body, type) => {
    const refusal = new GatewayError("not_found", "People sign in at Example ID.");
    await using stage = await openStage({
      auth: { provider: "oidc" },
      identity: { signIn: () => Promise.reject(refusal) },
    });
    const answer = await stage.send("POST", path, {
      headers: { "sec-fetch-site": "same-origin", "content-type": type },
      body,
    });
    expect([answer.status, answer.json["error"]]).toEqual([
      404,
      { code: "not_found", message: "People sign in at Example ID." },
    ]);
  });
});

describe("the way to the provider", () => {
  test("is bound to the browser", async () => {
    await using stage = await openOidcStage();
    const { status, headers, text } = await stage.send(
      "GET",
      `/login/start?next=${encodeURIComponent("apps")}`,
    );
    expect([status, headers.location, text]).toEqual([303, "https://id.example/authorize?a=1&b=<2>", ""]);
    expect(headers).toMatchObject({ "cache-control": "no-store", "referrer-policy": "no-referrer" });
    expect(headers["set-cookie"]).toEqual([
      expect.stringMatching(
        /^__Host-gateway-flow-[0-9a-f]{16}=b{43}; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/,
      ),
    ]);
    expect(stage.heard).toEqual([["apps", { host: new URL(stage.server.url).host, address: "127.0.0.1" }]]);
  });

  test.each(["https://evil.example", "//evil.example", "connect%3F", "%2Fapps", "apps&next=apps", "%00"])(
    "forgets a next page that is none: %s",
    async (next) => {
      await using stage = await openOidcStage();
      await stage.send("GET", `/login/start?next=${next}`);
      const [[page]] = stage.heard as [[unknown]];
      expect([undefined, "connect"]).toContain(page);
    },
  );

  test.each(["HEAD", "POST", "PUT"])("begins nothing by %s", async (method) => {
    await using stage = await openOidcStage();
    for (const path of ["/login/start", "/login/callback?code=a"])
      expect((await stage.send(method, path, { headers: { "sec-fetch-site": "same-origin" } })).status).toBe(
        405,
      );
    expect(stage.heard).toEqual([]);
  });

  test("is for pages, not for what other pages load", async () => {
    await using stage = await openOidcStage();
    const image = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" };
    for (const path of ["/login/start", "/login/callback?code=a"])
      expect((await stage.send("GET", path, { headers: image })).status).toBe(403);
    expect(stage.heard).toEqual([]);
    expect((await stage.send("GET", "/login/start", { headers: navigation })).status).toBe(303);
  });

  test("tells on a page why there is none", async () => {
    await using stage = await openOidcStage({
      begin: () =>
        Promise.reject(new GatewayError("upstream_failed", "Example ID <b>is</b> away, says `host`.")),
    });
    const { status, headers, text } = await stage.send("GET", "/login/start");
    expect([status, headers["content-type"]]).toEqual([502, "text/html; charset=utf-8"]);
    expect(text).toContain(
      '<p role="alert">Example ID &lt;b&gt;is&lt;/b&gt; away, says <code>host</code>.</p>',
    );
    expect(text).toContain('<a href="../login">');
    expect(text).toContain('href="../login.css"');
  });
});

describe("the way back", () => {
  test("leads on with a session, whatever the browser had", async () => {
    const heard: unknown[] = [];
    await using stage = await openOidcStage(
      {
        finish: async (...asked) => {
          heard.push(asked);
          return { account, next: `oauth/consent?request=${request}` };
        },
      },
      async (...given: unknown[]) => {
        heard.push(given);
        return {
          principal: principalOf("user", "ada"),
          session: new Secret(session("new")),
          milliseconds: 60_000,
        };
      },
    );
    const cookie = `${await cookieOf(stage)}; __Host-gateway-session=${session("ada")}`;
    const { status, headers, text } = await stage.send("GET", `/login/callback?code=c&state=${state}`, {
      headers: { cookie, ...navigation, "user-agent": "Browser/1" },
    });
    expect([status, headers.location, text]).toEqual([303, `../oauth/consent?request=${request}`, ""]);
    expect(headers).toMatchObject({ "cache-control": "no-store", "referrer-policy": "no-referrer" });
    expect(headers["set-cookie"]).toEqual([
      expect.stringMatching(/^__Host-gateway-flow-[0-9a-f]{16}=; .*Max-Age=0$/),
      expect.stringMatching(
        /^__Host-gateway-session=news+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=60$/,
      ),
    ]);
    expect(heard).toEqual([
      [`code=c&state=${state}`, browser],
      [account, { client: "Browser/1", address: "127.0.0.1" }],
    ]);
  });

  test.each([
    [undefined, "../"],
    ["", "../"],
    ["https://evil.example", "../"],
    ["apps", "../apps"],
  ])("goes on with a page of ours only: %s", async (next, location) => {
    await using stage = await openOidcStage({ finish: async () => ({ account, next }) });
    const { headers } = await stage.send("GET", `/login/callback?state=${state}`);
    expect(headers.location).toBe(location);
    expect(new URL(headers.location ?? "", `${stage.server.url}/login/callback`).origin).toBe(
      stage.server.url,
    );
  });

  test.each([
    ["none", ""],
    ["of another sign-in", `__Host-gateway-flow-0123456789abcdef=${browser}`],
    ["of no browser of ours", `__host-gateway-flow-0123456789abcdef=${browser}`],
  ])("hands no secret over where the cookie is %s", async (_case, cookie) => {
    await using stage = await openOidcStage();
    await stage.send("GET", `/login/callback?code=c&state=${state}`, { headers: { cookie } });
    expect(stage.heard).toEqual([[`code=c&state=${state}`, undefined]]);
  });

  test("of two cookies none counts: one was put there by somebody else", async () => {
    await using stage = await openOidcStage();
    const cookie = await cookieOf(stage);
    await stage.send("GET", `/login/callback?state=${state}`, {
      headers: { cookie: `${cookie}; ${cookie}` },
    });
    expect(stage.heard.at(-1)).toEqual([`state=${state}`, undefined]);
  });

  test.each([
    [
      "the answer",
      { finish: () => Promise.reject(new GatewayError("bad_request", "Begin again.")) },
      undefined,
      400,
    ],
    ["the person", {}, () => Promise.reject(new GatewayError("forbidden", "Begin again.")), 403],
    ["the store", {}, () => Promise.reject(new GatewayError("store_unavailable", "Begin again.")), 503],
  ])("says what to do where %s is refused, and sets no session", async (_case, oidc, signInBy, status) => {
    await using stage = await openOidcStage(oidc, signInBy);
    const answer = await stage.send("GET", `/login/callback?code=secretcode&state=${state}`, {
      headers: navigation,
    });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain('<p role="alert">Begin again.</p>');
    expect(answer.text).not.toContain("secretcode");
    expect(answer.headers).toMatchObject({ "referrer-policy": "no-referrer", "cache-control": "no-store" });
    expect(answer.headers["set-cookie"]).toEqual([expect.stringContaining("Max-Age=0")]);
    expect(stage.log.join()).not.toContain("secretcode");
  });
});

test.each(["none", "local"] as const)("with provider %s there is no such page", async (provider) => {
  const refuse = () => Promise.reject(new Error("asked"));
  await using stage = await openStage({ auth: { provider }, oidcSignIn: { begin: refuse, finish: refuse } });
  for (const path of ["/login/start", "/login/callback"])
    expect((await stage.send("GET", path)).status).toBe(404);
});
