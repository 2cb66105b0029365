import { afterAll, beforeAll, expect, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import { Secret } from "../../src/secret.ts";
import type { Store } from "../../src/store/store.ts";
import { issue } from "../identity/granted.ts";
import { modernRequest, post } from "../server/mcp/wire.ts";
import { password, signIn, tokenCaller } from "./callers.ts";
import { openLegacy, type System, startSystem } from "./system.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

const tenants = ["acme", "globex", "initech"] as const;
type Tenant = (typeof tenants)[number];

/** Stands in everything that belongs to a tenant, and must reach nobody else. */
const canaryOf = (tenant: Tenant): string => `canary-${tenant}-${[...tenant].reverse().join("")}`;

interface Caller {
  readonly name: string;
  readonly tenant: Tenant;
  readonly headers: Readonly<Record<string, string>>;
  /** At /mcp, where those differ. */
  readonly mcp?: Readonly<Record<string, string>>;
}

let rest: Upstream;
let system: System;
const callers: Caller[] = [];
/** What can be named in a route, by tenant. */
const owned = new Map<
  Tenant,
  { users: string[]; tokens: string[]; sessions: string[]; grants: string[]; mcpSessions: string[] }
>();

beforeAll(async () => {
  rest = await startUpstream(({ headers }, response) => response.end(`{"for":"${headers["x-canary"]}"}`));
  const provider = (tenant: Tenant) => ({
    tenants: [tenant],
    display_name: canaryOf(tenant),
    headers: { "X-Canary": canaryOf(tenant) },
    surfaces: { rest: { base_url: rest.url, operations: [{ name: "read", method: "GET", path: "/read" }] } },
  });
  system = await startSystem(
    Object.fromEntries(tenants.map((tenant) => [`${tenant}-crm`, provider(tenant)])),
    {
      settings: {
        auth: { provider: "local", authorization_server: { enabled: true } },
        tenants: Object.fromEntries(tenants.map((tenant) => [tenant, { display_name: canaryOf(tenant) }])),
      },
    },
  );
  for (const tenant of tenants) await populate(tenant);
});
afterAll(async () => {
  await system.close();
  await rest[Symbol.asyncDispose]();
});

async function populate(tenant: Tenant): Promise<void> {
  const administration = await system.administration(tenant);
  const canary = canaryOf(tenant);
  const users: string[] = [];
  for (const role of ["admin", "member"]) {
    const name = `${role}-${canary}`;
    await administration.createUser({
      name,
      displayName: canary,
      roles: [role],
      password: new Secret(password),
    });
    callers.push({ name, tenant, headers: { cookie: await signIn(system.url, name) } });
    users.push(name);
  }
  const admin = await tokenCaller(administration, { name: `admin ${canary}`, roles: ["admin"] });
  const member = await tokenCaller(administration, { name: `member ${canary}` });
  callers.push({ ...admin, tenant }, { ...member, tenant });
  const grants: string[] = [];
  for (const { id } of await administration.listUsers()) {
    const audience = `${system.url}/api/v1`;
    const { token, grant } = await issue(storeOf(system), id, { tenant, audience, clientId: canary });
    grants.push(grant);
    const next = await issue(storeOf(system), id, {
      tenant,
      grant,
      audience: `${system.url}/mcp`,
      clientId: canary,
    });
    callers.push({
      ...{ name: `client of ${id}`, tenant, headers: { authorization: `Bearer ${token}` } },
      mcp: { authorization: `Bearer ${next.token}` },
    });
  }
  const mcp = await openLegacy(system.url, undefined, admin.headers);
  owned.set(tenant, {
    users,
    tokens: [admin.id, member.id],
    sessions: (await administration.listSessions()).map(({ id }) => id),
    grants,
    mcpSessions: [mcp.headers["mcp-session-id"] ?? ""],
  });
}

function storeOf({ store }: System): Store {
  if (store === undefined) throw new Error("no store");
  return store;
}

interface Probe {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Ways to write an identifier in a path. */
const spellings: readonly ((id: string) => string)[] = [
  encodeURIComponent,
  (id) => encodeURIComponent(id.toUpperCase()),
  (id) => `${encodeURIComponent(id)}%00`,
  (id) => id.replace(/./gs, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`),
  (id) => `x%2f..%2f${encodeURIComponent(id)}`,
  (id) => `${encodeURIComponent(id)}%20`,
  (id) => encodeURIComponent(id.replace("a", "\u0430")),
];

/** Everything that names something of another tenant. */
function* probesOf(victim: Tenant): Generator<Probe> {
  const none = { users: [], tokens: [], sessions: [], grants: [] };
  const { users, tokens, sessions, grants } = owned.get(victim) ?? none;
  for (const spell of spellings) {
    for (const name of users) {
      const path = `users/${spell(name)}`;
      yield { method: "PATCH", path, body: { disabled: true } };
      yield { method: "PATCH", path, body: { password: "an attacker's own password" } };
      yield { method: "PATCH", path, body: { roles: ["operator"] } };
      yield { method: "DELETE", path };
      yield { method: "POST", path: "tokens", body: { name: "stolen", user: name } };
    }
    for (const id of tokens) {
      yield { method: "DELETE", path: `tokens/${spell(id)}` };
      yield { method: "POST", path: `tokens/${spell(id)}/rotate` };
    }
    for (const id of sessions) yield { method: "DELETE", path: `auth/sessions/${spell(id)}` };
    for (const id of grants) yield { method: "DELETE", path: `auth/grants/${spell(id)}` };
    yield { method: "DELETE", path: `auth/clients/${spell(canaryOf(victim))}` };
    for (const method of ["GET", "DELETE"]) yield { method, path: `tenants/${spell(victim)}` };
    yield { method: "PATCH", path: `tenants/${spell(victim)}`, body: { exposure: "all" } };
    yield { method: "GET", path: `integrations/${spell(`${victim}-crm`)}/operations` };
    yield { method: "GET", path: `${spell(`${victim}-crm`)}/read` };
    yield { method: "POST", path: `${spell(`${victim}-crm`)}/read`, body: {} };
  }
  const acting = [
    { headers: { "x-gateway-tenant": victim } },
    { headers: { "x-gateway-tenant": victim.toUpperCase() } },
    { headers: { "x-gateway-tenant": ` ${victim}` } },
    { query: `?customer_id=${victim}` },
    { query: `?customer_id=%20${victim}` },
    { query: `?CUSTOMER_ID=${victim}` },
    { query: `?customer_id[]=${victim}` },
  ];
  for (const { headers = {}, query = "" } of acting) {
    for (const path of [
      "users",
      "tokens",
      "auth/sessions",
      "auth/grants",
      "auth/clients",
      "auth/session",
      "tenants",
      "integrations",
    ])
      yield { method: "GET", path: path + query, headers };
    yield { method: "POST", path: `tokens${query}`, headers, body: { name: "stolen", service: true } };
    const user = { name: "intruder", password: "an attacker's own password", tenant: victim };
    yield { method: "POST", path: `users${query}`, headers, body: user };
    yield { method: "GET", path: `${victim}-crm/read${query}`, headers };
  }
  for (const body of [
    { name: "x", service: true, tenant: victim },
    { name: "x", service: true, acts_for: [victim] },
  ])
    yield { method: "POST", path: "tokens", body };
  yield { method: "POST", path: "tokens", body: { name: "x", service: true, acts_for: "any" } };
  yield { method: "POST", path: "tenants", body: { id: `${victim}-2` } };
}

async function send(
  caller: Caller,
  probe: Probe,
): Promise<{ readonly status: number; readonly text: string }> {
  const { method, path, headers = {}, body } = probe;
  const response = await fetch(`${system.url}/api/v1/${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...caller.headers,
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

/** All that the store holds of a tenant, as its operator sees it. */
async function stateOf(tenant: Tenant): Promise<string> {
  const administration = await system.administration(tenant);
  const without = (key: string, value: unknown): unknown => (key === "lastUsedAt" ? undefined : value);
  const state = [
    await administration.listUsers(),
    await administration.listSessions(),
    await administration.listGrants(),
    (await administration.listTokens()).filter(({ name }) => name.includes(canaryOf(tenant))),
  ];
  return JSON.stringify(state, without);
}

test("5,000 probes across tenants reach nothing and tell nothing", async () => {
  const before = new Map<Tenant, string>();
  for (const tenant of tenants) before.set(tenant, await stateOf(tenant));
  let probes = 0;
  for (const caller of callers) {
    for (const victim of tenants) {
      if (victim === caller.tenant) continue;
      for (const probe of probesOf(victim)) {
        const reached = rest.seen.length;
        const { status, text } = await send(caller, probe);
        probes += 1;
        const shown = `${caller.name} ${probe.method} ${probe.path} ${JSON.stringify(probe.headers ?? {})}: ${status} ${text}`;
        expect(rest.seen.length, shown).toBe(reached);
        // What was asked for may be repeated; what is known of it may not.
        const told = text.replaceAll(/`[^`]*`/g, "");
        for (const other of tenants)
          if (other !== caller.tenant) expect(told, shown).not.toContain(canaryOf(other));
        expect(status, shown).not.toBe(500);
      }
    }
  }
  for (const tenant of tenants) expect(await stateOf(tenant)).toBe(before.get(tenant));
  expect(probes).toBeGreaterThanOrEqual(5_000);
}, 300_000);

test("a session of MCP belongs to the tenant that opened it", async () => {
  for (const caller of callers) {
    for (const victim of tenants) {
      if (victim === caller.tenant) continue;
      for (const id of owned.get(victim)?.mcpSessions ?? []) {
        const headers = { ...(caller.mcp ?? caller.headers), "mcp-session-id": id };
        const message = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
        const answer = await post(`${system.url}/mcp`, message, headers);
        expect(answer.status).toBe(404);
        const deleted = await fetch(`${system.url}/mcp`, { method: "DELETE", headers });
        expect(deleted.status).toBe(404);
      }
    }
  }
});

test("over MCP, the tools of another tenant are no tools", async () => {
  for (const caller of callers) {
    for (const victim of tenants) {
      if (victim === caller.tenant) continue;
      const name = `${victim}-crm_read`;
      const request = modernRequest("tools/call", { name, arguments: {} });
      const reached = rest.seen.length;
      const answer = await post(`${system.url}/mcp`, request.message, {
        ...request.headers,
        ...(caller.mcp ?? caller.headers),
      });
      expect(asObject(answer.message["error"])?.["code"]).toBe(-32602);
      expect(rest.seen.length).toBe(reached);
      const acting = { ...request.headers, ...(caller.mcp ?? caller.headers), "x-gateway-tenant": victim };
      expect((await post(`${system.url}/mcp`, request.message, acting)).status).toBe(403);
    }
  }
});

test("who may act for one tenant may not act for another", async () => {
  const token = await tokenCaller(await system.administration("acme"), { name: "both", actsFor: ["globex"] });
  const as = async (tenant: string) => {
    const headers = { ...token.headers, "x-gateway-tenant": tenant };
    return (await fetch(`${system.url}/api/v1/auth/session`, { headers })).status;
  };
  expect([await as("acme"), await as("globex"), await as("initech"), await as("nobody")]).toEqual([
    200, 200, 403, 403,
  ]);
});
