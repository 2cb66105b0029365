import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createCredentialStore } from "../../src/credentials/create-credential-store.ts";
import type { CredentialStore } from "../../src/credentials/credential-store.ts";
import { findStrayCredentials } from "../../src/credentials/prune-credentials.ts";
import type { ProviderConfig } from "../../src/model/config.ts";
import type { CredentialReference } from "../../src/model/credential.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { type Store, StoreError } from "../../src/store/store.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";
import { vaultOf } from "../vault/keys.ts";
import { bearer, connection, provider } from "./flows/harness.ts";
import { factsOf, referenceOf } from "./stored.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let store: Store;
let credentials: CredentialStore;
const log: string[] = [];
beforeEach(async () => {
  folder = await temporaryFolder();
  store = await openSqliteStore(join(folder.path, "gestalt.db"));
  credentials = over("one");
});
afterEach(async () => {
  await store.close();
  await folder.remove();
});

const over = (...keys: readonly string[]) =>
  createCredentialStore({ store, vault: vaultOf(...keys), log: (message) => log.push(message) });

const put = (changes: Partial<CredentialReference>, into = credentials) =>
  into.put(referenceOf(changes), factsOf({ access_token: "canary" }), "absent", true);

/** `crm` with the connection `default`. */
const providers: readonly ProviderConfig[] = [provider([connection(bearer())])];

const find = (keys: readonly string[] = ["one"], from: Store = store) =>
  findStrayCredentials({ store: from, vault: vaultOf(...keys), providers, log: () => {} });

const gateway = { tenant: "", owner: { kind: "gateway", id: "gateway" } } as const;

test("finds those of all tenants and of the gateway itself, whoever owns them", async () => {
  await put({});
  await put({ provider: "gone" });
  await put({ ...gateway, provider: "gone" });
  await put({ tenant: "blue", owner: { kind: "tenant", id: "blue" }, connection: "gone" });
  await put({ connection: "constructor" });
  const { found, unreadable } = await find();
  expect(unreadable).toBe(0);
  const names = found.map(({ reference, missing }) => [
    reference.tenant,
    reference.provider,
    reference.connection,
    missing,
  ]);
  expect(names).toEqual([
    ["", "gone", "default", "provider"],
    ["acme", "crm", "constructor", "connection"],
    ["acme", "gone", "default", "provider"],
    ["blue", "crm", "gone", "connection"],
  ]);
  expect(JSON.stringify(found)).not.toContain("canary");
});

test("removes them and nothing else", async () => {
  await put({});
  await put({ provider: "gone" });
  await put({ ...gateway, provider: "gone" });
  const stray = await find();
  expect(await stray.remove()).toBe(2);
  expect(await stray.remove()).toBe(0);
  expect(await credentials.get(referenceOf())).toBeDefined();
  expect(await credentials.get(referenceOf({ provider: "gone" }))).toBeUndefined();
  expect((await find()).found).toEqual([]);
});

test("goes past one page", async () => {
  for (let index = 0; index < 205; index += 1) await put({ provider: "gone", instance: `i${index}` });
  const stray = await find();
  expect(stray.found).toHaveLength(205);
  expect(await stray.remove()).toBe(205);
});

test("leaves what can't be opened, and counts it", async () => {
  await put({ provider: "gone" }, over("other"));
  await put({ provider: "gone", instance: "second" });
  await store.tenant("acme").write([
    // Another id than any credential has, and values that none has.
    { action: "put", kind: "credential", id: "no-credential", value: {}, expected: "absent" },
    {
      ...{ action: "put", kind: "credential", id: "user:usr_a/gone/default/third", expected: "absent" },
      value: { version: 1, sealed: { access_token: "x" } },
    },
    {
      ...{ action: "put", kind: "credential", id: "user:usr_a/crm/default/fourth", expected: "absent" },
      value: { version: 1 },
    },
  ]);
  const stray = await find();
  expect(stray.found.map(({ reference }) => reference.instance)).toEqual(["second"]);
  // What belongs to a connection of the file is no business of this.
  expect(stray.unreadable).toBe(3);
  expect(await stray.remove()).toBe(1);
  expect(await store.tenant("acme").list("credential")).toHaveLength(4);
});

test("without any key removes nothing", async () => {
  await put({ provider: "gone" });
  const stray = await find([]);
  expect(stray).toMatchObject({ found: [], unreadable: 1 });
  expect(await stray.remove()).toBe(0);
  expect((await find()).found).toHaveLength(1);
});

test("what was changed meanwhile is removed, what can't be opened any more is not", async () => {
  const first = await put({ provider: "gone" });
  await put({ provider: "gone", instance: "second" });
  const stray = await find();
  await credentials.put(first.reference, factsOf({ access_token: "new" }), first, true);
  const id = "user:usr_a/gone/default/second";
  const record = await store.tenant("acme").get("credential", id);
  const value = { ...record?.value, sealed: { access_token: "x" } };
  await store.tenant("acme").write([{ action: "put", kind: "credential", id, value, expected: "any" }]);
  expect(await stray.remove()).toBe(1);
  expect(await store.tenant("acme").list("credential")).toMatchObject([{ id }]);
});

test("a store that fails is said to", async () => {
  const failing: Store = {
    ...store,
    tenantsWith: async () => {
      throw new StoreError("unavailable", "The disk is gone.");
    },
  };
  await expect(find(["one"], failing)).rejects.toMatchObject({ code: "store_unavailable" });
});
