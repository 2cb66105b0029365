import { createHash, randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type AuthorizationServer,
  defaultClient,
  startAuthorizationServer,
} from "../credentials/authorization-server.ts";
import { startMcpOAuthServer } from "../credentials/mcp-oauth-server.ts";
import { askApi } from "../e2e/connect-accounts.ts";
import { sessionCaller, signIn, type TestCaller } from "./callers.ts";
import { type System, startSystem } from "./system.ts";
import { sendJson, startUpstream } from "./upstream.ts";

// Mix-up (RFC 9700, section 4.4.2): a hostile authorization server sends the browser on to an honest one, and what the honest one answers
// must not get to the hostile one's token endpoint. The whole gateway, with real servers around it.

const documentUrl = "https://gateway.example/client.json";
const path = "/api/v1/auth/callback";

const open: AsyncDisposable[] = [];
/** Takes what has to be closed in the end. */
function opened<Thing extends AsyncDisposable>(thing: Thing): Thing {
  open.push(thing);
  return thing;
}

let system: System;
/** Neither names itself in answers, and clients of both are public. */
let honest: AuthorizationServer;
let hostile: AuthorizationServer;
/** One whose client is of the operator's file, and that does not name itself either. */
let plain: AuthorizationServer;
/** One that announces to name itself, under an issuer with a path. */
let naming: AuthorizationServer;
let ada: TestCaller;
let bob: TestCaller;

beforeAll(async () => {
  const quiet = { registration: "public", responseIssuer: false } as const;
  honest = opened(await startAuthorizationServer(quiet));
  hostile = opened(
    await startAuthorizationServer({
      ...{ ...quiet, clientIdMetadata: true },
      fetchDocument: async () => ({ client_id: documentUrl, redirect_uris: [`${system.url}${path}`] }),
    }),
  );
  plain = opened(await startAuthorizationServer({ responseIssuer: false }));
  naming = opened(await startAuthorizationServer({ registration: "public", issuerPath: "/Acme" }));
  const upstream = opened(await startUpstream((_seen, response) => sendJson(response, {})));
  const mcp = async (authorizationServer: AuthorizationServer, auth: object = {}) => ({
    mcp_url: opened(await startMcpOAuthServer({ authorizationServer })).url,
    connections: { default: { mode: "user", auth: { type: "mcp_oauth", ...auth } } },
  });
  const oauth2 = ({ authorizationUrl, tokenUrl }: AuthorizationServer, auth: object = {}) => ({
    surfaces: {
      rest: {
        base_url: upstream.url,
        operations: [{ name: "go", description: "Goes.", method: "GET", path: "/" }],
      },
    },
    connections: {
      default: {
        mode: "user",
        auth: {
          ...{ type: "oauth2", authorization_url: authorizationUrl, token_url: tokenUrl },
          ...{ client_id: defaultClient.id, client_secret: "${CLIENT_SECRET}", ...auth },
        },
      },
    },
  });
  const { issuer } = naming;
  const registered = { client_id: defaultClient.id, client_secret: "${CLIENT_SECRET}" };
  system = opened(
    await startSystem(
      {
        honest: await mcp(honest),
        hostile: await mcp(hostile),
        // Shares the plain path, by the client that it is.
        hostile_document: await mcp(hostile, { client_metadata_url: documentUrl }),
        plain: oauth2(plain),
        naming: await mcp(naming),
        naming_registered: await mcp(naming, registered),
        named: oauth2(naming, { issuer }),
        unnamed: oauth2(naming),
      },
      {
        server: { encryption_key: "${GATEWAY_KEY}" },
        settings: {
          auth: { provider: "local" },
          datastore: { provider: "sqlite", config: { path: "./gestalt.db" } },
          egress: { allowed_hosts: ["127.0.0.1"] },
        },
        environment: {
          GATEWAY_KEY: randomBytes(32).toString("base64"),
          CLIENT_SECRET: defaultClient.secret ?? "",
        },
      },
    ),
  );
  const administration = await system.administration();
  ada = await sessionCaller(system, administration, { name: "ada" });
  bob = await sessionCaller(system, administration, { name: "bob" });
}, 60_000);
afterAll(async () => {
  for (const each of open.reverse()) await each[Symbol.asyncDispose]();
});

let before = new Map<AuthorizationServer, number>();
beforeEach(() => {
  before = new Map([honest, hostile, plain, naming].map((server) => [server, tokenRequests(server)]));
});
afterEach(async () => {
  hostile.heal();
  for (const caller of [ada, bob])
    for (const provider of ["honest", "hostile", "plain", "naming", "named", "unnamed"])
      await askApi(system.url, caller, "DELETE", `integrations/${provider}`);
});

function tokenRequests(server: AuthorizationServer): number {
  return server.requestsTo("token").length;
}

/** How often a token endpoint was asked in this test. */
function asked(server: AuthorizationServer): number {
  return tokenRequests(server) - (before.get(server) ?? 0);
}

/** Begins an authorization: where the browser is sent. */
async function begin(caller: TestCaller, provider: string): Promise<URL> {
  const { status, body, text } = await askApi(system.url, caller, "POST", "auth/start-oauth", { provider });
  expect(status, text).toBe(200);
  return new URL(body.authorization_url);
}

/** The browser comes back. */
async function arrive(url: URL, caller: Pick<TestCaller, "headers">) {
  const response = await fetch(url, { headers: caller.headers, redirect: "manual" });
  return { status: response.status, text: await response.text() };
}

async function isConnected(caller: TestCaller, provider: string): Promise<boolean> {
  const { status, body, text } = await askApi(system.url, caller, "GET", `integrations/${provider}`);
  expect(status, text).toBe(200);
  return body.connections[0].instances.length > 0;
}

/** The same address with other parameters; `undefined` takes one away. */
function change(url: URL, parameters: Readonly<Record<string, string | undefined>>): URL {
  const changed = new URL(url);
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) changed.searchParams.delete(name);
    else changed.searchParams.set(name, value);
  }
  return changed;
}

function parameter(url: URL, name: string): string {
  return url.searchParams.get(name) ?? "";
}

describe("redirect URIs", () => {
  test.each([
    ["honest", () => honest.issuer],
    ["hostile", () => hostile.issuer],
    ["naming", () => naming.issuer],
  ])("of %s, where the gateway registered itself, belong to one issuer", async (provider, issuer) => {
    const digits = createHash("sha256").update(issuer()).digest("hex").slice(0, 32);
    expect(parameter(await begin(ada, provider), "redirect_uri")).toBe(`${system.url}${path}/${digits}`);
  });

  test.each(["plain", "named", "naming_registered", "hostile_document"])(
    "of %s are the one that somebody else wrote down",
    async (provider) => {
      expect(parameter(await begin(ada, provider), "redirect_uri")).toBe(`${system.url}${path}`);
    },
  );

  test.each(["honest", "plain", "naming_registered"])("of %s work", async (provider) => {
    const server = provider === "honest" ? honest : provider === "plain" ? plain : naming;
    const back = await server.approve((await begin(ada, provider)).href, "ada-there");
    const { status, text } = await arrive(back, ada);
    expect(status, text).toBe(303);
    expect(await isConnected(ada, provider)).toBe(true);
  });
});

/** The attacker's part: with everything that the gateway sent, on to another server, as its client there. */
async function forward(
  provider: string,
  target: AuthorizationServer,
  forged: Readonly<Record<string, string | undefined>>,
): Promise<URL> {
  const sent = await begin(ada, provider);
  const onward = change(new URL(target.authorizationUrl), {
    ...Object.fromEntries(sent.searchParams),
    ...forged,
  });
  hostile.fail("authorize", { kind: "redirect", location: onward.href, status: 302 }, 1);
  return hostile.approve(sent.href, "nobody");
}

describe("a hostile server sends the browser on to an honest one", () => {
  /** What the attacker knows of the gateway's client there, from connections of its own. */
  async function clientAt(provider: string): Promise<Record<string, string>> {
    const own = await begin(bob, provider);
    return {
      client_id: parameter(own, "client_id"),
      redirect_uri: parameter(own, "redirect_uri"),
      // To put the code into an authorization of its own later.
      code_challenge: parameter(own, "code_challenge"),
      resource: parameter(own, "resource"),
    };
  }

  test.each<readonly [string, string, string]>([
    ["registered at both", "hostile", "honest"],
    ["known to the hostile one by a document", "hostile_document", "honest"],
    ["known to the honest one by the file", "hostile", "plain"],
  ])("where the gateway is %s", async (_what, attacker, victim) => {
    const server = victim === "honest" ? honest : plain;
    const { resource, ...client } = await clientAt(victim);
    const onward = await forward(attacker, server, { ...client, ...(resource !== "" && { resource }) });
    const back = await server.approve(onward.href, "ada-there");
    expect(parameter(back, "code")).not.toBe("");
    const { status, text } = await arrive(back, ada);
    expect(status).toBe(400);
    expect(text).toContain("is not known here any more");
    // Nor later, by the right path: what was begun is over.
    const right = new URL(back);
    right.pathname = new URL(parameter(await begin(ada, attacker), "redirect_uri")).pathname;
    expect((await arrive(right, ada)).status).toBe(400);
    expect([asked(hostile), asked(server)]).toEqual([0, 0]);
    expect(await isConnected(ada, attacker)).toBe(false);
    expect(JSON.stringify(hostile.requests)).not.toContain(parameter(back, "code"));
  });

  test("with its own redirect URI, which the honest one does not know", async () => {
    const { client_id } = await clientAt("honest");
    const onward = await forward("hostile", honest, { client_id });
    await expect(honest.approve(onward.href, "ada-there")).rejects.toThrow("Wrong redirect_uri");
    expect(asked(hostile)).toBe(0);
  });

  test.each([
    ["made up", () => randomBytes(32).toString("base64url")],
    ["of the attacker's own authorization", async () => parameter(await begin(bob, "honest"), "state")],
    ["left out", () => undefined],
  ])("with a state that is %s", async (_what, state) => {
    const client = await clientAt("honest");
    const onward = await forward("hostile", honest, { ...client, state: await state() });
    const back = await honest.approve(onward.href, "ada-there");
    expect((await arrive(back, ada)).status).toBe(400);
    expect([asked(hostile), asked(honest)]).toEqual([0, 0]);
  });

  test("and a code that somebody got hold of all the same is of no use in another authorization", async () => {
    const own = await begin(ada, "honest");
    const stolen = parameter(await honest.approve(own.href, "ada-there"), "code");
    const back = await honest.approve((await begin(bob, "honest")).href, "bob-there");
    const { status } = await arrive(change(back, { code: stolen }), bob);
    expect(status).toBe(400);
    expect(await isConnected(bob, "honest")).toBe(false);
    expect(asked(hostile)).toBe(0);
  });
});

describe("an answer at another path than its own", () => {
  test.each<readonly [string, string, (right: string) => string]>([
    ["the shared one", "honest", () => path],
    [
      "that of another issuer",
      "honest",
      () => `${path}/${createHash("sha256").update(hostile.issuer).digest("hex").slice(0, 32)}`,
    ],
    ["that of an unknown issuer", "honest", () => `${path}/0123456789abcdef0123456789abcdef`],
    [
      "that of an issuer, for a client of the file",
      "plain",
      () => `${path}/${createHash("sha256").update(plain.issuer).digest("hex").slice(0, 32)}`,
    ],
  ])("%s, ends the authorization", async (_what, provider, at) => {
    const server = provider === "honest" ? honest : plain;
    const back = await server.approve((await begin(ada, provider)).href, "ada-there");
    const wrong = new URL(back);
    wrong.pathname = at(back.pathname);
    const { status, text } = await arrive(wrong, ada);
    expect(status).toBe(400);
    expect(text).toContain("is not known here any more");
    expect(text).not.toContain(parameter(back, "code"));
    expect((await arrive(back, ada)).status).toBe(400);
    expect(asked(server)).toBe(0);
    expect(await isConnected(ada, provider)).toBe(false);
  });

  test.each<readonly [string, (right: string) => string]>([
    ["with a capital", (right) => right.replace(/.$/, "F")],
    ["longer", (right) => `${right}0`],
    ["shorter", (right) => right.slice(0, -1)],
    ["with a slash at the end", (right) => `${right}/`],
    ["with one more segment", (right) => `${right}/x`],
    ["escaped", (right) => right.replace(/.$/, (digit) => `%${digit.charCodeAt(0).toString(16)}`)],
    ["empty", () => `${path}/`],
  ])("%s, is no callback, and takes nothing away", async (_what, at) => {
    const back = await honest.approve((await begin(ada, "honest")).href, "ada-there");
    const wrong = new URL(back);
    wrong.pathname = at(back.pathname);
    const { status, text } = await arrive(wrong, ada);
    // The HTTP API answers, which has no such route.
    expect(status).toBe(400);
    expect(text).toContain("This route takes nothing from the query.");
    expect(asked(honest)).toBe(0);
    expect((await arrive(back, ada)).status).toBe(303);
  });
});

describe("the issuer in an answer (RFC 9207)", () => {
  const evil = "https://evil.example";
  const spelt: readonly (readonly [string, (issuer: string) => string])[] = [
    ["is another's", () => evil],
    ["is empty", () => ""],
    ["has a slash more", (issuer) => `${issuer}/`],
    ["has its path in small letters", (issuer) => issuer.replace("/Acme", "/acme")],
    ["has its scheme in capitals", (issuer) => issuer.replace("http:", "HTTP:")],
    ["has its path escaped", (issuer) => issuer.replace("/Acme", "/%41cme")],
    ["has a detour in its path", (issuer) => issuer.replace("/Acme", "/x/../Acme")],
    ["has no path", (issuer) => new URL(issuer).origin],
    ["has a query", (issuer) => `${issuer}?`],
    ["has a space before", (issuer) => ` ${issuer}`],
    ["has a NUL behind", (issuer) => `${issuer}\0`],
    ["names another host for the same address", (issuer) => issuer.replace("127.0.0.1", "127.1")],
  ];

  describe.each(["naming", "naming_registered", "named"])("of %s", (provider) => {
    test.each(spelt)("%s: it is not believed", async (_what, spell) => {
      const back = await naming.approve((await begin(ada, provider)).href, "ada-there");
      const { status, text } = await arrive(change(back, { iss: spell(naming.issuer) }), ada);
      expect(status).toBe(400);
      expect(text).toContain("comes from another authorization server");
      expect(text).not.toContain(parameter(back, "code"));
      // Used up: the right one comes too late.
      expect((await arrive(back, ada)).status).toBe(400);
      expect(asked(naming)).toBe(0);
    });

    test("is missing: it is not believed", async () => {
      const back = await naming.approve((await begin(ada, provider)).href, "ada-there");
      const { status, text } = await arrive(change(back, { iss: undefined }), ada);
      expect(status).toBe(400);
      expect(text).toContain("does not say which authorization server");
      expect(asked(naming)).toBe(0);
    });

    test("is there twice: it is no answer, and takes nothing away", async () => {
      const back = await naming.approve((await begin(ada, provider)).href, "ada-there");
      const twice = new URL(back);
      twice.searchParams.append("iss", naming.issuer);
      expect((await arrive(twice, ada)).status).toBe(400);
      expect(asked(naming)).toBe(0);
      expect((await arrive(back, ada)).status).toBe(303);
    });

    test("of a refusal is looked at before the refusal is believed", async () => {
      const back = await naming.deny((await begin(ada, provider)).href);
      const { text } = await arrive(change(back, { iss: evil }), ada);
      expect(text).toContain("comes from another authorization server");
      expect(text).not.toContain("access_denied");
      const again = await naming.deny((await begin(ada, provider)).href);
      expect((await arrive(again, ada)).text).toContain("access_denied");
    });
  });

  test("comes unexpected, and is right", async () => {
    const back = await honest.approve((await begin(ada, "honest")).href, "ada-there");
    expect((await arrive(change(back, { iss: honest.issuer }), ada)).status).toBe(303);
  });

  test.each(spelt.filter(([what]) => !/path/.test(what)))(
    "comes unexpected, and %s: it is not believed",
    async (_what, spell) => {
      const back = await honest.approve((await begin(ada, "honest")).href, "ada-there");
      expect((await arrive(change(back, { iss: spell(honest.issuer) }), ada)).status).toBe(400);
      expect(asked(honest)).toBe(0);
    },
  );

  test("tells nothing where the file names none", async () => {
    for (const iss of [naming.issuer, undefined]) {
      const back = await naming.approve((await begin(ada, "unnamed")).href, "ada-there");
      expect((await arrive(change(back, { iss }), ada)).status).toBe(303);
    }
  });
});

describe("answers of two authorizations", () => {
  test("of two people, with their codes swapped, connect nobody", async () => {
    const [forAda, forBob] = await Promise.all([begin(ada, "honest"), begin(bob, "honest")]);
    const adas = await honest.approve(forAda.href, "ada-there");
    const bobs = await honest.approve(forBob.href, "bob-there");
    const answers = await Promise.all([
      arrive(change(adas, { code: parameter(bobs, "code") }), ada),
      arrive(change(bobs, { code: parameter(adas, "code") }), bob),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
    expect(await isConnected(ada, "honest")).toBe(false);
    expect(await isConnected(bob, "honest")).toBe(false);
  });

  test("of two people, each brought by the other, connect nobody and take nothing away", async () => {
    const adas = await honest.approve((await begin(ada, "honest")).href, "ada-there");
    const bobs = await honest.approve((await begin(bob, "honest")).href, "bob-there");
    expect((await arrive(adas, bob)).status).toBe(400);
    expect((await arrive(bobs, ada)).status).toBe(400);
    expect(asked(honest)).toBe(0);
    expect((await arrive(adas, ada)).status).toBe(303);
    expect((await arrive(bobs, bob)).status).toBe(303);
  });

  test("of one person at two servers, with everything swapped but the path, go to neither", async () => {
    const first = await honest.approve((await begin(ada, "honest")).href, "ada-there");
    const second = await hostile.approve((await begin(ada, "hostile")).href, "ada-elsewhere");
    const [one, two] = [new URL(first), new URL(second)];
    one.search = second.search;
    two.search = first.search;
    expect((await arrive(one, ada)).status).toBe(400);
    expect((await arrive(two, ada)).status).toBe(400);
    expect([asked(honest), asked(hostile)]).toEqual([0, 0]);
  });
});

describe("a callback", () => {
  test("works once", async () => {
    const back = await honest.approve((await begin(ada, "honest")).href, "ada-there");
    expect((await arrive(back, ada)).status).toBe(303);
    const again = await Promise.all(Array.from({ length: 4 }, () => arrive(back, ada)));
    expect(again.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
    expect([asked(honest), honest.reuses()]).toEqual([1, 0]);
    expect(await isConnected(ada, "honest")).toBe(true);
  });

  test("works once, of many at the same time", async () => {
    const back = await honest.approve((await begin(ada, "honest")).href, "ada-there");
    const all = await Promise.all(Array.from({ length: 8 }, () => arrive(back, ada)));
    expect(all.map(({ status }) => status).sort()).toEqual([303, ...Array(7).fill(400)]);
    expect([asked(honest), honest.reuses()]).toEqual([1, 0]);
  });

  test("without a session leads to nothing, and takes nothing away", async () => {
    const back = await honest.approve((await begin(ada, "honest")).href, "ada-there");
    const { status, text } = await arrive(back, { headers: {} });
    expect(status).toBe(401);
    expect(text).toContain("You are not signed in");
    expect((await arrive(back, { headers: { cookie: `${ada.headers["cookie"]}x` } })).status).toBe(401);
    expect(asked(honest)).toBe(0);
    expect((await arrive(back, ada)).status).toBe(303);
  });

  test("in another session of the same person leads to nothing", async () => {
    const back = await honest.approve((await begin(ada, "honest")).href, "ada-there");
    const other = { headers: { cookie: await signIn(system.url, "ada") } };
    expect((await arrive(back, other)).status).toBe(400);
    expect((await arrive(back, ada)).status).toBe(400);
    expect(asked(honest)).toBe(0);
    expect(await isConnected(ada, "honest")).toBe(false);
  });
});

test("no code stands in a log", () => {
  const codes = [honest, hostile, plain, naming].flatMap((server) =>
    server.requestsTo("token").map(({ parameters }) => parameters["code"] ?? "no code"),
  );
  expect(codes.length).toBeGreaterThan(0);
  const log = system.log.join("\n");
  for (const code of codes) expect(log).not.toContain(code);
});
