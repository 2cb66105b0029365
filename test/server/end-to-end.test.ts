import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAuthorizer } from "../../src/authorization/create-authorizer.ts";
import { createBroker } from "../../src/broker/broker.ts";
import { createArgumentChecker } from "../../src/broker/check-arguments.ts";
import { CatalogSnapshot } from "../../src/catalog/snapshot.ts";
import { createIdentity } from "../../src/identity/create-identity.ts";
import type { Identity } from "../../src/identity/identity.ts";
import { asObject } from "../../src/json-object.ts";
import type { AuthConfig } from "../../src/model/auth-config.ts";
import type { JsonValue } from "../../src/model/json.ts";
import { createOwnAddress } from "../../src/own-address.ts";
import { Secret } from "../../src/secret.ts";
import { type GatewayServer, startServer } from "../../src/server/http-server.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { usualLimits, usualServer } from "../limits.ts";
import { principalOf } from "../principals.ts";
import { noConnections, noCredentials } from "./no-connections.ts";
import { stageCatalog } from "./stage.ts";

const password = "correct horse battery";
const auth: AuthConfig = {
  provider: "local",
  apiTokenMilliseconds: 3_600_000,
  sessionMilliseconds: 3_600_000,
  sessionIdleMilliseconds: 3_600_000,
  queryToken: undefined,
  oidc: undefined,
  trustedIssuers: [],
  authorizationServer: undefined,
};
const settings = { auth, tenants: {} };

let folder: string;
let store: Store;
let identity: Identity;
let server: GatewayServer;
const log: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gateway-server-"));
  store = await openSqliteStore(join(folder, "gestalt.db"));
  const tell = (message: string, cause?: unknown): void => void log.push(`${message} ${String(cause)}`);
  identity = createIdentity({ store, settings: () => settings, log: tell });
  const snapshot = new CatalogSnapshot();
  snapshot.swap(stageCatalog);
  const authorization = { default: "allow", destructive: "allow", roles: undefined, policies: [] } as const;
  const authorizer = createAuthorizer({ snapshot, settings: () => authorization, log: tell });
  server = await startServer({
    limits: () => usualLimits,
    config: { ...usualServer, host: "127.0.0.1", port: 0, baseUrl: undefined, allowedHosts: [] },
    snapshot,
    identity,
    view: authorizer.view,
    auth: () => settings.auth,
    address: createOwnAddress(() => ({ host: "127.0.0.1", port: 0, baseUrl: undefined })),
    broker: createBroker({
      view: ({ principal, via }) => authorizer.view(principal, via === "mcp" ? "mcp" : "api"),
      cleanArguments: (_tool, given) => given,
      checkArguments: createArgumentChecker(),
      couldAllow: authorizer.couldAllow,
      authorizeArguments: authorizer.checkArguments,
      credentials: noCredentials,
      executor: () => ({
        execute: async ({ principal, arguments: given }) => ({
          kind: "http",
          status: 200,
          headers: { "content-type": "application/json" },
          body: Buffer.from(JSON.stringify({ tenant: principal.tenant, as: principal.name, given })),
          isError: false,
        }),
      }),
      interceptors: [],
    }),
    mcpMounted: () => true,
    ...noConnections,
    log: tell,
  });
  server.markStarted();
  const operator = principalOf("operator", "operator", "default", { roles: ["operator"] });
  await identity.administration(operator).createUser({
    name: "root",
    password: new Secret(password),
    roles: ["operator"],
  });
});
afterAll(async () => {
  await server.drain(0);
  await identity.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

type Headers = Readonly<Record<string, string>>;

function ask(method: string, path: string, headers: Headers, body?: unknown): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    method,
    headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

async function signIn(name: string): Promise<Headers> {
  const answer = await ask("POST", "/api/v1/auth/login", {}, { name, password });
  expect(answer.status).toBe(200);
  const [cookie = ""] = answer.headers.getSetCookie();
  return { cookie: cookie.split(";")[0] ?? "" };
}

async function createToken(
  as: Headers,
  given: object,
): Promise<{ readonly id: string; readonly headers: Headers }> {
  const answer = await ask("POST", "/api/v1/tokens", as, given);
  const created = asObject((await answer.json()) as JsonValue) ?? {};
  expect(answer.status, JSON.stringify(created)).toBe(201);
  return { id: String(created["id"]), headers: { authorization: `Bearer ${String(created["token"])}` } };
}

const statusOf = async (as: Headers, path = "/api/v1/integrations"): Promise<number> =>
  (await ask("GET", path, as)).status;

describe("the whole way, with the store", () => {
  test("a session and a token of one user see and call the same; the next request after either ends is refused", async () => {
    const root = await signIn("root");
    expect((await ask("POST", "/api/v1/users", root, { name: "ada", password })).status).toBe(201);
    const session = await signIn("ada");
    const token = await createToken(session, { name: "ci", expires_in: "1h" });
    for (const path of [
      "/api/v1/integrations",
      "/api/v1/integrations/books/operations",
      "/api/v1/books/find",
    ]) {
      const bySession = await ask("GET", path, session);
      const byToken = await ask("GET", path, token.headers);
      expect(bySession.status).toBe(200);
      expect(await bySession.text()).toBe(await byToken.text());
    }
    // Not an administrator.
    expect(await statusOf(session, "/api/v1/users")).toBe(403);
    expect(await statusOf(session, "/api/v1/tenants")).toBe(403);

    const rotated = await ask("POST", `/api/v1/tokens/${token.id}/rotate`, session);
    const { token: fresh } = (await rotated.json()) as { readonly token: string };
    expect(await statusOf(token.headers)).toBe(401);
    expect(await statusOf({ authorization: `Bearer ${fresh}` })).toBe(200);
    expect((await ask("DELETE", `/api/v1/tokens/${token.id}`, session)).status).toBe(204);
    expect(await statusOf({ authorization: `Bearer ${fresh}` })).toBe(401);

    expect((await ask("POST", "/api/v1/auth/logout", session)).status).toBe(204);
    expect(await statusOf(session)).toBe(401);

    const again = await signIn("ada");
    expect((await ask("PATCH", "/api/v1/users/ada", root, { disabled: true })).status).toBe(200);
    expect(await statusOf(again)).toBe(401);
    expect((await ask("POST", "/api/v1/auth/login", {}, { name: "ada", password })).status).toBe(401);
  });

  test("a narrowed token is narrowed everywhere, and administers nothing", async () => {
    const root = await signIn("root");
    const narrow = await createToken(root, { name: "books", scopes: ["books/find"] });
    const listed = await ask("GET", "/api/v1/integrations", narrow.headers);
    expect(await listed.json()).toMatchObject({ integrations: [{ name: "books", tools: 1 }] });
    expect(await statusOf(narrow.headers, "/api/v1/books/find")).toBe(200);
    expect(await statusOf(narrow.headers, "/api/v1/books/bill")).toBe(404);
    expect(await statusOf(narrow.headers, "/api/v1/vault/open")).toBe(404);
    expect(await statusOf(narrow.headers, "/api/v1/users")).toBe(403);
    expect(await statusOf(narrow.headers, "/api/v1/tenants")).toBe(403);
    expect((await ask("POST", "/api/v1/tokens", narrow.headers, { name: "more" })).status).toBe(403);
    const ready = (await (await ask("GET", "/readyz", narrow.headers)).json()) as object;
    expect(ready).toMatchObject({ providers: [{ name: "books" }] });
    expect(JSON.stringify(ready)).not.toContain("vault");
  });

  test("only who may act for a tenant does", async () => {
    const root = await signIn("root");
    const acme = { id: "acme", display_name: "Acme", providers: ["books"] };
    expect((await ask("POST", "/api/v1/tenants", root, acme)).status).toBe(201);
    expect((await ask("POST", "/api/v1/tenants", root, acme)).status).toBe(409);
    const agent = await createToken(root, { name: "agent", service: true, acts_for: ["acme"] });
    const other = await createToken(root, { name: "other", service: true });
    const inAcme = { "x-gateway-tenant": "acme" };
    const called = await ask("GET", "/api/v1/books/find", { ...agent.headers, ...inAcme });
    expect(await called.json()).toEqual({ tenant: "acme", as: "agent", given: {} });
    const byQuery = await ask("GET", "/api/v1/books/find?customer_id=acme", agent.headers);
    expect(await byQuery.json()).toEqual({ tenant: "acme", as: "agent", given: {} });
    const own = await ask("GET", "/api/v1/books/bill?customer_id=acme", agent.headers);
    expect(await own.json()).toEqual({ tenant: "default", as: "agent", given: { customer_id: "acme" } });
    expect(await statusOf({ ...agent.headers, ...inAcme }, "/api/v1/vault/open")).toBe(404);
    for (const tenant of ["acme", "nothing", "ACME"])
      expect(await statusOf({ ...other.headers, "x-gateway-tenant": tenant })).toBe(403);
    expect((await ask("PATCH", "/api/v1/tenants/acme", root, { tools: ["vault_open"] })).status).toBe(200);
    expect(await statusOf({ ...agent.headers, ...inAcme }, "/api/v1/vault/open")).toBe(200);
    expect(await statusOf({ ...agent.headers, ...inAcme }, "/api/v1/books/find")).toBe(200);
    expect((await ask("DELETE", "/api/v1/tenants/acme", root)).status).toBe(204);
    expect(await statusOf({ ...agent.headers, ...inAcme })).toBe(403);
  });

  test("too many wrong passwords are told when to come back", async () => {
    let answer: Response | undefined;
    for (let attempt = 0; attempt < 40 && answer?.status !== 429; attempt += 1) {
      answer = await ask(
        "POST",
        "/api/v1/auth/login",
        {},
        { name: "mallory", password: "wrong wrong wrong" },
      );
      expect([401, 429]).toContain(answer.status);
    }
    expect(answer?.status).toBe(429);
    expect(Number(answer?.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  test("no credential is in the log", () => {
    expect(log.join("\n")).not.toMatch(/gst_api_|correct horse|wrong wrong/);
  });
});

test.each(["/sse", "/messages"])(
  "clients of the old transport that ask for %s learn where to go",
  async (path) => {
    const response = await fetch(`${server.url}${path}`, { headers: { accept: "text/event-stream" } });
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("Streamable HTTP at `/mcp`");
  },
);
