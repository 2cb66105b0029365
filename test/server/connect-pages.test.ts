import { hash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import type { FinishedOAuth, OAuthCallback } from "../../src/model/connections.ts";
import type { Secret } from "../../src/secret.ts";
import {
  browserForm,
  connected,
  instanceOf,
  type Script,
  type ScriptedConnections,
  scriptConnections,
  statusOf,
} from "./scripted-connections.ts";
import { type Answer, openStage, type Stage, type StageOptions, session } from "./stage.ts";

const signedIn = { cookie: `__Host-gateway-session=${session("ada")}` };
const own = { "sec-fetch-site": "same-origin" };
const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
const place = "/connect?provider=books&connection=api";

interface Scene extends AsyncDisposable {
  readonly stage: Stage;
  readonly script: ScriptedConnections;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  submit(
    path: string,
    fields: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
}

async function openScene(script: Script, options: StageOptions = {}): Promise<Scene> {
  const scripted = scriptConnections(script);
  const stage = await openStage({ ...options, connections: scripted.parts });
  return {
    stage,
    script: scripted,
    get: (path, headers = signedIn) => stage.send("GET", path, { headers }),
    submit: (path, fields, headers = { ...own, ...signedIn }) =>
      stage.send("POST", path, {
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
        body: String(new URLSearchParams(fields)),
      }),
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  };
}

const started = {
  kind: "started",
  authorizationUrl: "https://as.example/authorize?client_id=1&state=the-state",
  expiresAt: 0,
} as const;

describe("the page of all connections", () => {
  test("says how each stands, whose it is, and leads to each", async () => {
    await using scene = await openScene({
      list: () => [
        statusOf(),
        statusOf({
          connection: "b c",
          displayName: "Browser",
          state: "ready",
          reason: undefined,
          form: browserForm,
        }),
        statusOf({
          provider: "vault",
          providerName: "Vault",
          state: "reconnect_required",
          reason: "Refused.",
        }),
        statusOf({
          ...{ provider: "vault", connection: "own", state: "needs_configuration", reason: "No key." },
          ...{ form: undefined, next: undefined },
        }),
      ],
    });
    const { status, text, headers } = await scene.get("/connect", { ...signedIn, ...link });
    expect(status).toBe(200);
    expect(headers).toMatchObject({ "cache-control": "no-store", "x-frame-options": "DENY" });
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(text).toContain(
      'Signed in as <strong>ada</strong>, tenant <strong>default</strong>. <a href="login">Not you?</a>',
    );
    expect(text).toMatch(/<h2>Book Shop<\/h2>[\s\S]*<h2>Vault<\/h2>/);
    expect(text).toContain('<a href="connect?provider=books&amp;connection=api">Connect<');
    expect(text).toContain('<a href="connect?provider=books&amp;connection=b+c">Manage<');
    expect(text).toContain('<a href="connect?provider=vault&amp;connection=api">Reconnect<');
    expect(text).toContain("Not connected. <a");
    expect(text).toContain("Not set up yet. No key.");
    expect(text).not.toMatch(/<script|<style| style=| on\w+=/i);
    expect(scene.script.asked).toEqual([]);
  });

  test("is linked from the home page", async () => {
    await using scene = await openScene({});
    expect((await scene.get("/")).text).toContain('<a href="connect">Connections</a>');
    expect((await scene.get("/connect")).text).toContain("There is nothing to connect.");
  });

  test("works without sign-in where there is none", async () => {
    const options = { auth: { provider: "none" } } as const;
    await using scene = await openScene(
      { list: () => [statusOf()], answers: { connectManual: async () => connected } },
      options,
    );
    const { status, text } = await scene.get("/connect", {});
    expect(status).toBe(200);
    expect(text).toContain("Nobody signs in at this gateway");
    expect((await scene.submit(place, { action: "connect", "field.key": "k" }, own)).status).toBe(303);
    expect((await scene.get("/login.css", {})).status).toBe(200);
  });

  test("keeps the tenant that somebody acts for in its links", async () => {
    await using scene = await openScene({
      list: (as) => (as.tenant === "acme" ? [statusOf()] : []),
    });
    const { text } = await scene.get("/connect?tenant=acme");
    expect(text).toContain("tenant <strong>acme</strong>");
    expect(text).toContain('href="connect?provider=books&amp;connection=api&amp;tenant=acme"');
    expect((await scene.get("/connect?tenant=globex")).status).toBe(403);
  });
});

describe("signing in on the way", () => {
  test("leads back to the page", async () => {
    await using scene = await openScene({ list: () => [statusOf()] });
    const answer = await scene.get(`${place}&tenant=acme`, {});
    expect(answer.status).toBe(303);
    const target = "connect?provider=books&connection=api&tenant=acme";
    expect(answer.headers.location).toBe(`login?${new URLSearchParams({ next: target })}`);
    const form = await scene.get(`/${answer.headers.location}`, {});
    expect(form.text).toContain(
      `<input type="hidden" name="next" value="${target.replaceAll("&", "&amp;")}">`,
    );
    const wrong = await scene.submit("/login", { name: "ada", password: "wrong", next: target }, own);
    expect(wrong.text).toContain('name="next" value="connect?');
    const right = await scene.submit("/login", { name: "ada", password: "correct horse", next: target }, own);
    expect([right.status, right.headers.location]).toEqual([303, target]);
  });

  test.each([
    "https://evil.example",
    "//evil.example",
    "/connect",
    "\\\\evil.example",
    "connect/../../evil",
    "connect//evil.example",
    "connect?provider=a&provider=b",
    "connect?next=https://evil.example",
    "connect#@evil.example",
    "connect\r\nset-cookie: a=b",
    "connect?provider=a%0d%0ab",
    "javascript:alert(1)",
    " connect",
    "login",
    "./connect",
    "connect?provider=",
  ])("leads nowhere else: %j", async (next) => {
    await using scene = await openScene({});
    const shown = await scene.get(`/login?${new URLSearchParams({ next })}`, {});
    expect(shown.text).not.toContain('name="next"');
    const answer = await scene.submit("/login", { name: "ada", password: "correct horse", next }, own);
    expect(answer.status).toBe(400);
    expect(scene.stage.attempts).toEqual([]);
  });

  test("is asked for again where the session has ended meanwhile, and nothing is done", async () => {
    await using scene = await openScene({ list: () => [statusOf()] });
    const answer = await scene.submit(place, { action: "connect", "field.key": "k" }, own);
    expect([answer.status, answer.headers.location?.startsWith("login?next=connect")]).toEqual([303, true]);
    expect(scene.script.asked).toEqual([]);
  });
});

describe("the page of one connection", () => {
  test("has a form with labels and help that machines can read out", async () => {
    await using scene = await openScene({ list: () => [statusOf({ description: "For orders." })] });
    const { text } = await scene.get(`${place}&instance=work`);
    expect(text).toContain("<title>Book Shop: API – Gestalt Gateway</title>");
    expect(text).toContain("<p>For orders.</p>");
    expect(text).toMatch(
      /<label for="input-0">API key<\/label>\n<p class="help" id="input-0-help">Under Settings, API.<\/p>\n<input id="input-0" name="field.key" type="password" autocomplete="off" [^>]*aria-describedby="input-0-help" required>/,
    );
    expect(text).toMatch(
      /<label for="input-1">User \(optional\)<\/label>\n<input id="input-1" name="field.user" type="text" value=""/,
    );
    expect(text).toMatch(/<input id="input-2" name="param.workspace" type="text" value="main"/);
    expect(text).toMatch(/<input id="instance" name="instance" type="text" value="work"/);
    expect(text).toContain('<button type="submit">Connect</button>');
    expect(text).not.toContain("Disconnect");
    const targets = [...text.matchAll(/(?:href|action)="([^"]*)"/g)].map(([, target]) => target);
    expect(targets).toEqual([
      "login.css",
      "login",
      "connect?provider=books&amp;connection=api&amp;instance=work",
      "connect",
    ]);
  });

  test("is the only one of a provider, or the list of those that it has", async () => {
    const statuses = [statusOf(), statusOf({ connection: "b", displayName: "B" })];
    await using scene = await openScene({
      list: (_as, provider) =>
        provider === "books" ? statuses : statuses.slice(0, 0).concat(statusOf({ provider: "one" })),
    });
    expect((await scene.get("/connect?provider=one")).text).toContain('name="field.key"');
    const { text } = await scene.get("/connect?provider=books");
    expect(text).toContain("<h1>Connections</h1>");
    expect((await scene.get("/connect?provider=books&connection=none")).status).toBe(404);
  });

  test("shows what is stored, and how to end or renew it", async () => {
    const instances = [
      instanceOf({ instance: "work", scopes: ["read", "write"], params: { site: "a.example" } }),
      instanceOf({ shared: true, state: "reconnect_required", reason: "It was revoked." }),
      instanceOf({ instance: "old", expiresAt: Date.UTC(2026, 5, 1) }),
    ];
    await using scene = await openScene({
      list: () => [
        statusOf({ mode: "either", state: "ready", reason: undefined, next: undefined, instances }),
      ],
    });
    const { text } = await scene.get(place);
    expect(text).toContain(
      'ready, since <time datetime="2026-01-02T03:04:00.000Z">2026-01-02 03:04 UTC</time>. With site a.example; scopes read, write.',
    );
    expect(text).toMatch(
      /<strong>default<\/strong> \(shared in the tenant\): has to be connected anew, .* It was revoked\./,
    );
    expect(text).toMatch(/Ends <time[^>]*>2026-06-01 00:00 UTC<\/time>\./);
    for (const name of ["work", "default", "old"]) expect(text).toContain(`>Disconnect ${name}</button>`);
    expect(text).toContain('<button type="submit">Reconnect</button>');
    expect(text).toMatch(/<input type="checkbox" id="shared" name="shared" value="true">/);
  });

  test("of what callers send with each request has no form", async () => {
    await using scene = await openScene({
      list: () => [
        statusOf({ type: "passthrough", form: undefined, next: { kind: "send_header", header: "X-Key" } }),
      ],
    });
    const { text } = await scene.get(place);
    expect(text).toContain("in the header <code>X-Key</code>");
    expect(text).not.toContain("<form");
    expect((await scene.submit(place, { action: "connect" })).status).toBe(400);
  });

  test("says what was done, unless that is not so", async () => {
    await using scene = await openScene({
      list: () => [statusOf(), statusOf({ connection: "b", state: "ready" })],
    });
    expect((await scene.get(`${place}&done=connected`)).text).not.toContain('role="status"');
    expect((await scene.get("/connect?provider=books&connection=b&done=connected")).text).toContain(
      '<p role="status">Connected. Calls use it from now on; you can close this page.</p>',
    );
    expect((await scene.get(`${place}&done=toString`)).text).not.toMatch(/native code|role="status"/);
    const { text } = await scene.get("/connect?provider=books&connection=b&done=connected");
    expect(text).toMatch(/<title>Connected – /);
  });

  test("says each thing once, names in backticks as code, and no name that nobody has given", async () => {
    const what = "Set `server.encryption_key` first.";
    const next = { kind: "configure", what } as const;
    await using scene = await openScene({
      list: () => [
        statusOf({
          displayName: "default",
          state: "needs_configuration",
          reason: what,
          next,
          form: undefined,
        }),
      ],
    });
    const { text } = await scene.get(place);
    expect(text).toContain("<h1>Book Shop</h1>");
    expect(text.split("Set <code>server.encryption_key</code> first.")).toHaveLength(2);
  });

  test("offers to connect, not to reconnect, under a name that nothing is stored under", async () => {
    const instances = [instanceOf({ instance: "work" })];
    await using scene = await openScene({ list: () => [statusOf({ state: "ready", instances })] });
    const button = async (query: string): Promise<string | undefined> =>
      /<button type="submit">(\w+)</.exec((await scene.get(`${place}${query}`)).text)?.[1];
    expect(await button("")).toBe("Reconnect");
    expect(await button("&instance=work")).toBe("Reconnect");
    expect(await button("&instance=home")).toBe("Connect");
  });
});

describe("connecting by hand", () => {
  test("stores what was typed in, and shows the page again without doing anything on reload", async () => {
    await using scene = await openScene({
      list: () => [statusOf()],
      answers: { connectManual: async () => connected },
    });
    const answer = await scene.submit(`${place}&tenant=acme`, {
      ...{ action: "connect", "field.key": "secret-canary", "field.user": "", "param.workspace": "w" },
      ...{ instance: "work", shared: "true" },
    });
    expect([answer.status, answer.headers.location]).toEqual([
      303,
      "connect?provider=books&connection=api&tenant=acme&done=connected",
    ]);
    const [{ given, as } = { given: undefined, as: undefined }] = scene.script.asked;
    expect(as).toMatchObject({ id: "ada", tenant: "acme" });
    const { fields, ...rest } = given as { fields: Record<string, Secret> };
    expect(rest).toEqual({
      ...{ provider: "books", connection: "api", instance: "work", shared: true },
      params: { workspace: "w" },
    });
    expect(Object.keys(fields)).toEqual(["key"]);
    expect(fields["key"]?.reveal()).toBe("secret-canary");
  });

  test("says what is wrong, keeps what is no secret, and puts the cursor where something is to be typed", async () => {
    await using scene = await openScene({
      list: () => [statusOf({ mode: "either" })],
      answers: {
        connectManual: async () => {
          throw new GatewayError("bad_request", "The key was <refused>.");
        },
      },
    });
    const answer = await scene.submit(place, {
      ...{ action: "connect", "field.key": "secret-canary", "field.user": "u<1>" },
      ...{ "param.workspace": "w", instance: "work", shared: "true" },
    });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('<p role="alert" id="problem">The key was &lt;refused&gt;.</p>');
    expect(answer.text).not.toContain("canary");
    expect(answer.text).toContain('value="u&lt;1&gt;"');
    expect(answer.text).toContain('value="work"');
    expect(answer.text).toContain('name="shared" value="true" checked>');
    expect(answer.text).toMatch(
      /name="field.key" [^>]*aria-describedby="input-0-help problem" required autofocus>/,
    );
    expect(answer.text.match(/autofocus/g)).toHaveLength(1);
  });

  test("has somebody choose where there is a choice", async () => {
    const choices = [
      { id: "1", label: "<b>One</b>" },
      { id: '2"', label: "Two" },
    ];
    await using scene = await openScene({
      list: () => [statusOf()],
      answers: {
        connectManual: async () => ({ kind: "pending", pending: "the-pending", choices, expiresAt: 0 }),
        select: async () => connected,
      },
    });
    const { status, text } = await scene.submit(place, { action: "connect", "field.key": "k" });
    expect(status).toBe(200);
    expect(text).toContain("<legend>Use it for</legend>");
    expect(text).toMatch(
      /<input type="radio" name="choice" id="choice-0" value="1" required autofocus> <label for="choice-0">&lt;b&gt;One&lt;\/b&gt;<\/label>/,
    );
    expect(text).toContain('value="2&quot;"');
    expect(text).toContain('<input type="hidden" name="pending" value="the-pending">');
    const chosen = await scene.submit(place, { action: "choose", pending: "the-pending", choice: '2"' });
    expect([chosen.status, chosen.headers.location]).toEqual([
      303,
      "connect?provider=books&connection=api&done=connected",
    ]);
    expect(scene.script.asked.at(-1)).toMatchObject({ what: "select", given: ["the-pending", '2"'] });
  });

  test("ends with a form too", async () => {
    await using scene = await openScene({
      list: () => [statusOf()],
      answers: {
        disconnect: async ({ instance = "" }) => ({
          ...{ provider: "books", connection: "api", instance },
          revoked: instance === "work" ? "failed" : "unsupported",
        }),
      },
    });
    const form = { action: "disconnect", shared: "false" };
    const first = await scene.submit(place, { ...form, instance: "work" });
    expect(first.headers.location).toBe("connect?provider=books&connection=api&done=unrevoked");
    const second = await scene.submit(place, { ...form, instance: "default" });
    expect(second.headers.location).toBe("connect?provider=books&connection=api&done=disconnected");
    expect(scene.script.asked[0]?.given).toEqual({
      ...{ provider: "books", connection: "api", instance: "work", shared: false },
    });
    expect((await scene.get(`${place}&done=unrevoked`)).text).toContain("Revoke it there");
  });

  test.each<readonly [string, Readonly<Record<string, string>>]>([
    [place, {}],
    [place, { action: "toString" }],
    ["/connect", { action: "connect" }],
    ["/connect", { action: "disconnect" }],
    ["/connect?what=1", { action: "connect" }],
  ])("takes its own forms only: %s %j", async (path, fields) => {
    await using scene = await openScene({ list: () => [statusOf()] });
    expect((await scene.submit(path, fields)).status).toBe(400);
    expect(scene.script.asked).toEqual([]);
  });
});

describe("connecting in the browser", () => {
  /** What a browser sends back of the cookies that it was given. */
  function cookiesOf({ headers }: Answer): string {
    return (headers["set-cookie"] ?? []).map((cookie) => cookie.split(";")[0]).join("; ");
  }
  const begin = (
    scene: Scene,
    path = place,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> => scene.submit(path, { action: "connect" }, { ...own, ...signedIn, ...headers });

  test("says where it leads, and binds the flow to the browser", async () => {
    await using scene = await openScene({
      list: () => [statusOf({ form: browserForm, type: "oauth2" })],
      answers: { startOAuth: async () => started },
    });
    const answer = await begin(scene, `${place}&instance=work`);
    expect(answer.status).toBe(200);
    expect(answer.text).toMatch(
      /<a class="button" href="https:\/\/as.example\/authorize\?client_id=1&amp;state=the-state" rel="noreferrer" autofocus>Continue to as.example<\/a>/,
    );
    expect(answer.text).toContain("Signed in as <strong>ada</strong>");
    expect(answer.headers["set-cookie"]).toHaveLength(1);
    const [cookie = ""] = answer.headers["set-cookie"] ?? [];
    expect(cookie).toMatch(
      /^__Host-gateway-flow-[0-9a-f]{16}=[A-Za-z0-9_-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/,
    );
    const secret = cookie.split(/[=;]/)[1] ?? "";
    expect(scene.script.asked[0]?.given).toMatchObject({
      returnTo: "/connect?provider=books&connection=api",
      browser: hash("sha256", secret, "base64url"),
    });
    expect(answer.text).not.toContain(secret);
  });

  test.each(["javascript:alert(1)//state=1", "data:text/html,?state=s", "not a url", "https://as.example/"])(
    "offers no link to %s",
    async (authorizationUrl) => {
      await using scene = await openScene({
        list: () => [statusOf({ form: browserForm })],
        answers: { startOAuth: async () => ({ ...started, authorizationUrl }) },
      });
      const { status, text } = await begin(scene);
      expect(status).toBe(502);
      expect(text).not.toMatch(/href="(javascript|data|not)/);
    },
  );

  test("comes back to the page, in the same browser and tenant", async () => {
    const seen: OAuthCallback[] = [];
    await using scene = await openScene({
      list: () => [statusOf({ form: browserForm })],
      answers: { startOAuth: async () => started },
      finish: async (_as, callback) => {
        seen.push(callback);
        return { ...connected, returnTo: "/connect?provider=books&connection=api&tenant=acme" };
      },
    });
    const first = await begin(scene, `${place}&tenant=acme`);
    const flow = cookiesOf(first);
    const cookie = { cookie: `${signedIn.cookie}; ${flow}`, ...link };
    const back = await scene.get(
      "/api/v1/auth/callback?code=the-code&state=the-state&iss=https%3A%2F%2Fas.example&session_state=1",
      cookie,
    );
    expect([back.status, back.headers.location]).toEqual([
      303,
      "../../../connect?provider=books&connection=api&tenant=acme&done=connected",
    ]);
    expect(back.headers).toMatchObject({ "referrer-policy": "no-referrer", "cache-control": "no-store" });
    expect(back.headers["set-cookie"]).toEqual([
      `${flow.split("=")[0]}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`,
    ]);
    const start = scene.script.asked[0]?.given as { browser: string };
    expect(seen).toEqual([
      {
        ...{ state: "the-state", code: "the-code", issuer: "https://as.example", browser: start.browser },
        ...{ error: undefined, errorDescription: undefined },
      },
    ]);
    expect(scene.script.asked.at(-1)?.as).toMatchObject({ id: "ada", tenant: "acme" });
  });

  test("keeps flows of several tabs apart, and forgets the oldest of very many", async () => {
    await using scene = await openScene({
      list: () => [statusOf({ form: browserForm })],
      answers: {
        startOAuth: async () => ({
          ...started,
          authorizationUrl: `https://as.example/?state=${scene.script.asked.length}`,
        }),
      },
    });
    let jar: readonly string[] = [];
    for (let round = 0; round < 14; round += 1) {
      const answer = await begin(scene, place, { cookie: [signedIn.cookie, ...jar].join("; ") });
      for (const cookie of answer.headers["set-cookie"] ?? []) {
        const [pair = ""] = cookie.split(";");
        const [name = ""] = pair.split("=");
        jar = [
          ...jar.filter((one) => !one.startsWith(`${name}=`)),
          ...(cookie.includes("Max-Age=0") ? [] : [pair]),
        ];
      }
    }
    expect(jar).toHaveLength(10);
    expect(new Set(jar.map((one) => one.split("=")[1])).size).toBe(10);
  });

  test("has somebody choose on a page that knows nothing of the code", async () => {
    const finished: FinishedOAuth = {
      ...{ kind: "pending", pending: "p", choices: [{ id: "1", label: "One" }], expiresAt: 0 },
      returnTo: "/connect?provider=books&connection=api",
    };
    await using scene = await openScene({ finish: async () => finished });
    const answer = await scene.get("/api/v1/auth/callback?code=the-code&state=s", { ...signedIn, ...link });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('action="../../../connect?provider=books&amp;connection=api"');
    expect(answer.text).toContain('href="../../../login.css"');
    expect(answer.text).not.toContain("the-code");
    // Forms of a page without any referrer come without an origin.
    expect(answer.headers["referrer-policy"]).toBe("strict-origin");
  });

  test("comes back at the path of one issuer, one level deeper", async () => {
    const seen: OAuthCallback[] = [];
    const answers: (FinishedOAuth | GatewayError)[] = [
      { ...connected, returnTo: "/connect?provider=books&connection=api" },
      {
        ...{ kind: "pending", pending: "p", choices: [{ id: "1", label: "One" }], expiresAt: 0 },
        returnTo: "/connect?provider=books&connection=api",
      },
      new GatewayError("bad_request", "No."),
    ];
    await using scene = await openScene({
      finish: async (_as, callback) => {
        seen.push(callback);
        const answer = answers[seen.length - 1];
        if (answer === undefined || answer instanceof GatewayError) throw answer;
        return answer;
      },
    });
    const get = () =>
      scene.get("/api/v1/auth/callback/0123456789abcdef0123456789abcdef?code=c&state=s", {
        ...signedIn,
        ...link,
      });
    expect((await get()).headers.location).toMatch(/^(\.\.\/){4}connect\?provider=books/);
    const choice = await get();
    expect(choice.text).toContain('action="../../../../connect?provider=books&amp;connection=api"');
    expect(choice.text).toContain('href="../../../../login.css"');
    expect((await get()).text).toContain('href="../../../../connect"');
    expect(seen.map(({ redirectPath }) => redirectPath)).toEqual(
      Array(3).fill("0123456789abcdef0123456789abcdef"),
    );
  });

  test("goes to no other site, whatever the flow says", async () => {
    await using scene = await openScene({
      finish: async () => ({ ...connected, returnTo: "//evil.example/connect" }),
    });
    const answer = await scene.get("/api/v1/auth/callback?code=c&state=s", { ...signedIn, ...link });
    expect(answer.headers.location).toBe("../../../connect?done=connected");
  });

  test("says on a page why it came to nothing", async () => {
    await using scene = await openScene({
      finish: async () => {
        throw new GatewayError("bad_request", "as.example answered `access_denied`.");
      },
    });
    const answer = await scene.get("/api/v1/auth/callback?error=access_denied&state=s", {
      ...signedIn,
      ...link,
    });
    expect(answer.status).toBe(400);
    expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(answer.headers["referrer-policy"]).toBe("no-referrer");
    expect(answer.text).toContain('<p role="alert">as.example answered <code>access_denied</code>.</p>');
    expect(answer.text).toContain('href="../../../connect"');
  });

  test.each([
    "code=c",
    "state=&code=c",
    "state=a&state=b&code=c",
    "state=a&code=c&code=d",
    "state=a&code=c&iss=x&iss=y",
    "",
  ])("takes no other answers: %s", async (query) => {
    await using scene = await openScene({});
    const answer = await scene.get(`/api/v1/auth/callback?${query}`, { ...signedIn, ...link });
    expect(answer.status).toBe(400);
    expect(scene.script.asked).toEqual([]);
  });

  test.each(["HEAD", "POST", "PUT"])("answers no %s", async (method) => {
    await using scene = await openScene({});
    const headers = { ...signedIn, ...own };
    expect((await scene.stage.send(method, "/api/v1/auth/callback?code=c&state=s", { headers })).status).toBe(
      405,
    );
    expect(scene.script.asked).toEqual([]);
  });
});
