import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { credentialId } from "../../src/credentials/credential-id.ts";
import { credentialValue } from "../../src/credentials/credential-record.ts";
import { isJsonObject } from "../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import type { KeyUse } from "../../src/model/keys.ts";
import { Secret } from "../../src/secret.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { boundFacts } from "../../src/vault/bound-facts.ts";
import { guardVault } from "../../src/vault/guard-vault.ts";
import { markInUse, readMarker } from "../../src/vault/key-marker.ts";
import { readKeyStatus } from "../../src/vault/key-status.ts";
import { rotateKeys } from "../../src/vault/rotate-keys.ts";
import { contextOf, openFields, sealFields } from "../../src/vault/seal-fields.ts";
import { VaultError } from "../../src/vault/vault.ts";
import { factsOf, referenceOf } from "../credentials/stored.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";
import { fillStore, openAll } from "./fill-store.ts";
import { vaultOf } from "./keys.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let store: Store;
beforeEach(async () => {
  folder = await temporaryFolder();
  store = await openSqliteStore(join(folder.path, "gestalt.db"));
});
afterEach(async () => {
  await store.close();
  await folder.remove();
});

const fingerprintOf = (name: string) => vaultOf(name).keys()[0]?.fingerprint ?? "";
const short = ({ id, fingerprint, ...rest }: KeyUse) => ({ name: id ?? fingerprint, ...rest });

describe("rotating", () => {
  test("seals everything with the first key, of all kinds and tenants, and keeps all else", async () => {
    await fillStore(store, vaultOf("old"), 1_000);
    const flow = { tenant: "acme", kind: "flow", id: "f1", version: 3, value: {} } as const;
    const value = {
      version: 3,
      sealed: sealFields(vaultOf("old"), flow, { verifier: new Secret("v") }),
      more: [1],
    };
    const expiresAt = Date.now() + 600_000;
    await store
      .tenant("acme")
      .write([{ action: "put", kind: "flow", id: "f1", value, expiresAt, lookup: "l", expected: "any" }]);
    await store
      .tenant("acme")
      .write([{ action: "put", kind: "client", id: "c", value: {}, expected: "any" }]);
    const seen: number[] = [];
    const done = await rotateKeys({
      store,
      vault: vaultOf("new", "old"),
      progress: ({ rewrapped }) => seen.push(rewrapped),
    });
    expect(done).toEqual({
      active: fingerprintOf("new"),
      seen: 1_002,
      rewrapped: 1_001,
      failed: 0,
      failures: [],
    });
    expect(seen.length).toBeGreaterThan(4);
    expect(seen).toEqual(seen.toSorted((first, second) => first - second));
    expect(await openAll(store, vaultOf("new"))).toBe(1_000);
    const record = await store.tenant("acme").get("flow", "f1");
    expect(record).toMatchObject({ expiresAt, lookup: "l", value: { version: 3, more: [1] } });
    expect(openFields(vaultOf("new"), flow, record?.value["sealed"])["verifier"]?.reveal()).toBe("v");
    // Again there is nothing to do.
    expect(await rotateKeys({ store, vault: vaultOf("new", "old") })).toMatchObject({
      rewrapped: 0,
      failed: 0,
    });
  });

  test("leaves what it can't open as it is, and names it", async () => {
    await fillStore(store, vaultOf("lost"), 5);
    const done = await rotateKeys({ store, vault: vaultOf("new") });
    expect(done).toMatchObject({ rewrapped: 0, failed: 5 });
    expect(done.failures[0]).toEqual({
      tenant: "",
      kind: "credential",
      id: "gateway:gateway/crm/default/i0",
    });
    expect(await openAll(store, vaultOf("lost"))).toBe(5);
  });

  test("back to an older key works, and is the newest one then", async () => {
    await fillStore(store, vaultOf("old"), 10);
    await rotateKeys({ store, vault: vaultOf("new", "old") });
    expect(await readMarker(store)).toEqual([fingerprintOf("old"), fingerprintOf("new")]);
    await rotateKeys({ store, vault: vaultOf("old", "new") });
    expect(await readMarker(store)).toEqual([fingerprintOf("new"), fingerprintOf("old")]);
    expect(await openAll(store, vaultOf("old"))).toBe(10);
  });

  test("needs a key", async () => {
    await expect(rotateKeys({ store, vault: vaultOf() })).rejects.toMatchObject({ code: "no_key" });
  });

  test("two at once do the work once", async () => {
    await fillStore(store, vaultOf("old"), 500);
    const other = await openSqliteStore(join(folder.path, "gestalt.db"));
    const both = await Promise.all(
      [store, other].map((each) => rotateKeys({ store: each, vault: vaultOf("new", "old") })),
    );
    await other.close();
    expect(both.map(({ failed }) => failed)).toEqual([0, 0]);
    expect(both.reduce((sum, { rewrapped }) => sum + rewrapped, 0)).toBe(500);
    expect(await openAll(store, vaultOf("new"))).toBe(500);
  });
});

describe("the status", () => {
  test("tells which key is needed for how much, and which may go", async () => {
    await fillStore(store, vaultOf("old"), 10);
    const ring = vaultOf("new", "old");
    expect((await readKeyStatus(store, ring)).keys.map(short)).toEqual([
      { name: "new", configured: true, active: true, records: 0, removable: false },
      { name: "old", configured: true, active: false, records: 10, removable: false },
    ]);
    await rotateKeys({ store, vault: ring });
    expect((await readKeyStatus(store, ring)).keys.map(short)).toEqual([
      { name: "new", configured: true, active: true, records: 10, removable: false },
      { name: "old", configured: true, active: false, records: 0, removable: true },
    ]);
    expect((await readKeyStatus(store, vaultOf("other"))).keys.map(short)).toEqual([
      { name: "other", configured: true, active: true, records: 0, removable: false },
      { name: fingerprintOf("new"), configured: false, active: false, records: 10, removable: false },
    ]);
  });

  test("of nothing is empty", async () => {
    expect(await readKeyStatus(store, vaultOf())).toEqual({ keys: [] });
  });
});

describe("the guard", () => {
  test("lets pass where nothing is sealed, whatever the keys", async () => {
    await guardVault(store, vaultOf());
    await guardVault(store, vaultOf("one"));
  });

  test("refuses where a key is missing, names it and what is there, and lets pass with it", async () => {
    await fillStore(store, vaultOf("old"), 5);
    await expect(guardVault(store, vaultOf())).rejects.toMatchObject({
      code: "internal",
      message: expect.stringMatching(
        `${fingerprintOf("old")} \\(5 records\\); no encryption key is configured`,
      ),
    });
    await expect(guardVault(store, vaultOf("new"))).rejects.toThrow(
      `${fingerprintOf("old")} (5 records); only ${fingerprintOf("new")} (\`new\`) is configured`,
    );
    await guardVault(store, vaultOf("new", "old"));
    await guardVault(store, vaultOf("old"));
  });

  test("needs a key no more once nothing is sealed with it, and forgets it", async () => {
    await fillStore(store, vaultOf("old"), 5);
    await rotateKeys({ store, vault: vaultOf("new", "old") });
    await guardVault(store, vaultOf("new"));
    expect(await readMarker(store)).toEqual([fingerprintOf("new")]);
    for (const tenant of ["acme", "blue", "crimson", "dune"]) await store.tenant(tenant).clear();
    await expect(guardVault(store, vaultOf())).rejects.toThrow(/1 record\)/);
    await store.gateway.write([
      { action: "delete", kind: "credential", id: "gateway:gateway/crm/default/i0", expected: "any" },
    ]);
    await guardVault(store, vaultOf());
  });

  test("looks at the records where there is no marker, and refuses one that it does not know", async () => {
    await fillStore(store, vaultOf("old"), 5);
    await store.gateway.write([{ action: "delete", kind: "vault", id: "state", expected: "any" }]);
    await expect(guardVault(store, vaultOf())).rejects.toMatchObject({ code: "internal" });
    await store.gateway.write([
      { action: "put", kind: "vault", id: "state", value: { fingerprints: "all" }, expected: "any" },
    ]);
    await expect(guardVault(store, vaultOf("old"))).rejects.toMatchObject({ code: "store_unavailable" });
  });

  test("is not held up by an authorization under way", async () => {
    const flow = { tenant: "acme", kind: "flow", id: "f", version: 1, value: {} } as const;
    const vault = vaultOf("old");
    await markInUse(store, vault);
    const sealed = sealFields(vault, flow, { verifier: new Secret("v") });
    await store
      .tenant("acme")
      .write([{ action: "put", kind: "flow", id: "f", value: { version: 1, sealed }, expected: "any" }]);
    await guardVault(store, vaultOf("new"));
  });
});

describe("contexts", () => {
  const id = credentialId(referenceOf({ owner: { kind: "user", id: "usr_a@blue" }, connection: "a/b" }));
  const value = credentialValue({ facts: factsOf({}), version: 2, sealed: {} });
  const credential = { tenant: "acme", kind: "credential", id, version: 2, value } as const;

  test("of credentials name their parts, those of other records the record", () => {
    expect(contextOf(credential, "access_token", ["access_token"])).toEqual({
      tenant: "acme",
      owner: "user:usr_a@blue",
      provider: "crm",
      connection: "a%002fb",
      instance: "default",
      field: "access_token",
      version: 2,
      facts: expect.stringContaining("https://auth.example.com/token"),
    });
    const client = { tenant: "", kind: "client", id: "a/b/c/d", version: 1, value: {} } as const;
    expect(contextOf(client, "client_secret", ["client_secret"]).owner).toBe("client/a/b/c/d");
  });

  test("are the same however the store orders the members of a value, and another one for another member", () => {
    const reversed = (written: JsonValue): JsonValue =>
      isJsonObject(written)
        ? Object.fromEntries(
            Object.entries(written)
              .toReversed()
              .map(([name, member]) => [name, reversed(member)]),
          )
        : written;
    const params = { a: "1", b: "2", "1": "x", ["__proto__"]: "y" };
    const oauth = { token_url: "https://a", client_id: "b" };
    const facts = (changes: JsonObject) =>
      boundFacts("credential", { ...value, params, oauth, ...changes }, []);
    expect(facts({ params: reversed(params), oauth: reversed(oauth) })).toBe(facts({}));
    const others = [
      ...[
        { type: "manual" },
        { params: {} },
        { params: { ...params, a: "2", b: "1" } },
        { params: [params] },
      ],
      ...[{ oauth: null }, { oauth: { ...oauth, token_url: "https://b" } }, { params: oauth, oauth: params }],
    ].map(facts);
    expect(new Set([facts({}), ...others]).size).toBe(others.length + 1);
    expect(boundFacts("credential", value, ["a"])).not.toBe(boundFacts("credential", value, ["a", "b"]));
    // What changes while secrets stay as they are is no part of it.
    expect(facts({ expires_at: 1, state: { kind: "ready" }, refreshing: { since: 1, holder: "a" } })).toBe(
      facts({}),
    );
  });

  test("a record without secrets is sealed as well, and one without anything sealed does not open", () => {
    const vault = vaultOf("one");
    const sealed = sealFields(vault, credential, {});
    expect(Object.keys(sealed)).toHaveLength(1);
    expect(openFields(vault, credential, sealed)).toEqual({});
    expect(() => openFields(vault, credential, {})).toThrow(VaultError);
    expect(() => openFields(vault, { ...credential, value: { ...value, type: "manual" } }, sealed)).toThrow(
      VaultError,
    );
  });

  test("hold all fields: one that is taken away leaves nothing that opens", () => {
    const vault = vaultOf("one");
    const { a = "", b = "" } = sealFields(vault, credential, { a: new Secret("1"), b: new Secret("2") });
    expect(Object.keys(openFields(vault, credential, { b, a }))).toEqual(["b", "a"]);
    expect(() => openFields(vault, credential, { a })).toThrow(VaultError);
  });
});
