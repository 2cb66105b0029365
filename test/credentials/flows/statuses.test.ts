import { describe, expect, test } from "vitest";
import type { ConnectionConfig } from "../../../src/model/connection-config.ts";
import type { ConnectionStatus } from "../../../src/model/connections.ts";
import type { Principal } from "../../../src/model/principal.ts";
import { Secret } from "../../../src/secret.ts";
import { createVault } from "../../../src/vault/create-vault.ts";
import { startAuthorizationServer } from "../authorization-server.ts";
import {
  bearer,
  connect,
  connection,
  createHarness,
  failureOf,
  field,
  type Harness,
  oauth2,
  param,
  person,
  start,
} from "./harness.ts";

const ada = person("usr_ada");
const admin = person("usr_admin", { roles: ["admin"] });
const operator = person("usr_op", { roles: ["operator"] });
const base = "http://127.0.0.1:4000/connect?provider=crm&connection=default";

async function statusOf({ connecting }: Harness, as: Principal): Promise<ConnectionStatus> {
  const [status] = await connecting.connections(as).list();
  if (status === undefined) throw new Error("there is no connection");
  return status;
}

async function enter(
  { connecting }: Harness,
  as: Principal,
  instance?: string,
  shared?: boolean,
): Promise<void> {
  const fields = { token: new Secret("t") };
  await connecting.connections(as).connectManual({ provider: "crm", instance, shared, fields });
}

describe("what nobody has to connect", () => {
  const filled = { ...field("token", { in: "query", parameter: "key" }), value: new Secret("v") };
  test.each<[string, ConnectionConfig, string, object | undefined]>([
    ["mode none", connection(bearer(), { mode: "none" }), "ready", undefined],
    ["no authentication", connection({ type: "none" }), "ready", undefined],
    [
      "a header of the caller",
      connection({ type: "passthrough", header: "X-Key" }),
      "ready",
      { kind: "send_header", header: "X-Key" },
    ],
    [
      "values of the file",
      connection({ type: "manual", fields: [filled] }, { mode: "identity" }),
      "ready",
      undefined,
    ],
    [
      "values that are not set",
      connection(bearer(), { mode: "identity" }),
      "needs_configuration",
      { kind: "configure", what: expect.stringContaining("`value`") },
    ],
  ])("%s: %s", async (_what, config, state, next) => {
    const harness = await createHarness([config], { withStore: false });
    expect(await statusOf(harness, ada)).toMatchObject({ state, instances: [], form: undefined });
    expect((await statusOf(harness, ada)).next).toEqual(next);
  });

  test("tokens that are minted with the file's own client", async () => {
    await using server = await startAuthorizationServer();
    const changes = { grant: "client_credentials" } as const;
    const harness = await createHarness([connection(oauth2(server, changes), { mode: "identity" })]);
    expect(await statusOf(harness, ada)).toMatchObject({ state: "ready" });
    const unset = { ...changes, clientSecret: undefined };
    const other = await createHarness([connection(oauth2(server, unset), { mode: "identity" })]);
    expect(await statusOf(other, ada)).toMatchObject({ state: "needs_configuration" });
    expect((await failureOf(start(harness, operator))).code).toBe("bad_request");
  });
});

describe("what only the operator can mend", () => {
  test("no datastore, no key, bad keys, no secret, http", async () => {
    await using server = await startAuthorizationServer();
    const config = connection(oauth2(server));
    const withoutStore = await createHarness([config], { withStore: false });
    const withoutKey = await createHarness([config], { vault: createVault(() => []) });
    const withoutSecret = await createHarness([connection(oauth2(server, { clientSecret: undefined }))]);
    const http = await createHarness([config]);
    http.baseUrl = "http://gateway.example:8080";
    for (const [harness, what] of [
      [withoutStore, "datastore"],
      [withoutKey, "encryption_key"],
      [withoutSecret, "client_secret"],
      [http, "base_url"],
    ] as const) {
      const status = await statusOf(harness, ada);
      expect(status).toMatchObject({
        state: "needs_configuration",
        next: { kind: "configure" },
        form: undefined,
      });
      expect(status.reason).toContain(what);
      const failure = await failureOf(start(harness, ada));
      expect(failure).toMatchObject({ code: "unsupported", message: expect.stringContaining(what) });
    }
    expect(server.requests).toEqual([]);
  });

  test("without a datastore a callback is one that nobody knows", async () => {
    const harness = await createHarness([connection(bearer())], { withStore: false });
    const callback = {
      state: "A".repeat(43),
      code: "c",
      issuer: undefined,
      error: undefined,
      errorDescription: undefined,
    };
    expect((await failureOf(harness.connecting.finishOAuth(ada, callback))).message).toContain(
      "is not known here",
    );
  });
});

test("from nothing to ready, to several, to one that is spent", async () => {
  const harness = await createHarness([
    connection(bearer(), { params: [param("site", { required: false })] }),
  ]);
  const token = {
    name: "token",
    label: "TOKEN",
    description: undefined,
    secret: true,
    required: true,
    default: undefined,
  };
  const site = { ...token, name: "site", label: "SITE", secret: false, required: false };
  const form = { kind: "enter", fields: [token], params: [site] };
  expect(await statusOf(harness, ada)).toMatchObject({
    ...{
      provider: "crm",
      providerName: "CRM",
      connection: "default",
      displayName: "Default",
      mode: "user",
      type: "bearer",
    },
    ...{
      state: "needs_connection",
      instances: [],
      form,
      next: { kind: "enter", url: base, fields: [token, site] },
    },
  });
  await enter(harness, ada);
  expect(await statusOf(harness, ada)).toMatchObject({
    state: "ready",
    reason: undefined,
    next: undefined,
    form,
  });
  expect(await statusOf(harness, person("usr_eve"))).toMatchObject({
    state: "needs_connection",
    instances: [],
  });
  await enter(harness, ada, "two");
  expect(await statusOf(harness, ada)).toMatchObject({
    state: "needs_instance_selection",
    next: { kind: "choose_instance", instances: ["default", "two"] },
    instances: [{ instance: "default", shared: false }, { instance: "two" }],
  });
  await harness.connecting.connections(ada).disconnect({ provider: "crm", instance: "default" });
  const [stored] = await harness.credentials.list({ tenant: "acme", owner: { kind: "user", id: "usr_ada" } });
  if (stored === undefined) throw new Error("nothing is stored");
  const state = { kind: "reconnect_required", reason: "It was refused.", wanted: [] } as const;
  await harness.credentials.put(stored.reference, { ...stored, state }, stored, false);
  expect(await statusOf(harness, ada)).toMatchObject({
    state: "reconnect_required",
    reason: "It was refused.",
    next: { kind: "enter", url: `${base}&instance=two` },
    instances: [{ state: "reconnect_required", reason: "It was refused." }],
  });
});

test("what the tenant shares", async () => {
  const harness = await createHarness([connection(bearer(), { mode: "tenant" })]);
  expect(await statusOf(harness, ada)).toMatchObject({
    ...{ state: "needs_connection", next: undefined, form: undefined },
    reason: expect.stringContaining("admin of tenant `acme`"),
  });
  expect(await statusOf(harness, admin)).toMatchObject({
    state: "needs_connection",
    next: { kind: "enter" },
  });
  await enter(harness, admin);
  expect(await statusOf(harness, ada)).toMatchObject({ state: "ready", instances: [{ shared: true }] });
  expect(await statusOf(harness, person("usr_ada", { tenant: "globex" }))).toMatchObject({
    state: "needs_connection",
  });
});

test("with `either` both are told, and the own one counts", async () => {
  const harness = await createHarness([connection(bearer(), { mode: "either" })]);
  await enter(harness, admin, "a", true);
  await enter(harness, admin, "b", true);
  expect(await statusOf(harness, ada)).toMatchObject({ state: "needs_instance_selection" });
  await enter(harness, ada);
  expect(await statusOf(harness, ada)).toMatchObject({
    state: "ready",
    instances: [{ shared: false }, { instance: "a", shared: true }, { instance: "b", shared: true }],
  });
});

test("the gateway's own is connected by an operator and tells nothing of itself", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server), { mode: "identity" })]);
  expect(await statusOf(harness, admin)).toMatchObject({ state: "needs_configuration", form: undefined });
  expect(await statusOf(harness, operator)).toMatchObject({
    state: "needs_connection",
    next: { kind: "authorize", url: base, params: [] },
  });
  expect((await failureOf(start(harness, admin))).code).toBe("forbidden");
  expect((await failureOf(start(harness, operator, { instance: "two" }))).code).toBe("bad_request");
  expect(await connect(harness, server, operator)).toMatchObject({ kind: "connected", shared: false });
  for (const as of [operator, ada, person("usr_bob", { tenant: "globex" })])
    expect(await statusOf(harness, as)).toMatchObject({ state: "ready", instances: [] });
  expect(await harness.store.gateway.list("credential")).toHaveLength(1);
  expect(await harness.connecting.connections(operator).disconnect({ provider: "crm" })).toMatchObject({
    revoked: "yes",
  });
});

test("who acts for another tenant is sent to a page of that tenant", async () => {
  const harness = await createHarness([connection(bearer())]);
  const acting = person("usr_ada", { tenant: "globex", home: "acme" });
  expect(await statusOf(harness, acting)).toMatchObject({ next: { url: `${base}&tenant=globex` } });
});

test("a token that is narrowed may look", async () => {
  const harness = await createHarness([connection(bearer())]);
  expect(await statusOf(harness, { ...ada, scopes: ["crm"] })).toMatchObject({
    state: "needs_connection",
    next: { url: base },
  });
});

test("what can't be read is unavailable, and never not connected", async () => {
  let fails = false;
  const harness = await createHarness([connection(bearer())], {
    wrap: (store) => ({
      ...{ gateway: store.gateway, find: store.find.bind(store), tenantsWith: store.tenantsWith.bind(store) },
      ...{ backup: store.backup.bind(store), close: store.close.bind(store) },
      epoch: (kinds) => {
        if (fails) throw new Error("the disk is gone");
        return store.epoch(kinds);
      },
      tenant: (id) => store.tenant(id),
    }),
  });
  await enter(harness, ada);
  fails = true;
  expect(await statusOf(harness, ada)).toMatchObject({
    state: "unavailable",
    next: undefined,
    instances: [],
  });
  expect((await failureOf(enter(harness, ada))).code).toBe("store_unavailable");
});
