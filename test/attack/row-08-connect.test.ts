import { describe, expect, onTestFinished, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import type { Identity } from "../../src/identity/identity.ts";
import type { OAuthCallback } from "../../src/model/connections.ts";
import { type AuthorizationServer, startAuthorizationServer } from "../credentials/authorization-server.ts";
import { bearer, connection, createHarness, type Harness, oauth2 } from "../credentials/flows/harness.ts";
import { principalOf } from "../principals.ts";
import { connected, instanceOf, scriptConnections, statusOf } from "../server/scripted-connections.ts";
import { type Answer, openStage, type Stage } from "../server/stage.ts";

// Confused deputies: whoever can make a browser finish what somebody else began would connect the wrong account. The routes and pages
// of a real server, over the real flows and a real authorization server; only who is signed in is made up.

const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
const own = { "sec-fetch-site": "same-origin" };
const place = "/connect?provider=crm&connection=default";

/** A browser in which somebody is signed in, in a session of its own. */
class Browser {
  readonly #stage: Stage;
  readonly jar = new Map<string, string>();

  constructor(stage: Stage, user: string | undefined, session = "1") {
    this.#stage = stage;
    if (user !== undefined) this.jar.set("__Host-gateway-session", `${user}.${session}`);
  }

  async send(method: string, path: string, headers: object, body?: string): Promise<Answer> {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await this.#stage.send(method, path, {
      headers: { ...headers, ...(cookie !== "" && { cookie }) },
      body,
    });
    for (const text of answer.headers["set-cookie"] ?? []) {
      const [name = "", value = ""] = text.split(";", 1)[0]?.split("=") ?? [];
      if (text.includes("Max-Age=0")) this.jar.delete(name);
      else this.jar.set(name, value);
    }
    return answer;
  }

  submit(path: string, fields: Readonly<Record<string, string>>, headers: object = own): Promise<Answer> {
    const type = { "content-type": "application/x-www-form-urlencoded" };
    return this.send("POST", path, { ...type, ...headers }, String(new URLSearchParams(fields)));
  }

  /** Begins on the page; the address that its link leads to. */
  async begin(): Promise<string> {
    const { text, status } = await this.submit(place, { action: "connect" });
    expect(status, text).toBe(200);
    const [, href = ""] = /<a class="button" href="([^"]*)"/.exec(text) ?? [];
    return href.replaceAll("&amp;", "&");
  }

  /** Comes back from the authorization server. */
  back(url: URL, headers: object = link): Promise<Answer> {
    return this.send("GET", url.pathname + url.search, headers);
  }
}

interface Scene {
  readonly stage: Stage;
  readonly harness: Harness;
  readonly upstream: AuthorizationServer;
  browser(user: string | undefined, session?: string): Browser;
  /** Whose access token is stored for somebody. */
  holds(user: string): Promise<string | undefined>;
}

async function openScene(): Promise<Scene> {
  const upstream = await startAuthorizationServer();
  const harness = await createHarness([
    connection(oauth2(upstream)),
    connection(bearer(), { name: "key", displayName: "Key" }),
  ]);
  // A session is `USER.NUMBER`.
  const authenticate: Identity["authenticate"] = async (presented, actFor) => {
    if (presented.kind !== "session" || actFor !== undefined)
      throw new GatewayError("unauthenticated", "Authentication is required.");
    const [user = "", session = ""] = presented.token.reveal().split(".");
    return principalOf("user", user, "acme", { credential: { kind: "session", id: `${user}-${session}` } });
  };
  const { connections, finishOAuth } = harness.connecting;
  const stage = await openStage({ identity: { authenticate }, connections: { connections, finishOAuth } });
  harness.baseUrl = stage.server.url;
  onTestFinished(async () => {
    await stage[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });
  return {
    ...{ stage, harness, upstream },
    browser: (user, session) => new Browser(stage, user, session),
    holds: async (user) => {
      const token = await harness.secretOf(principalOf("user", user, "acme"));
      return token === undefined ? undefined : upstream.userOf(token);
    },
  };
}

describe("what somebody began", () => {
  test("is finished by them, and by nobody who has only the address of the authorization", async () => {
    const scene = await openScene();
    const mallory = scene.browser("mallory");
    const ada = scene.browser("ada");
    // Ada is made to open an address that mallory began, and allows it with her own account there.
    const back = await scene.upstream.approve(await mallory.begin(), "ada-there");
    const answer = await ada.back(back);
    expect(answer.status).toBe(400);
    expect(await scene.holds("ada")).toBeUndefined();
    expect(await scene.holds("mallory")).toBeUndefined();

    const fine = await ada.back(await scene.upstream.approve(await ada.begin(), "ada-there"));
    expect([fine.status, fine.headers.location]).toEqual([
      303,
      "../../../connect?provider=crm&connection=default&done=connected",
    ]);
    expect(await scene.holds("ada")).toBe("ada-there");
    expect(await scene.holds("mallory")).toBeUndefined();
  });

  test("is not finished with somebody else's callback (login CSRF), nor by whoever catches it", async () => {
    const scene = await openScene();
    const ada = scene.browser("ada");
    const mallory = scene.browser("mallory");
    const caught = await scene.upstream.approve(await ada.begin(), "ada-there");
    expect((await mallory.back(caught)).status).toBe(400);
    expect(await scene.holds("mallory")).toBeUndefined();
    // Mallory's failure has taken nothing away from her.
    expect((await ada.back(caught)).status).toBe(303);
    expect(await scene.holds("ada")).toBe("ada-there");
  });

  test.each<readonly [string, (scene: Scene, ada: Browser) => Browser]>([
    ["in another session of the same user", (scene) => scene.browser("ada", "2")],
    [
      "in another browser with a stolen session cookie",
      (scene, ada) => {
        const thief = scene.browser(undefined);
        thief.jar.set("__Host-gateway-session", ada.jar.get("__Host-gateway-session") ?? "");
        return thief;
      },
    ],
    [
      "with the session of somebody else and the flow's cookie",
      (scene, ada) => {
        const thief = scene.browser("mallory");
        for (const [name, value] of ada.jar) if (name.includes("flow")) thief.jar.set(name, value);
        return thief;
      },
    ],
  ])("is not finished %s", async (_name, other) => {
    const scene = await openScene();
    const ada = scene.browser("ada");
    const back = await scene.upstream.approve(await ada.begin(), "ada-there");
    const answer = await other(scene, ada).back(back);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('<p role="alert">');
    expect(await scene.holds("ada")).toBeUndefined();
    expect(scene.upstream.requestsTo("token")).toEqual([]);
  });

  test("is not finished without a session; the page says what to do, and the code stays unused", async () => {
    const scene = await openScene();
    const ada = scene.browser("ada");
    const back = await scene.upstream.approve(await ada.begin(), "ada-there");
    const answer = await scene.browser(undefined).back(back);
    expect(answer.status).toBe(401);
    expect(answer.text).toContain("You are not signed in in this browser");
    expect(answer.text).not.toContain(back.searchParams.get("code"));
    expect(scene.upstream.requestsTo("token")).toEqual([]);
    expect((await ada.back(back)).status).toBe(303);
  });

  test("is finished once: a callback that comes again does nothing", async () => {
    const scene = await openScene();
    const ada = scene.browser("ada");
    const cookies = new Map(ada.jar);
    const address = await ada.begin();
    const flow = new Map(ada.jar);
    const back = await scene.upstream.approve(address, "ada-there");
    expect((await ada.back(back)).status).toBe(303);
    expect(ada.jar).toEqual(cookies);
    for (let round = 0; round < 3; round += 1) {
      // As a page that is loaded again, with the cookie that it had then.
      for (const [name, value] of flow) ada.jar.set(name, value);
      expect((await ada.back(back)).status).toBe(400);
    }
    expect(scene.upstream.requestsTo("token")).toHaveLength(1);
    expect(scene.upstream.reuses()).toBe(0);
    expect(await scene.holds("ada")).toBe("ada-there");
  });

  test("is not finished with a code of another flow (code injection)", async () => {
    const scene = await openScene();
    const ada = scene.browser("ada");
    const mallory = scene.browser("mallory");
    const stolen = await scene.upstream.approve(await ada.begin(), "ada-there");
    const swapped = await scene.upstream.approve(await mallory.begin(), "mallory-there");
    swapped.searchParams.set("code", stolen.searchParams.get("code") ?? "");
    expect((await mallory.back(swapped)).status).toBeGreaterThanOrEqual(400);
    expect(await scene.holds("mallory")).toBeUndefined();
  });

  test("is not finished with the answer of another server (mix-up)", async () => {
    const scene = await openScene();
    const ada = scene.browser("ada");
    for (const issuer of ["https://evil.example", `${scene.upstream.issuer}/`, ""]) {
      const back = await scene.upstream.approve(await ada.begin(), "ada-there");
      back.searchParams.set("iss", issuer);
      expect((await ada.back(back)).status).toBeGreaterThanOrEqual(400);
    }
    expect(scene.upstream.requestsTo("token")).toEqual([]);
  });

  test.each([
    { ...link, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
    { ...link, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
    { ...link, "sec-fetch-dest": "iframe" },
    { origin: "https://evil.example" },
    { origin: "null" },
  ])("is not finished behind somebody's back: %j", async (headers) => {
    const scene = await openScene();
    const ada = scene.browser("ada");
    const back = await scene.upstream.approve(await ada.begin(), "ada-there");
    expect((await ada.back(back, headers)).status).toBe(403);
    expect(await scene.holds("ada")).toBeUndefined();
    expect(scene.upstream.requestsTo("token")).toEqual([]);
  });

  test("can be several things at once, each for itself", async () => {
    const scene = await openScene();
    const ada = scene.browser("ada");
    const addresses = [await ada.begin(), await ada.begin(), await ada.begin()];
    const backs: URL[] = [];
    for (const [index, address] of addresses.entries())
      backs.push(await scene.upstream.approve(address, `there-${index}`));
    for (const back of backs.toReversed()) expect((await ada.back(back)).status).toBe(303);
    expect(await scene.holds("ada")).toBe("there-0");
    expect([...ada.jar.keys()]).toEqual(["__Host-gateway-session"]);
  });

  test("ends where somebody declines, without a word of what the other side wrote", async () => {
    const scene = await openScene();
    const ada = scene.browser("ada");
    const back = await scene.upstream.deny(await ada.begin());
    back.searchParams.set("error_description", "<img src=x onerror=alert(1)> call https://evil.example");
    const answer = await ada.back(back);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("access_denied");
    expect(answer.text).not.toMatch(/<img|evil\.example/);
    back.searchParams.set("error", "<script>alert(1)</script>");
    expect((await ada.back(back)).text).not.toContain("<script");
  });

  test("leaves neither code nor state nor secret in pages, in logs, or in the addresses of the next page", async () => {
    const scene = await openScene();
    const ada = scene.browser("ada");
    const back = await scene.upstream.approve(await ada.begin(), "ada-there");
    const answer = await ada.back(back);
    const secrets = [back.searchParams.get("code"), back.searchParams.get("state")];
    scene.upstream.fail("token", { kind: "status", status: 500 });
    const failing = await scene.upstream.approve(await ada.begin(), "ada-there");
    const failed = await ada.back(failing);
    expect(failed.status).toBe(502);
    secrets.push(failing.searchParams.get("code"), failing.searchParams.get("state"));
    const told = JSON.stringify([
      ...[answer.text, answer.headers.location, failed.text, failed.headers, scene.stage.log],
      ...scene.harness.log,
    ]);
    for (const secret of secrets) {
      expect(secret).toBeTruthy();
      expect(told).not.toContain(secret);
    }
    for (const { headers } of [answer, failed])
      expect(headers).toMatchObject({ "referrer-policy": "no-referrer", "cache-control": "no-store" });
  });
});

describe("forms and routes that change something", () => {
  const json = { "content-type": "application/json" };
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const fields = "action=connect&field.token=mallorys-token";
  const targets: readonly (readonly [string, string, object, string])[] = [
    ["POST", "/connect?provider=crm&connection=key", form, fields],
    ["POST", "/connect?provider=crm&connection=default", form, "action=connect"],
    ["POST", "/connect?provider=crm&connection=key", form, "action=disconnect&instance=default"],
    ["POST", "/connect?provider=crm", form, "action=choose&pending=p&choice=1"],
    ["POST", "/api/v1/auth/start-oauth", json, '{"provider":"crm","connection":"default"}'],
    [
      ...(["POST", "/api/v1/auth/connect-manual", json] as const),
      '{"provider":"crm","connection":"key","fields":{"token":"mallorys-token"}}',
    ],
    ["POST", "/api/v1/auth/pending-connection", json, '{"pending":"p","choice":"1"}'],
    ["DELETE", "/api/v1/integrations/crm?_connection=key", {}, ""],
  ];
  const foreign: readonly object[] = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://127.0.0.1:1" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { ...link },
    { origin: "https://evil.example", "sec-fetch-site": "same-origin" },
  ];

  test.each(targets)("are refused to other pages: %s %s %j %s", async (method, path, type, body) => {
    const script = scriptConnections({
      list: () => [statusOf({ provider: "crm", connection: "key" })],
      answers: {
        connectManual: async () => connected,
        startOAuth: async () => connected,
        select: async () => connected,
      },
    });
    await using stage = await openStage({ connections: script.parts, identity: {} });
    const browser = new Browser(stage, undefined);
    browser.jar.set("__Host-gateway-session", "ada".padEnd(43, "s"));
    for (const headers of foreign) {
      const answer = await browser.send(method, path, { ...type, ...headers }, body);
      expect([headers, answer.status]).toEqual([headers, 403]);
    }
    if (path.startsWith("/connect")) {
      // A browser always says where a form was filled in.
      expect((await browser.send(method, path, type, body)).status).toBe(403);
      for (const other of ["text/plain", "multipart/form-data; boundary=a", "application/json"])
        expect((await browser.send(method, path, { ...own, "content-type": other }, body)).status).toBe(400);
    } else if (method === "POST") {
      for (const other of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
      ])
        expect((await browser.send(method, path, { "content-type": other }, body)).status).toBe(400);
    }
    expect(script.asked).toEqual([]);
  });

  test("store nothing for whom a link was made", async () => {
    const scene = await openScene();
    const ada = scene.browser("ada");
    for (const path of [
      `${place}&action=connect`,
      `${place}&done=connected`,
      "/connect?provider=crm&connection=key&field.token=x",
    ])
      expect([200, 400]).toContain((await ada.send("GET", path, link)).status);
    expect(await scene.holds("ada")).toBeUndefined();
  });
});

test.each(["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf", "isPrototypeOf"])(
  "a link whose words are members of every object says nothing, and breaks nothing: %s",
  async (name) => {
    const { browser } = await openScene();
    const ada = browser("ada");
    const plain = await ada.send("GET", place, link);
    const answer = await ada.send("GET", `${place}&done=${name}`, link);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).toBe(plain.text);
    for (const path of [`/connect?provider=${name}`, `/connect?provider=crm&connection=${name}`])
      expect((await ada.send("GET", path, link)).status).toBe(404);
    expect((await ada.submit(place, { action: name })).status).toBe(400);
  },
);

/** Texts that do something where they are taken for markup, attributes, headers or scripts. */
const hostile = [
  `<script>alert(1)</script>`,
  `"><img src=x onerror=alert(1)>`,
  `' autofocus onfocus='alert(1)`,
  `</main></body><iframe srcdoc="<script>alert(1)</script>">`,
  `javascript:alert(1)`,
  `<!--`,
  `]]><svg/onload=alert(1)>`,
  `&lt;script&gt;`,
  `\r\nset-cookie: a=b\r\n\r\n<script>alert(1)</script>`,
  `{{constructor.constructor('alert(1)')()}}`,
  `</title><script>alert(1)</script>`,
  `<base href="https://evil.example/">`,
  `<meta http-equiv="refresh" content="0;url=https://evil.example">`,
  `<form action="https://evil.example"><input name="field.key">`,
];

test.each(hostile)("what is hostile is text, wherever it stands: %j", async (text) => {
  const field = { name: text, label: text, description: text, secret: false, required: true, default: text };
  const status = statusOf({
    ...{ providerName: text, displayName: text, description: text, reason: text, mode: "either" },
    state: "ready",
    next: { kind: "configure", what: text },
    form: { kind: "enter", url: text, fields: [{ ...field, secret: true }, field], params: [field] },
    instances: [instanceOf({ instance: text, reason: text, scopes: [text], params: { [text]: text } })],
  });
  const choices = [{ id: text, label: text }];
  let outcome: "pending" | "fails" = "pending";
  const script = scriptConnections({
    list: () => [status],
    answers: {
      connectManual: async () => {
        if (outcome === "fails") throw new GatewayError("bad_request", text);
        return { kind: "pending", pending: text, choices, expiresAt: 0 };
      },
    },
    finish: async (_as: unknown, { code }: OAuthCallback) => {
      if (code === "fails") throw new GatewayError("bad_request", text);
      return { kind: "pending", pending: text, choices, expiresAt: 0, returnTo: text };
    },
  });
  const ada = principalOf("user", "ada", "default", { name: text });
  await using stage = await openStage({ connections: script.parts, people: [ada] });
  const browser = new Browser(stage, undefined);
  browser.jar.set("__Host-gateway-session", "ada".padEnd(43, "s"));
  const typed = { action: "connect", [`field.${text}`]: text, [`param.${text}`]: text, instance: text };
  const path = "/connect?provider=books&connection=api";
  const answers = [
    await browser.send("GET", "/connect", link),
    await browser.send("GET", path, link),
    await browser.submit(path, typed),
    await browser.send("GET", "/api/v1/auth/callback?state=s&code=c", link),
    await browser.send("GET", "/api/v1/auth/callback?state=s&code=fails", link),
    await browser.send(
      "GET",
      `/connect?${new URLSearchParams({ provider: text, connection: text, instance: text, done: text })}`,
      link,
    ),
    await browser.send("GET", `/login?${new URLSearchParams({ next: text })}`, link),
  ];
  outcome = "fails";
  answers.push(await browser.submit(path, typed));
  expect(answers.map(({ status }) => status)).toEqual([
    200,
    200,
    200,
    200,
    400,
    expect.any(Number),
    200,
    400,
  ]);
  for (const { text: page, headers } of answers) {
    // All tags and attributes that our own pages have, and nothing else.
    const tags = [...page.matchAll(/<(\/?[a-z!][a-z0-9]*)/gi)].map(([, tag]) => tag?.toLowerCase() ?? "");
    const known =
      /^\/?(html|head|meta|title|link|body|main|h1|h2|p|a|strong|span|section|ul|li|form|label|input|button|fieldset|legend|time|code)$|^!doctype$/;
    expect(tags.filter((tag) => !known.test(tag))).toEqual([]);
    expect(page).not.toMatch(/<[^>]*\son\w+\s*=\s*["'][^>]*>(?<!&#39;)/i);
    expect(page.match(/<base|<meta(?! charset| name="viewport")/gi)).toBeNull();
    for (const [, target = ""] of page.matchAll(/(?:href|action)="([^"]*)"/g))
      expect(target).toMatch(/^(?:\.\.\/\.\.\/\.\.\/)?(?:login(?:\.css)?|apps|connect(?:\?[^"]*)?)$/);
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect((headers["set-cookie"] ?? []).filter((cookie) => cookie.startsWith("a="))).toEqual([]);
  }
});
