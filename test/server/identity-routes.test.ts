import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { asObject } from "../../src/json-object.ts";
import type {
  Administration,
  ApiToken,
  ClientGrant,
  ClientRegistration,
  Session,
  User,
} from "../../src/model/administration.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import type { Tenant } from "../../src/model/tenant.ts";
import { Secret } from "../../src/secret.ts";
import { type Answer, openStage, type Stage, session, token } from "./stage.ts";

const created = "2026-01-02T03:04:05Z";
const user: User = {
  id: "u1",
  name: "ada",
  displayName: "Ada",
  tenant: "default",
  roles: ["member"],
  actsFor: ["acme"],
  disabled: false,
  createdAt: created,
  lastUsedAt: undefined,
};
const apiToken: ApiToken = {
  id: "t1",
  name: "ci",
  tenant: "default",
  user: undefined,
  scopes: ["read:books"],
  roles: ["member"],
  actsFor: "any",
  createdAt: created,
  rotatedAt: undefined,
  expiresAt: created,
  lastUsedAt: undefined,
  hint: "gst_api_ab",
};
const browser: Session = {
  id: "s1",
  user: "ada",
  createdAt: created,
  expiresAt: created,
  lastUsedAt: undefined,
  client: "Firefox",
  current: true,
};
const grant: ClientGrant = {
  ...{ id: "gra_1", clientId: "https://client.example.com/oauth.json", clientName: "Client" },
  ...{ clientKind: "metadata", user: "ada", scopes: ["mcp"], createdAt: created, expiresAt: created },
  lastUsedAt: undefined,
};
const registration: ClientRegistration = {
  ...{ clientId: "reg_1", clientName: "Client", redirectUris: ["http://127.0.0.1/callback"] },
  ...{ createdAt: created, expiresAt: created, grants: 2 },
};
const tenant: Tenant = {
  id: "acme",
  displayName: "Acme",
  exposure: { kind: "selected", providers: ["books"], tools: ["vault_*"] },
  origin: "store",
};

/** What was asked of the administration, secrets revealed. */
const done: JsonValue[] = [];

function record(method: string, ...given: readonly unknown[]): void {
  const plain = (_key: string, value: unknown): unknown =>
    value instanceof Secret ? `secret ${value.reveal()}` : value;
  // Secrets write themselves as `[secret]` before a replacer sees them.
  const revealed = given.map((value) =>
    typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(key, entry)]))
      : value,
  );
  done.push(JSON.parse(JSON.stringify([method, ...revealed])) as JsonValue);
}

const administration: Administration = {
  listUsers: async () => [user],
  createUser: async (given) => {
    record("createUser", given);
    return user;
  },
  updateUser: async (...given) => {
    record("updateUser", ...given);
    return user;
  },
  removeUser: async (name) => record("removeUser", name),
  listTokens: async () => [apiToken],
  createToken: async (given) => {
    record("createToken", given);
    return { ...apiToken, secret: new Secret("gst_api_new") };
  },
  rotateToken: async (id) => {
    record("rotateToken", id);
    return { ...apiToken, secret: new Secret("gst_api_rotated") };
  },
  revokeToken: async (id) => record("revokeToken", id),
  listSessions: async () => [browser],
  revokeSession: async (id) => record("revokeSession", id),
  listGrants: async () => [grant],
  revokeGrant: async (id) => record("revokeGrant", id),
  listRegistrations: async () => [registration],
  revokeClient: async (id) => record("revokeClient", id),
  listTenants: async () => [tenant],
  getTenant: async (id) => {
    if (id !== "acme") throw new GatewayError("not_found", "There is no such tenant.");
    return tenant;
  },
  createTenant: async (given) => {
    record("createTenant", given);
    return tenant;
  },
  updateTenant: async (...given) => {
    record("updateTenant", ...given);
    return tenant;
  },
  removeTenant: async (id) => record("removeTenant", id),
};

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ administration });
});
afterAll(() => stage[Symbol.asyncDispose]());

const bearer = { authorization: `Bearer ${token("ada")}` };

function send(method: string, route: string, body?: unknown): Promise<Answer> {
  const headers = { ...bearer, ...(body !== undefined && { "content-type": "application/json" }) };
  return stage.send(method, `/api/v1/${route}`, {
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

const userJson = {
  id: "u1",
  name: "ada",
  display_name: "Ada",
  tenant: "default",
  roles: ["member"],
  acts_for: ["acme"],
  disabled: false,
  created_at: created,
};
const tokenJson = {
  id: "t1",
  name: "ci",
  tenant: "default",
  scopes: ["read:books"],
  roles: ["member"],
  acts_for: "any",
  created_at: created,
  expires_at: created,
  hint: "gst_api_ab",
};
const sessionJson = {
  id: "s1",
  user: "ada",
  created_at: created,
  expires_at: created,
  client: "Firefox",
  current: true,
};
const grantJson = {
  id: "gra_1",
  client_id: "https://client.example.com/oauth.json",
  client_name: "Client",
  client_kind: "metadata",
  user: "ada",
  scopes: ["mcp"],
  created_at: created,
  expires_at: created,
};
const registrationJson = {
  client_id: "reg_1",
  client_name: "Client",
  redirect_uris: ["http://127.0.0.1/callback"],
  created_at: created,
  expires_at: created,
  grants: 2,
};
const tenantJson = {
  id: "acme",
  display_name: "Acme",
  exposure: "selected",
  providers: ["books"],
  tools: ["vault_*"],
  origin: "store",
};

const all = { name: "ada", display_name: "Ada", password: "pass", roles: ["admin"], acts_for: ["acme"] };
const routes: readonly (readonly [
  method: string,
  route: string,
  body: unknown,
  status: number,
  answer: JsonValue | undefined,
  asked: JsonValue | undefined,
])[] = [
  ["GET", "users", undefined, 200, { users: [userJson] }, undefined],
  [
    "POST",
    "users",
    all,
    201,
    userJson,
    [
      "createUser",
      { name: "ada", displayName: "Ada", password: "secret pass", roles: ["admin"], actsFor: ["acme"] },
    ],
  ],
  [
    "POST",
    "users",
    { name: "ada", password: "p" },
    201,
    userJson,
    ["createUser", { name: "ada", password: "secret p" }],
  ],
  ["PATCH", "users/ada", { disabled: true }, 200, userJson, ["updateUser", "ada", { disabled: true }]],
  [
    "PATCH",
    "users/ada%2Fb",
    { password: "new", current_password: "old", display_name: "", roles: [], acts_for: "any" },
    200,
    userJson,
    [
      "updateUser",
      "ada/b",
      { displayName: "", password: "secret new", currentPassword: "secret old", roles: [], actsFor: "any" },
    ],
  ],
  ["DELETE", "users/ada", undefined, 204, undefined, ["removeUser", "ada"]],
  ["GET", "tokens", undefined, 200, { tokens: [tokenJson] }, undefined],
  [
    "POST",
    "tokens",
    { name: "ci", service: true, scopes: [], roles: ["member"], acts_for: "any", expires_in: 90 },
    201,
    { ...tokenJson, token: "gst_api_new" },
    [
      "createToken",
      { name: "ci", service: true, scopes: [], roles: ["member"], actsFor: "any", expiresIn: 90_000 },
    ],
  ],
  [
    "POST",
    "tokens",
    { name: "ci", user: "bob", expires_in: "30d" },
    201,
    { ...tokenJson, token: "gst_api_new" },
    ["createToken", { name: "ci", user: "bob", expiresIn: 2_592_000_000 }],
  ],
  [
    "POST",
    "tokens",
    { name: "ci", expires_in: "never" },
    201,
    { ...tokenJson, token: "gst_api_new" },
    ["createToken", { name: "ci", expiresIn: "never" }],
  ],
  [
    "POST",
    "tokens/t1/rotate",
    undefined,
    200,
    { ...tokenJson, token: "gst_api_rotated" },
    ["rotateToken", "t1"],
  ],
  ["POST", "tokens/t1/rotate", {}, 200, { ...tokenJson, token: "gst_api_rotated" }, ["rotateToken", "t1"]],
  ["DELETE", "tokens/t1", undefined, 204, undefined, ["revokeToken", "t1"]],
  ["GET", "auth/sessions", undefined, 200, { sessions: [sessionJson] }, undefined],
  ["DELETE", "auth/sessions/s1", undefined, 204, undefined, ["revokeSession", "s1"]],
  ["GET", "auth/grants", undefined, 200, { grants: [grantJson] }, undefined],
  ["DELETE", "auth/grants/gra_1", undefined, 204, undefined, ["revokeGrant", "gra_1"]],
  ["GET", "auth/clients", undefined, 200, { clients: [registrationJson] }, undefined],
  ["DELETE", "auth/clients/reg_1", undefined, 204, undefined, ["revokeClient", "reg_1"]],
  [
    "DELETE",
    `auth/clients/${encodeURIComponent("https://client.example.com/a?b#c")}`,
    undefined,
    204,
    undefined,
    ["revokeClient", "https://client.example.com/a?b#c"],
  ],
  ["GET", "tenants", undefined, 200, { tenants: [tenantJson] }, undefined],
  ["GET", "tenants/acme", undefined, 200, tenantJson, undefined],
  ["POST", "tenants", { id: "acme" }, 201, tenantJson, ["createTenant", { id: "acme" }]],
  [
    "POST",
    "tenants",
    { id: "acme", display_name: "Acme", exposure: "all" },
    201,
    tenantJson,
    ["createTenant", { id: "acme", displayName: "Acme", exposure: { kind: "all" } }],
  ],
  [
    "POST",
    "tenants",
    { id: "acme", tools: ["a_*"] },
    201,
    tenantJson,
    ["createTenant", { id: "acme", exposure: { kind: "selected", providers: [], tools: ["a_*"] } }],
  ],
  [
    "PATCH",
    "tenants/acme",
    { display_name: "A" },
    200,
    tenantJson,
    ["updateTenant", "acme", { displayName: "A" }],
  ],
  [
    "PATCH",
    "tenants/acme",
    { providers: [] },
    200,
    tenantJson,
    ["updateTenant", "acme", { exposure: { kind: "selected", providers: [], tools: ["vault_*"] } }],
  ],
  [
    "PATCH",
    "tenants/acme",
    { tools: ["b"], exposure: "selected" },
    200,
    tenantJson,
    ["updateTenant", "acme", { exposure: { kind: "selected", providers: ["books"], tools: ["b"] } }],
  ],
  [
    "PATCH",
    "tenants/acme",
    { exposure: "selected" },
    200,
    tenantJson,
    ["updateTenant", "acme", { exposure: { kind: "selected", providers: [], tools: [] } }],
  ],
  ["DELETE", "tenants/acme", undefined, 204, undefined, ["removeTenant", "acme"]],
];

test.each(routes)("%s %s %j", async (method, route, body, status, answer, asked) => {
  const before = done.length;
  const got = await send(method, route, body);
  expect(got.status).toBe(status);
  expect(got.text === "" ? undefined : got.json).toEqual(answer);
  expect(got.headers["cache-control"]).toBe("no-store");
  expect(done.slice(before)).toEqual(asked === undefined ? [] : [asked]);
});

describe("sessions", () => {
  const login = (body: unknown): Promise<Answer> =>
    stage.send("POST", "/api/v1/auth/login", {
      headers: { "content-type": "application/json", "user-agent": "x".repeat(500) },
      body: JSON.stringify(body),
    });

  test("begin with a cookie that only this host gets", async () => {
    const answer = await login({ name: "ada", password: "correct horse" });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ kind: "user", name: "ada", tenant: "default" });
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.headers["set-cookie"]).toEqual([
      `__Host-gateway-session=${session("ada")}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600`,
    ]);
    const { client, address } = stage.attempts.at(-1) ?? {};
    expect([client, address]).toEqual(["x".repeat(200), "127.0.0.1"]);
  });

  test("don't begin for who asks from an address of their own choice", async () => {
    await stage.send("POST", "/api/v1/auth/login", {
      headers: {
        "content-type": "application/json",
        "x-forwarded-for": "203.0.113.9",
        forwarded: "for=203.0.113.9",
        "x-real-ip": "203.0.113.9",
      },
      body: JSON.stringify({ name: "ada", password: "wrong" }),
    });
    expect(stage.attempts.at(-1)?.address).toBe("127.0.0.1");
  });

  test.each([
    [{ name: "ada", password: "wrong" }, 401, undefined],
    [{ name: "busy", password: "correct horse" }, 429, "8"],
    [{ name: "down", password: "correct horse" }, 503, "1"],
    [{ name: "ada" }, 400, undefined],
    [{ name: "ada", password: 5 }, 400, undefined],
    [{ name: "ada", password: "correct horse", pasword: "" }, 400, undefined],
    ["ada", 400, undefined],
  ])("%j gives %i and no cookie", async (body, status, retryAfter) => {
    const answer = await login(body);
    expect(answer.status).toBe(status);
    expect(answer.headers["retry-after"]).toBe(retryAfter);
    expect(answer.headers["set-cookie"]).toBeUndefined();
    expect(answer.text).not.toContain("correct horse");
  });

  test("end for the one that asks", async () => {
    const headers = { cookie: `__Host-gateway-session=${session("ada")}` };
    const before = stage.ended.length;
    const answer = await stage.send("POST", "/api/v1/auth/logout", { headers });
    expect(answer.status).toBe(204);
    expect(answer.headers["set-cookie"]).toEqual([
      "__Host-gateway-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0",
    ]);
    expect(stage.ended.slice(before)).toEqual([session("ada")]);
  });

  test("a token that signs out keeps its cookies", async () => {
    const before = stage.ended.length;
    const answer = await send("POST", "auth/logout");
    expect([answer.status, answer.headers["set-cookie"], stage.ended.length]).toEqual([
      204,
      undefined,
      before,
    ]);
  });

  test("tell who calls", async () => {
    const answer = await send("GET", "auth/session");
    expect(answer.json).toEqual({
      kind: "user",
      id: "ada",
      name: "ada",
      tenant: "default",
      home: "default",
      roles: [],
      credential: { kind: "token", id: "of-ada" },
    });
  });
});

describe("what can't be read is refused by its name", () => {
  test.each<readonly [string, string, unknown, string]>([
    ["POST", "users", { name: "a", password: "b", role: [] }, "`role` (did you mean `roles`?)"],
    ["POST", "users", { name: "a", password: "b", Password: "c" }, "`Password`"],
    ["POST", "users", { password: "b" }, "`name` is missing"],
    ["POST", "users", { name: "a" }, "`password` is missing"],
    ["POST", "users", { name: 1, password: "b" }, "`name` must be a string"],
    ["POST", "users", { name: "a", password: null }, "`password` must be a string"],
    ["POST", "users", { name: "a", password: "b", roles: "admin" }, "`roles` must be a list"],
    ["POST", "users", { name: "a", password: "b", roles: [1] }, "`roles` must be a list"],
    ["POST", "users", { name: "a", password: "b", roles: Array(1_001).fill("a") }, "`roles` must be a list"],
    ["POST", "users", { name: "a", password: "b", acts_for: "all" }, "`acts_for` must be `any` or a list"],
    ["PATCH", "users/ada", { disabled: "yes" }, "`disabled` must be true or false"],
    ["PATCH", "users/ada", { name: "bob" }, "`name`"],
    ["POST", "tokens", { name: "a", expires_in: 0 }, "`expires_in` must be"],
    ["POST", "tokens", { name: "a", expires_in: -1 }, "`expires_in` must be"],
    ["POST", "tokens", { name: "a", expires_in: 1.5 }, "`expires_in` must be"],
    ["POST", "tokens", { name: "a", expires_in: 1e300 }, "`expires_in` must be"],
    ["POST", "tokens", { name: "a", expires_in: "30" }, "`expires_in` must be"],
    ["POST", "tokens", { name: "a", expires_in: "0d" }, "`expires_in` must be"],
    ["POST", "tokens", { name: "a", expires_in: "999999999d" }, "`expires_in` must be"],
    ["POST", "tokens", { name: "a", expires_in: "30 d" }, "`expires_in` must be"],
    ["POST", "tokens", { name: "a", expires_in: null }, "`expires_in` must be"],
    ["POST", "tokens/t1/rotate", { name: "a" }, "`name`"],
    ["POST", "tenants", { id: "a", exposure: "some" }, "`exposure` must be `all` or `selected`"],
    ["POST", "tenants", { id: "a", exposure: "all", tools: [] }, "can't stand beside `exposure: all`"],
    ["PATCH", "tenants/acme", { id: "b" }, "`id`"],
    ["POST", "auth/logout", { all: true }, "`all`"],
    ["POST", "users", [], "must be a JSON object"],
    ["GET", "users?limit=1", undefined, "nothing from the query"],
  ])("%s %s %j", async (method, route, body, expected) => {
    const before = done.length;
    const answer = await send(method, route, body);
    expect(answer.status).toBe(400);
    expect(String(asObject(answer.json["error"])?.["message"])).toContain(expected);
    expect(done).toHaveLength(before);
  });

  test("a body of another type, of too many bytes, or that is no JSON", async () => {
    const post = (type: string, body: string): Promise<Answer> =>
      stage.send("POST", "/api/v1/users", { headers: { ...bearer, "content-type": type }, body });
    expect((await post("text/plain", '{"name":"a"}')).status).toBe(400);
    expect((await post("application/json", "{")).status).toBe(400);
    expect((await post("application/json", `{"name":"${"x".repeat(70_000)}"}`)).status).toBe(413);
  });

  test.each([
    ["GET", "users/ada", "PATCH, DELETE"],
    ["PUT", "users", "GET, POST"],
    ["DELETE", "users", "GET, POST"],
    ["GET", "tokens/t1", "DELETE"],
    ["GET", "tokens/t1/rotate", "POST"],
    ["GET", "auth/logout", "POST"],
    ["POST", "auth/session", "GET"],
    ["POST", "auth/sessions", "GET"],
    ["GET", "auth/sessions/s1", "DELETE"],
    ["POST", "auth/grants", "GET"],
    ["GET", "auth/grants/1", "DELETE"],
    ["DELETE", "auth/clients", "GET"],
    ["GET", "auth/clients/1", "DELETE"],
    ["POST", "tenants/acme", "GET, PATCH, DELETE"],
    ["GET", "auth/login", "POST"],
  ])("%s %s", async (method, route, allowed) => {
    const answer = await send(method, route);
    expect([answer.status, answer.headers.allow]).toEqual([405, allowed]);
  });

  test.each([
    "auth",
    "auth/",
    "auth/nothing",
    "auth/session/1",
    "auth/login/1",
    "auth/sessions/1/2",
    "auth/grants/1/2",
    "auth/clients/https://client.example.com/oauth.json",
    "users/a/b",
    "tokens/a/b",
    "tokens/a/rotate/b",
    "tenants/a/b",
    "auth%2Flogin",
  ])("there is no %s", async (route) => {
    expect((await send("GET", route)).status).toBe(404);
  });

  test("HEAD is answered where GET is", async () => {
    const answer = await send("HEAD", "users");
    expect([answer.status, answer.text]).toEqual([200, ""]);
  });
});

describe("without credentials", () => {
  test("every documented route is 401 unless it is documented as open", async () => {
    const document = (await stage.send("GET", "/openapi.json")).json;
    const methods = ["get", "post", "patch", "delete", "put"];
    const tried: string[] = [];
    for (const [path, item] of Object.entries(asObject(document["paths"]) ?? {})) {
      for (const [method, operation] of Object.entries(asObject(item) ?? {})) {
        if (!methods.includes(method)) continue;
        const isOpen = JSON.stringify(asObject(operation)?.["security"]) === "[]";
        const answer = await stage.send(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, "x"));
        expect(answer.status === 401, `${method} ${path}`).toBe(!isOpen);
        tried.push(`${method} ${path} ${isOpen}`);
      }
    }
    expect(tried.length).toBeGreaterThan(22);
    expect(tried.filter((line) => line.endsWith("true"))).toEqual([
      "post /api/v1/auth/login true",
      "get /livez true",
      "get /readyz true",
      "get /startupz true",
    ]);
  });

  test.each([
    "/api/v1/",
    "/api/v1/nothing",
    "/api/v1/a/b/c",
    "/api/v1/%ff",
    "/api/v1/books/find",
    "/mcp",
    "/mcp/",
    "/mcp/x",
  ])("%s is 401 whether there is such a route or not", async (path) => {
    for (const method of ["GET", "POST", "DELETE", "OPTIONS", "HEAD"])
      expect((await stage.send(method, path)).status).toBe(401);
  });

  test.each(["/nothing", "/api", "/api/v1", "/api/v2/users", "/mcpx", "/.well-known/a"])(
    "%s is 404",
    async (path) => {
      expect((await stage.send("GET", path)).status).toBe(404);
    },
  );

  test("/mcp tells only callers that it is not there", async () => {
    await using unmounted = await openStage({ mcpMounted: false });
    expect((await unmounted.send("POST", "/mcp")).status).toBe(401);
    expect((await unmounted.send("POST", "/mcp", { headers: bearer })).status).toBe(404);
  });
});

describe("/openapi.json describes the answers", () => {
  test("of every route with a body", async () => {
    const document = (await stage.send("GET", "/openapi.json")).json;
    const ajv = new Ajv2020({ strict: false, formats: { "date-time": true, password: true } });
    ajv.addSchema(document as object, "api");
    const check = (schema: JsonObject, value: unknown): void => {
      const validate = ajv.compile(rebase(schema));
      expect(validate(value), JSON.stringify(validate.errors)).toBe(true);
    };
    for (const [method, route, body, status] of routes) {
      const path = `/api/v1/${route.replace(/^(users|tokens|tenants|auth\/(?:sessions|grants|clients))\/[^/]+/, "$1/{ID}")}`;
      const template = Object.keys(asObject(document["paths"]) ?? {}).find(
        (known) => known.replace(/\{\w+\}/, "{ID}") === path,
      );
      const item = asObject(asObject(document["paths"])?.[template ?? ""]);
      const operation = asObject(item?.[method.toLowerCase()]);
      const answer = asObject(asObject(operation?.["responses"])?.[String(status)]);
      expect(answer, `${method} ${path} ${status}`).toBeDefined();
      const got = await send(method, route, body);
      const schemaOf = (part: JsonObject | undefined): JsonObject | undefined =>
        asObject(asObject(asObject(part?.["content"])?.["application/json"])?.["schema"]);
      const schema = schemaOf(answer);
      if (schema === undefined) expect(got.text).toBe("");
      else check(schema, got.json);
      const takes = schemaOf(asObject(operation?.["requestBody"]));
      if (takes !== undefined) check(takes, body);
    }
    const whoami = asObject(asObject(asObject(document["components"])?.["schemas"])?.["Principal"]);
    check(whoami ?? {}, (await send("GET", "auth/session")).json);
  });

  function rebase(schema: JsonObject): JsonObject {
    return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')) as JsonObject;
  }
});
