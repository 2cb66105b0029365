import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Ask, connectTo } from "../../../src/cli/remote/http.ts";
import { createRemoteAdministration } from "../../../src/cli/remote/remote-administration.ts";
import { signIn, signOut, whoIsCalling } from "../../../src/cli/remote/sign-in.ts";
import type { Administration } from "../../../src/model/administration.ts";
import { Secret } from "../../../src/secret.ts";
import { type LoopbackGateway, startLoopbackGateway } from "./loopback-gateway.ts";

let gateway: LoopbackGateway;
let ask: Ask;
let administration: Administration;
beforeEach(async () => {
  gateway = await startLoopbackGateway();
  const credential = { kind: "token", secret: new Secret("gst_api_x") } as const;
  ask = connectTo({ url: new URL(`${gateway.url}/`), credential, tenant: "acme", howToSignIn: "Sign in." });
  administration = createRemoteAdministration(ask);
});
afterEach(() => gateway.close());

const createdAt = "2026-11-20T12:00:00.000Z";
const user = {
  id: "usr_1",
  name: "ada",
  tenant: "acme",
  roles: ["member"],
  acts_for: [],
  disabled: false,
  created_at: createdAt,
};
const token = {
  id: "tok_1",
  name: "ci",
  tenant: "acme",
  roles: ["member"],
  acts_for: "any",
  created_at: createdAt,
  hint: "gst_api_abc",
};
const session = { id: "ses_1", user: "ada", created_at: createdAt, expires_at: createdAt, current: true };
const clientId = "https://client.example.com/oauth?a=b#c";
const grant = {
  ...{ id: "gra_1", client_id: clientId, client_name: "Client", client_kind: "metadata" },
  ...{ user: "ada", scopes: ["mcp"], created_at: createdAt, expires_at: createdAt },
};
const client = {
  ...{ client_id: "reg_1", client_name: "Client", redirect_uris: ["cursor://x"] },
  ...{ created_at: createdAt, expires_at: createdAt, grants: 2 },
};
const tenant = { id: "acme", display_name: "Acme", exposure: "all", origin: "store" };
const caller = { kind: "user", id: "usr_1", name: "ada", tenant: "acme", home: "acme", roles: [] };

/** What a method asks for: route, body; and what the gateway answers to it. */
const methods: readonly (readonly [
  name: string,
  run: (through: Administration) => Promise<unknown>,
  route: string,
  body: unknown,
  answer: object | undefined,
  result: object | undefined,
])[] = [
  ["listUsers", (a) => a.listUsers(), "GET users", undefined, { users: [user] }, [{ name: "ada" }]],
  [
    "createUser",
    (a) =>
      a.createUser({
        name: "ada",
        displayName: "Ada",
        password: new Secret("secret phrase"),
        actsFor: ["x"],
      }),
    "POST users",
    { name: "ada", display_name: "Ada", password: "secret phrase", acts_for: ["x"] },
    user,
    { name: "ada", actsFor: [] },
  ],
  [
    "updateUser",
    (a) =>
      a.updateUser("ada@example.com", {
        password: new Secret("new one"),
        currentPassword: new Secret("old one"),
        roles: [],
        actsFor: "any",
        disabled: false,
      }),
    "PATCH users/ada%40example.com",
    { password: "new one", current_password: "old one", roles: [], acts_for: "any", disabled: false },
    user,
    { name: "ada" },
  ],
  ["removeUser", (a) => a.removeUser("ada"), "DELETE users/ada", undefined, undefined, undefined],
  ["listTokens", (a) => a.listTokens(), "GET tokens", undefined, { tokens: [token] }, [{ actsFor: "any" }]],
  [
    "createToken",
    (a) => a.createToken({ name: "ci", service: true, scopes: [], roles: ["r"], expiresIn: 43_200_000 }),
    "POST tokens",
    { name: "ci", service: true, scopes: [], roles: ["r"], expires_in: 43_200 },
    { ...token, token: "gst_api_secret" },
    { id: "tok_1", secret: new Secret("gst_api_secret") },
  ],
  [
    "createToken without end",
    (a) => a.createToken({ name: "ci", user: "ada", expiresIn: "never" }),
    "POST tokens",
    { name: "ci", user: "ada", expires_in: "never" },
    { ...token, token: "gst_api_secret" },
    { id: "tok_1" },
  ],
  [
    "rotateToken",
    (a) => a.rotateToken("tok_1"),
    "POST tokens/tok_1/rotate",
    {},
    { ...token, token: "gst_api_new" },
    { id: "tok_1" },
  ],
  [
    "revokeToken",
    (a) => a.revokeToken("a/b?c#d"),
    "DELETE tokens/a%2Fb%3Fc%23d",
    undefined,
    undefined,
    undefined,
  ],
  [
    "listSessions",
    (a) => a.listSessions(),
    "GET auth/sessions",
    undefined,
    { sessions: [session] },
    [{ current: true }],
  ],
  ["revokeSession", (a) => a.revokeSession("s"), "DELETE auth/sessions/s", undefined, undefined, undefined],
  [
    "listGrants",
    (a) => a.listGrants(),
    "GET auth/grants",
    undefined,
    { grants: [grant] },
    [{ clientId, clientKind: "metadata", user: "ada", lastUsedAt: undefined }],
  ],
  ["revokeGrant", (a) => a.revokeGrant("gra_1"), "DELETE auth/grants/gra_1", undefined, undefined, undefined],
  [
    "listRegistrations",
    (a) => a.listRegistrations(),
    "GET auth/clients",
    undefined,
    { clients: [client] },
    [{ clientId: "reg_1", redirectUris: ["cursor://x"], grants: 2 }],
  ],
  [
    "revokeClient",
    (a) => a.revokeClient(clientId),
    `DELETE auth/clients/${encodeURIComponent(clientId)}`,
    undefined,
    undefined,
    undefined,
  ],
  ["listTenants", (a) => a.listTenants(), "GET tenants", undefined, { tenants: [tenant] }, [{ id: "acme" }]],
  ["getTenant", (a) => a.getTenant("acme"), "GET tenants/acme", undefined, tenant, { displayName: "Acme" }],
  [
    "createTenant",
    (a) => a.createTenant({ id: "acme", exposure: { kind: "selected", providers: ["crm"], tools: [] } }),
    "POST tenants",
    { id: "acme", exposure: "selected", providers: ["crm"], tools: [] },
    tenant,
    { exposure: { kind: "all" } },
  ],
  [
    "updateTenant",
    (a) => a.updateTenant("acme", { displayName: "Acme", exposure: { kind: "all" } }),
    "PATCH tenants/acme",
    { display_name: "Acme", exposure: "all" },
    tenant,
    { origin: "store" },
  ],
  ["removeTenant", (a) => a.removeTenant("acme"), "DELETE tenants/acme", undefined, undefined, undefined],
];

describe("each method is one request", () => {
  test.each(methods)("%s", async (_name, run, route, body, answer, result) => {
    const [method, path] = route.split(" ");
    gateway.answers = {
      [`${method} /api/v1/${path}`]: answer === undefined ? { status: 204 } : { json: answer as typeof user },
    };
    const got = await run(administration);
    expect(gateway.requests).toHaveLength(1);
    const [request] = gateway.requests;
    expect(request?.body).toEqual(body);
    expect(request?.headers).toMatchObject({ authorization: "Bearer gst_api_x", "x-gateway-tenant": "acme" });
    if (method !== "GET") expect(request?.headers["content-type"]).toBe("application/json");
    if (result === undefined) expect(got).toBeUndefined();
    else expect(got).toMatchObject(result);
  });

  test("a secret that is told once is revealed by nothing but itself", async () => {
    gateway.answers = { "*": { json: { ...token, token: "gst_api_secret" } } };
    const created = await administration.createToken({ name: "ci" });
    expect(created.secret.reveal()).toBe("gst_api_secret");
    expect(JSON.stringify(created)).not.toContain("gst_api_secret");
  });
});

describe("what is no answer of a gateway", () => {
  test.each([
    ["no list", { json: { users: {} } }],
    ["a list of something else", { json: { users: [{ name: "ada" }] } }],
    ["nothing", { status: 204 }],
  ])("%s is refused", async (_what, answer) => {
    gateway.answers = { "*": answer };
    await expect(administration.listUsers()).rejects.toMatchObject({
      name: "GatewayError",
      code: "internal",
    });
  });

  test.each(["", ".", ".."])("a name that would be another route is never asked for: `%s`", async (name) => {
    await expect(administration.removeUser(name)).rejects.toMatchObject({ code: "bad_request" });
    expect(gateway.requests).toEqual([]);
  });
});

describe("signing in", () => {
  const value = "a".repeat(43);

  test("keeps the session of the cookie, and its end", async () => {
    const before = Date.now();
    gateway.answers = {
      "POST /api/v1/auth/login": {
        json: caller,
        headers: {
          "set-cookie": [
            "other=1; Path=/",
            `__Host-gateway-session=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600`,
          ],
        },
      },
    };
    const signedIn = await signIn(ask, "ada", new Secret("secret phrase"));
    expect(gateway.requests[0]?.body).toEqual({ name: "ada", password: "secret phrase" });
    expect(signedIn.session.reveal()).toBe(value);
    expect(signedIn.caller).toMatchObject({ name: "ada", tenant: "acme" });
    expect(signedIn.endsAt).toBeGreaterThanOrEqual(before + 3_600_000);
  });

  test.each([
    ["none", []],
    ["another one's", [`__host-gateway-session=${value}`]],
    ["one that is taken away", ["__Host-gateway-session=; Max-Age=0"]],
    ["one that no header can carry", [`__Host-gateway-session=${value}"x`]],
  ])("without a session cookie it has failed: %s", async (_what, cookies) => {
    gateway.answers = { "*": { json: caller, headers: { "set-cookie": cookies } } };
    await expect(signIn(ask, "ada", new Secret("secret phrase"))).rejects.toMatchObject({ code: "internal" });
  });

  test("a session travels as the cookie, and ends with one request", async () => {
    const credential = { kind: "session", secret: new Secret(value) } as const;
    const url = new URL(`${gateway.url}/behind/proxy/`);
    const signedIn = connectTo({ url, credential, tenant: undefined, howToSignIn: "" });
    gateway.answers = {
      "GET /behind/proxy/api/v1/auth/session": { json: { ...caller, credential: null, scopes: null } },
      "POST /behind/proxy/api/v1/auth/logout": { status: 204 },
    };
    expect(await whoIsCalling(signedIn)).toMatchObject({
      kind: "user",
      credential: undefined,
      scopes: undefined,
    });
    await signOut(signedIn);
    expect(gateway.requests.map(({ route }) => route)).toEqual([
      "GET /behind/proxy/api/v1/auth/session",
      "POST /behind/proxy/api/v1/auth/logout",
    ]);
    for (const { headers } of gateway.requests) {
      expect(headers.cookie).toBe(`__Host-gateway-session=${value}`);
      expect(headers).not.toHaveProperty("x-gateway-tenant");
      expect(headers).not.toHaveProperty("authorization");
    }
  });
});
