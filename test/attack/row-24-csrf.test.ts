import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { User } from "../../src/model/administration.ts";
import { type Answer, openStage, type Stage, session, token } from "../server/stage.ts";

const ada: User = {
  id: "u1",
  name: "ada",
  displayName: undefined,
  tenant: "default",
  roles: [],
  actsFor: [],
  disabled: false,
  createdAt: "2026-01-01T00:00:00Z",
  lastUsedAt: undefined,
};
const administration = {
  updateUser: async () => ada,
  removeUser: async () => {},
  revokeSession: async () => {},
};

let stage: Stage;
/** A gateway that is known by a public name. */
let published: Stage;
beforeAll(async () => {
  stage = await openStage({ administration });
  published = await openStage({
    administration,
    baseUrl: "https://gw.example.com/path",
    allowedHosts: ["gw.example.com", "two.example.com"],
  });
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await published[Symbol.asyncDispose]();
});

/** With what each method is tried; each succeeds for who may send it. */
const requests: readonly (readonly [method: string, path: string, body: string | undefined])[] = [
  ["GET", "/api/v1/auth/session", undefined],
  ["GET", "/api/v1/books/find", undefined],
  ["POST", "/api/v1/books/add", "{}"],
  ["PATCH", "/api/v1/users/ada", "{}"],
  ["DELETE", "/api/v1/users/ada", undefined],
];
const credentials = {
  cookie: { cookie: `__Host-gateway-session=${session("ada")}` },
  bearer: { authorization: `Bearer ${token("ada")}` },
};

type Headers = Readonly<Record<string, string | readonly string[]>>;

async function tryAll(on: Stage, headers: Headers): Promise<readonly boolean[]> {
  const open: boolean[] = [];
  for (const [method, path, body] of requests) {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const answer = await on.send(method, path, { headers: { ...json, ...headers }, body });
    expect([200, 204, 403]).toContain(answer.status);
    if (answer.status === 403) expect(answer.headers["gateway-error"]).toBe("forbidden");
    open.push(answer.status !== 403);
  }
  return open;
}

const all = requests.map(() => true);
const none = requests.map(() => false);

/** What may stand in `Origin`, and whether it is the gateway's own; `PORT` is its port. */
const origins: readonly (readonly [string | undefined, "absent" | "own" | "near" | "foreign"])[] = [
  [undefined, "absent"],
  ["http://127.0.0.1:PORT", "own"],
  ["https://127.0.0.1:PORT", "own"],
  ["http://127.0.0.1", "near"],
  ["http://127.0.0.1:1", "near"],
  ["http://localhost:PORT", "near"],
  ["http://[::1]:PORT", "near"],
  ["HTTP://127.0.0.1:PORT", "near"],
  ["http://evil.example", "foreign"],
  ["http://evil.example:PORT", "foreign"],
  ["http://127.0.0.1:PORT.evil.example", "foreign"],
  ["http://127.0.0.1:PORT/", "foreign"],
  ["http://user@127.0.0.1:PORT", "foreign"],
  ["null", "foreign"],
  ["", "foreign"],
  ["http://127.0.0.1:PORT, http://evil.example", "foreign"],
];
const sites: readonly (readonly [string | undefined, boolean])[] = [
  [undefined, true],
  ["same-origin", true],
  ["none", true],
  ["same-site", false],
  ["cross-site", false],
  ["SAME-ORIGIN", false],
  ["same-origin, same-origin", false],
  ["same-origin; a", false],
  ["", false],
];
const matrix = origins.flatMap(([origin, whose]) =>
  sites.map(([site, isOwnSite]) => ({ origin, whose, site, isOwnSite })),
);

test("there are enough forms", () => {
  expect(matrix.length * requests.length).toBeGreaterThan(500);
});

describe("Origin and Sec-Fetch-Site", () => {
  test.each(matrix)("$origin, $site", async ({ origin, whose, site, isOwnSite }) => {
    const port = new URL(stage.server.url).port;
    const headers = {
      ...(origin !== undefined && { origin: origin.replaceAll("PORT", port) }),
      ...(site !== undefined && { "sec-fetch-site": site }),
    };
    const byCookie = (whose === "absent" || whose === "own") && isOwnSite;
    expect(await tryAll(stage, { ...headers, ...credentials.cookie })).toEqual(byCookie ? all : none);
    // Nobody else's page can put a token into a request; what the gateway refuses to everybody it refuses here too.
    const byToken = whose === "absent" ? site !== "cross-site" : whose !== "foreign";
    expect(await tryAll(stage, { ...headers, ...credentials.bearer })).toEqual(byToken ? all : none);
  });

  test("a link from elsewhere leads to pages, and to nothing else", async () => {
    const link = {
      ...credentials.cookie,
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    };
    expect(await tryAll(stage, link)).toEqual(none);
    for (const path of ["/", "/login"]) {
      expect((await stage.send("GET", path, { headers: link })).status).toBe(200);
      for (const other of [
        { "sec-fetch-dest": "iframe" },
        { "sec-fetch-dest": "image" },
        { "sec-fetch-mode": "cors" },
        { "sec-fetch-mode": "no-cors" },
        { origin: "https://evil.example" },
      ])
        expect((await stage.send("GET", path, { headers: { ...link, ...other } })).status).toBe(403);
    }
    expect((await stage.send("POST", "/logout", { headers: link })).status).toBe(403);
    expect(stage.ended).toEqual([]);
  });
});

describe("behind a public name", () => {
  test.each<readonly [string, string, boolean]>([
    ["gw.example.com", "https://gw.example.com", true],
    ["gw.example.com:443", "https://gw.example.com", true],
    ["GW.example.com", "https://gw.example.com", true],
    ["gw.example.com", "http://gw.example.com", false],
    ["gw.example.com:80", "http://gw.example.com", false],
    ["gw.example.com", "https://gw.example.com:8443", false],
    ["gw.example.com", "https://two.example.com", false],
    ["gw.example.com", "https://gw.example.com/path", false],
    ["two.example.com", "https://two.example.com", true],
    ["two.example.com", "http://two.example.com", false],
    ["two.example.com:8443", "https://two.example.com:8443", true],
    // A proxy that does not pass the name on.
    ["127.0.0.1:8080", "https://gw.example.com", true],
    ["127.0.0.1:8080", "http://127.0.0.1:8080", true],
    ["localhost:8080", "http://localhost:8080", true],
    ["localhost:8080", "http://localhost:3000", false],
    ["localhost:99999", "http://localhost:99999", false],
    ["127.0.0.1:8080", "http://gw.example.com", false],
  ])("Host %s, Origin %s: %s", async (host, origin, isOpen) => {
    expect(await tryAll(published, { host, origin, ...credentials.cookie })).toEqual(isOpen ? all : none);
  });
});

describe("where nobody signs in", () => {
  test.each<readonly [string, Headers, boolean]>([
    ["a program", {}, true],
    ["the own page", { origin: "http://127.0.0.1:1", "sec-fetch-site": "same-origin" }, true],
    ["another port", { origin: "http://127.0.0.1:1", "sec-fetch-site": "same-site" }, false],
    ["another port of an old browser", { origin: "http://localhost:1" }, false],
  ])("a call without a body by %s", async (_name, headers, isOpen) => {
    await using open = await openStage({ auth: { provider: "none" } });
    for (const type of [{}, { "content-type": "text/plain" }]) {
      const { status } = await open.send("POST", "/api/v1/books/add", { headers: { ...headers, ...type } });
      expect(status).toBe(isOpen ? 200 : 400);
    }
    // Browsers ask before they send this type elsewhere, and are told nothing that lets them.
    const json = { ...headers, "content-type": "application/json" };
    expect((await open.send("POST", "/api/v1/books/add", { headers: json })).status).toBe(200);
    expect(open.calls).toHaveLength(isOpen ? 3 : 1);
  });
});

describe("nobody is signed in or out by another page", () => {
  const json = JSON.stringify({ name: "ada", password: "correct horse" });
  const form = "name=ada&password=correct+horse";
  const port = (): string => new URL(stage.server.url).port;
  const login = (headers: Headers): Promise<Answer> =>
    stage.send("POST", "/api/v1/auth/login", {
      headers: { "content-type": "application/json", ...headers },
      body: json,
    });
  const post = (path: string, headers: Headers): Promise<Answer> =>
    stage.send("POST", path, {
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: path === "/login" ? form : "",
    });

  test.each<readonly [string, Headers, boolean, boolean]>([
    ["a program", {}, true, false],
    ["the own page", { origin: "http://127.0.0.1:PORT", "sec-fetch-site": "same-origin" }, true, true],
    ["the own page of an old browser", { origin: "http://127.0.0.1:PORT" }, true, true],
    ["a page that tells no origin", { "sec-fetch-site": "same-origin" }, true, true],
    ["the address bar", { "sec-fetch-site": "none" }, true, false],
    ["another port", { origin: "http://127.0.0.1:1", "sec-fetch-site": "same-site" }, false, false],
    ["another port of an old browser", { origin: "http://127.0.0.1:1" }, false, false],
    ["another page", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }, false, false],
    ["another page that hides", { origin: "null" }, false, false],
    ["another page without Origin", { "sec-fetch-site": "cross-site" }, false, false],
    ["a contradiction", { origin: "http://127.0.0.1:PORT", "sec-fetch-site": "cross-site" }, false, false],
  ])("%s", async (_name, given, byApi, byForm) => {
    const headers = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, String(value).replace("PORT", port())]),
    );
    expect((await login(headers)).status).toBe(byApi ? 200 : 403);
    expect((await post("/login", headers)).status).toBe(byForm ? 303 : 403);
    const before = stage.ended.length;
    const out = await post("/logout", { ...headers, ...credentials.cookie });
    expect(out.status).toBe(byForm ? 303 : 403);
    expect(stage.ended.length - before).toBe(byForm ? 1 : 0);
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", ""])(
    "a form's content type (%j) signs nobody in and changes nothing",
    async (type) => {
      const headers = { ...credentials.cookie, "content-type": type };
      expect((await login({ "content-type": type })).status).toBe(400);
      for (const [method, path] of [
        ["POST", "/api/v1/books/add"],
        ["PATCH", "/api/v1/users/ada"],
        ["POST", "/api/v1/auth/logout"],
      ] as const) {
        expect((await stage.send(method, path, { headers, body: '{"a":1}' })).status).toBe(400);
      }
    },
  );
});
