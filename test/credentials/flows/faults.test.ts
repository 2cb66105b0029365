import { expect, test } from "vitest";
import { Secret } from "../../../src/secret.ts";
import { type Change, type Store, StoreError, type TenantStore } from "../../../src/store/store.ts";
import { startAuthorizationServer } from "../authorization-server.ts";
import {
  bearer,
  callbackOf,
  connect,
  connection,
  createHarness,
  failureOf,
  type Harness,
  oauth2,
  person,
  start,
} from "./harness.ts";

const ada = person("usr_ada");

/** Fails at the writes that it is told to, counted from the last time that it was told. */
function failing(): {
  fault: (changes: readonly Change[], count: number) => boolean;
  count: number;
  reads: boolean;
  wrap(store: Store): Store;
} {
  const before = (own: TenantStore): TenantStore => ({
    tenant: own.tenant,
    get: async (kind, id) => {
      if (!faults.reads) throw new StoreError("unavailable", "canary-disk");
      return own.get(kind, id);
    },
    list: async (...all) => {
      if (!faults.reads) throw new StoreError("unavailable", "canary-disk");
      return own.list(...all);
    },
    write: async (changes) => {
      faults.count += 1;
      if (faults.fault(changes, faults.count))
        throw new StoreError("unavailable", "canary-disk", new Error("canary-disk"));
      await own.write(changes);
    },
    acquireLease: own.acquireLease.bind(own),
    renewLease: own.renewLease.bind(own),
    releaseLease: own.releaseLease.bind(own),
    clear: own.clear.bind(own),
  });
  const faults = {
    fault: (_changes: readonly Change[], _count: number): boolean => false,
    count: 0,
    reads: true,
    wrap: (store: Store): Store => ({
      tenant: (id) => before(store.tenant(id)),
      gateway: before(store.gateway),
      find: store.find.bind(store),
      epoch: store.epoch.bind(store),
      tenantsWith: store.tenantsWith.bind(store),
      backup: store.backup.bind(store),
      close: store.close.bind(store),
    }),
  };
  return faults;
}

async function stored(harness: Harness): Promise<number> {
  return (await harness.store.tenant("acme").list("credential")).length;
}

test("whichever write fails: the error says so, nothing is half done, and trying again works", async () => {
  await using server = await startAuthorizationServer();
  const faults = failing();
  const harness = await createHarness([connection(oauth2(server))], { wrap: faults.wrap });
  let writes = 0;
  for (let failed = 1; ; failed += 1) {
    faults.count = 0;
    faults.fault = (_changes, count) => count === failed;
    const [end] = await Promise.allSettled([connect(harness, server, ada)]);
    if (end?.status === "fulfilled") {
      writes = faults.count;
      break;
    }
    expect(end?.reason).toMatchObject({ code: "store_unavailable", retryable: true });
    expect(String(end?.reason)).not.toContain("canary-disk");
    expect(await stored(harness)).toBe(0);
  }
  expect(writes).toBeGreaterThanOrEqual(3);
  expect(server.userOf((await harness.secretOf(ada)) ?? "")).toBe("usr_ada");
});

test("a credential that can't be stored: its tokens are revoked, and the error says that nothing was stored", async () => {
  await using server = await startAuthorizationServer();
  const faults = failing();
  const harness = await createHarness([connection(oauth2(server))], { wrap: faults.wrap });
  faults.fault = (changes) => changes.some(({ kind }) => kind === "credential");
  const failure = await failureOf(connect(harness, server, ada));
  expect(failure).toMatchObject({
    code: "store_unavailable",
    message: expect.stringContaining("Nothing was stored."),
  });
  const [exchange] = server.requestsTo("token");
  expect(exchange).toBeDefined();
  expect(server.requestsTo("revoke")).toHaveLength(2);
  expect(harness.changes).toEqual([]);
});

test("one that would have replaced another leaves that one as it was, and good", async () => {
  await using server = await startAuthorizationServer();
  const faults = failing();
  const harness = await createHarness([connection(oauth2(server))], { wrap: faults.wrap });
  await connect(harness, server, ada);
  const before = await harness.secretOf(ada);
  faults.fault = (changes) => changes.some(({ kind }) => kind === "credential");
  await failureOf(connect(harness, server, ada));
  expect(await harness.secretOf(ada)).toBe(before);
  // Many servers would end all grants of this client and person.
  expect(server.requestsTo("revoke")).toEqual([]);
  expect(server.userOf(before ?? "")).toBe("usr_ada");
});

test("a flow that can't be used up is not gone on with", async () => {
  await using server = await startAuthorizationServer();
  const faults = failing();
  const harness = await createHarness([connection(oauth2(server))], { wrap: faults.wrap });
  const { authorizationUrl } = await start(harness, ada);
  const callback = callbackOf(await server.approve(authorizationUrl, "ada"));
  faults.fault = (changes) => changes.some(({ action }) => action === "delete");
  expect((await failureOf(harness.connecting.finishOAuth(ada, callback))).code).toBe("store_unavailable");
  expect(server.requestsTo("token")).toEqual([]);
  faults.fault = () => false;
  await expect(harness.connecting.finishOAuth(ada, callback)).resolves.toMatchObject({ kind: "connected" });
});

test("while the store can't be read nothing counts as absent", async () => {
  await using server = await startAuthorizationServer();
  const faults = failing();
  const harness = await createHarness([connection(oauth2(server))], { wrap: faults.wrap });
  const connections = harness.connecting.connections(ada);
  await connect(harness, server, ada);
  const { authorizationUrl } = await start(harness, ada);
  const callback = callbackOf(await server.approve(authorizationUrl, "ada"));
  // What was kept in memory is not asked for again; another person's is.
  faults.reads = false;
  const eve = harness.connecting.connections(person("usr_eve"));
  expect(await eve.list()).toMatchObject([{ state: "unavailable" }]);
  for (const work of [
    () => harness.connecting.finishOAuth(ada, callback),
    () => connections.select("A".repeat(43), "x"),
    () => eve.startOAuth({ provider: "crm" }),
    () => eve.disconnect({ provider: "crm" }),
  ])
    expect(await failureOf(work())).toMatchObject({ code: "store_unavailable" });
  faults.reads = true;
  await expect(harness.connecting.finishOAuth(ada, callback)).resolves.toMatchObject({ kind: "connected" });
});

test("what can't be removed is still there, and the error says so", async () => {
  const faults = failing();
  const harness = await createHarness([connection(bearer())], { wrap: faults.wrap });
  const connections = harness.connecting.connections(ada);
  await connections.connectManual({ provider: "crm", fields: { token: new Secret("t") } });
  faults.fault = () => true;
  expect((await failureOf(connections.disconnect({ provider: "crm" }))).code).toBe("store_unavailable");
  expect(await harness.secretOf(ada, "token")).toBe("t");
});

test.each<[string, (value: { readonly version: unknown; readonly sealed: unknown }) => object]>([
  ["nothing", () => ({})],
  ["another field", ({ version, sealed }) => ({ version, sealed: { other: Object(sealed)["flow"] } })],
  ["no text", ({ version }) => ({ version, sealed: { flow: 1 } })],
  ["a text of nobody", ({ version }) => ({ version, sealed: { flow: "gv1.0000000000000000.AAAA" } })],
])("a flow that was tampered with (%s) counts as unknown, and is logged", async (_what, change) => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  const { authorizationUrl } = await start(harness, ada);
  const callback = callbackOf(await server.approve(authorizationUrl, "ada"));
  const store = harness.store.tenant("acme");
  const [record] = await store.list("flow");
  if (record === undefined) throw new Error("there is no flow");
  const { id, kind, expiresAt } = record;
  const { version, sealed } = record.value;
  const value = JSON.parse(JSON.stringify(change({ version, sealed })));
  await store.write([{ action: "put", kind, id, expiresAt, value, expected: "any" }]);
  const failure = await failureOf(harness.connecting.finishOAuth(ada, callback));
  expect(["bad_request", "store_unavailable"]).toContain(failure.code);
  expect(server.requestsTo("token")).toEqual([]);
});

test("a flow of another person does not open in the place of one's own", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  const store = harness.store.tenant("acme");
  await start(harness, person("usr_eve"));
  const [foreign] = await store.list("flow");
  const mine = await start(harness, ada);
  const own = (await store.list("flow")).find(({ id }) => id !== foreign?.id);
  if (foreign === undefined || own === undefined) throw new Error("there are two flows");
  await store.write([{ action: "put", kind: "flow", id: own.id, value: foreign.value, expected: "any" }]);
  const callback = callbackOf(await server.approve(mine.authorizationUrl, "ada"));
  expect((await failureOf(harness.connecting.finishOAuth(ada, callback))).message).toContain(
    "is not known here",
  );
  expect(harness.log.join()).toContain("counts as unknown");
});
