import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createCredentialStore } from "../../src/credentials/create-credential-store.ts";
import { credentialId, credentialPrefix, parseCredentialId } from "../../src/credentials/credential-id.ts";
import type { CredentialStore, StoredCredential } from "../../src/credentials/credential-store.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import type { Store, TenantStore } from "../../src/store/store.ts";
import { createVault } from "../../src/vault/create-vault.ts";
import { guardVault } from "../../src/vault/guard-vault.ts";
import { readMarker } from "../../src/vault/key-marker.ts";
import { rotateKeys } from "../../src/vault/rotate-keys.ts";
import { keysOf } from "../../src/vault/seal-fields.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";
import { keyNamed, vaultOf, writtenKey } from "../vault/keys.ts";
import { factsOf, referenceOf } from "./stored.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let stores: Store[];
let log: string[];

beforeEach(async () => {
  folder = await temporaryFolder();
  stores = [];
  log = [];
});
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await folder.remove();
});

async function openStore(): Promise<Store> {
  const store = await openSqliteStore(join(folder.path, "gestalt.db"));
  stores.push(store);
  return store;
}

function credentialsOver(store: Store, vault: Vault = vaultOf("one")): CredentialStore {
  return createCredentialStore({
    store,
    vault,
    log: (message, cause) => log.push(`${message} ${String(cause)}`),
  });
}

function reveal(credential: StoredCredential | undefined): Readonly<Record<string, string>> | undefined {
  return (
    credential &&
    Object.fromEntries(Object.entries(credential.secrets).map(([name, secret]) => [name, secret.reveal()]))
  );
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no error";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** The value of a record, changed behind the back of everything. */
async function tamper(
  store: Store,
  change: (value: Record<string, unknown>) => void,
  reference = referenceOf(),
): Promise<void> {
  const tenant = store.tenant(reference.tenant);
  const id = credentialId(reference);
  const record = await tenant.get("credential", id);
  const value = JSON.parse(JSON.stringify(record?.value));
  change(value);
  await tenant.write([{ action: "put", kind: "credential", id, value, expected: "any" }]);
}

describe("a credential", () => {
  test("comes back as it was put, in this process and in another", async () => {
    const store = await openStore();
    const credentials = credentialsOver(store);
    const facts = factsOf(
      { access_token: "at-1", refresh_token: "rt-1" },
      {
        state: { kind: "reconnect_required", reason: "It was revoked.", wanted: ["write"] },
        refreshing: { since: 5, holder: "a" },
      },
    );
    const put = await credentials.put(referenceOf(), facts, "absent", true);
    expect(await credentials.get(referenceOf())).toEqual(put);
    const other = await credentialsOver(await openStore()).get(referenceOf());
    expect(other).toEqual(put);
    expect(reveal(other)).toEqual({ access_token: "at-1", refresh_token: "rt-1" });
    const { reference, version, recordVersion, ...rest } = put;
    expect(rest).toEqual(facts);
    expect(reference).toEqual(referenceOf());
    expect(version).toBeGreaterThan(0);
    expect(recordVersion).toBeGreaterThan(0);
  });

  test("has members that are absent where they may be", async () => {
    const credentials = credentialsOver(await openStore());
    const facts = factsOf({}, { type: "manual", expiresAt: undefined, scopes: undefined, oauth: undefined });
    const {
      reference: _r,
      version: _v,
      recordVersion: _n,
      ...rest
    } = await credentials.put(referenceOf(), facts, "any", true);
    expect(rest).toEqual(facts);
  });

  test("stands in no readable form in the file", async () => {
    const store = await openStore();
    await credentialsOver(store).put(
      referenceOf(),
      factsOf({ access_token: "canary-token" }),
      "absent",
      true,
    );
    const record = await store.tenant("acme").get("credential", credentialId(referenceOf()));
    expect(JSON.stringify(record)).not.toContain("canary");
    expect(JSON.stringify(record)).not.toContain(
      Buffer.from("canary-token").toString("base64url").slice(0, 10),
    );
  });

  test("is there for its owner, tenant, provider, connection and instance only", async () => {
    const credentials = credentialsOver(await openStore());
    const places = [
      referenceOf(),
      referenceOf({ tenant: "other" }),
      referenceOf({ owner: { kind: "tenant", id: "acme" } }),
      referenceOf({ owner: { kind: "user", id: "usr_a@acme" } }),
      referenceOf({ tenant: "", owner: { kind: "gateway", id: "gateway" } }),
      referenceOf({ provider: "crm-2" }),
      referenceOf({ connection: "MCP" }),
      referenceOf({ instance: "work" }),
    ];
    for (const [index, place] of places.entries()) {
      expect(await credentials.get(place)).toBeUndefined();
      await credentials.put(place, factsOf({ access_token: `at-${index}` }), "absent", true);
    }
    for (const [index, place] of places.entries())
      expect(reveal(await credentials.get(place))).toEqual({ access_token: `at-${index}` });
  });
});

describe("ids of records", () => {
  const part = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.string({ unit: "binary", minLength: 1 }),
    fc.constantFrom("/", "%", "%002f", "a/b", ":", "user:", "@", "\ud800", ".", ".."),
  );
  const reference = fc.record({
    tenant: part,
    owner: fc.record({
      kind: fc.constantFrom("user" as const, "tenant" as const, "gateway" as const),
      id: part,
    }),
    provider: part,
    connection: part,
    instance: part,
  });

  test("lead back to the reference, and no two references have the same", () => {
    fc.assert(
      fc.property(reference, reference, (first, second) => {
        expect(parseCredentialId(first.tenant, credentialId(first))).toEqual(first);
        const isSame = JSON.stringify({ ...first, tenant: "" }) === JSON.stringify({ ...second, tenant: "" });
        expect(credentialId(first) === credentialId(second)).toBe(isSame);
        expect(
          credentialId(first).startsWith(credentialPrefix(first, first.provider, first.connection)),
        ).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("every other text is none", () => {
    for (const id of [
      "",
      "user:a",
      "user:a/b/c",
      "user:a/b/c/d/e",
      "who:a/b/c/d",
      "user:/b/c/d",
      "user:a/b/%41/d",
      "user:a/%0041/c/d",
      "user:a/b c/d/e",
    ])
      expect(parseCredentialId("acme", id), id).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (id) => {
        const parsed = parseCredentialId("acme", id);
        if (parsed !== undefined) expect(credentialId(parsed)).toBe(id);
      }),
    );
  });
});

describe("lists", () => {
  test("hold those of one owner in order, of a provider and of a connection where named", async () => {
    const credentials = credentialsOver(await openStore());
    const names = ["a-b/x/1", "a/y/1", "a/x/2", "a/x/1", "a/x-y/1", "a.b/x/1", "b/x/1"];
    for (const name of names) {
      const [provider = "", connection = "", instance = ""] = name.split("/");
      await credentials.put(referenceOf({ provider, connection, instance }), factsOf({}), "absent", true);
    }
    await credentials.put(
      referenceOf({ owner: { kind: "user", id: "usr_ab" } }),
      factsOf({}),
      "absent",
      true,
    );
    const namesOf = (list: readonly StoredCredential[]) =>
      list.map(
        ({ reference: { provider, connection, instance } }) => `${provider}/${connection}/${instance}`,
      );
    const owner = referenceOf();
    expect(namesOf(await credentials.list(owner))).toEqual([
      "a/x/1",
      "a/x/2",
      "a/x-y/1",
      "a/y/1",
      "a-b/x/1",
      "a.b/x/1",
      "b/x/1",
    ]);
    expect(namesOf(await credentials.list(owner, "a"))).toEqual(["a/x/1", "a/x/2", "a/x-y/1", "a/y/1"]);
    expect(namesOf(await credentials.list(owner, "a", "x"))).toEqual(["a/x/1", "a/x/2"]);
    expect(await credentials.list(owner, "c")).toEqual([]);
  });

  test("of one owner among many are read without those of the others", async () => {
    const store = await openStore();
    const writer = credentialsOver(store);
    const owners = Array.from({ length: 300 }, (_, index) => ({
      tenant: "acme",
      owner: { kind: "user", id: `usr_${index}` } as const,
    }));
    await Promise.all(
      owners.map((owner) => writer.put(referenceOf(owner), factsOf({ access_token: "1" }), "absent", true)),
    );
    let read = 0;
    const counting = (tenant: TenantStore): TenantStore => ({
      ...{ tenant: tenant.tenant, get: (kind, id) => tenant.get(kind, id), clear: () => tenant.clear() },
      list: async (...all) => {
        const page = await tenant.list(...all);
        read += page.length;
        return page;
      },
      write: (changes) => tenant.write(changes),
      acquireLease: (...all) => tenant.acquireLease(...all),
      renewLease: (...all) => tenant.renewLease(...all),
      releaseLease: (...all) => tenant.releaseLease(...all),
    });
    const credentials = credentialsOver({ ...portOf(store), tenant: (id) => counting(store.tenant(id)) });
    for (const owner of owners) expect(await credentials.list(owner, "crm", "default")).toHaveLength(1);
    expect(read).toBeLessThan(owners.length * 10);
  });

  test("of more than a page are whole", async () => {
    const credentials = credentialsOver(await openStore());
    await Promise.all(
      Array.from({ length: 450 }, (_, index) =>
        credentials.put(referenceOf({ instance: `i${index}` }), factsOf({}), "absent", true),
      ),
    );
    expect(await credentials.list(referenceOf())).toHaveLength(450);
  });
});

describe("compare-and-swap", () => {
  test("`absent` puts once, a credential fits once", async () => {
    const credentials = credentialsOver(await openStore());
    const first = await credentials.put(referenceOf(), factsOf({ access_token: "1" }), "absent", true);
    expect(await codeOf(credentials.put(referenceOf(), factsOf({}), "absent", true))).toBe("conflict");
    const second = await credentials.put(referenceOf(), factsOf({ access_token: "2" }), first, true);
    expect(second.version).toBe(first.version + 1);
    expect(await codeOf(credentials.put(referenceOf(), factsOf({}), first, true))).toBe("conflict");
    expect(await codeOf(credentials.remove(first))).toBe("conflict");
    expect(reveal(await credentials.get(referenceOf()))).toEqual({ access_token: "2" });
    await credentials.remove(second);
    expect(await credentials.get(referenceOf())).toBeUndefined();
    expect(await codeOf(credentials.remove(second))).toBe("conflict");
    expect(await codeOf(credentials.put(referenceOf(), factsOf({}), second, true))).toBe("conflict");
  });

  test("of many that put at once, one wins", async () => {
    const credentials = credentialsOver(await openStore());
    const first = await credentials.put(referenceOf(), factsOf({ access_token: "1" }), "absent", true);
    const codes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        codeOf(credentials.put(referenceOf(), factsOf({ access_token: `n${index}` }), first, true)),
      ),
    );
    expect(codes.filter((code) => code === "no error")).toHaveLength(1);
    expect(codes.filter((code) => code === "conflict")).toHaveLength(19);
  });

  test("facts change while the secrets stay sealed as they are", async () => {
    const store = await openStore();
    const credentials = credentialsOver(store);
    const sealedOf = async () =>
      (await store.tenant("acme").get("credential", credentialId(referenceOf())))?.value["sealed"];
    const first = await credentials.put(referenceOf(), factsOf({ access_token: "1" }), "absent", true);
    const before = await sealedOf();
    const facts = factsOf({ access_token: "ignored" }, { refreshing: { since: 7, holder: "me" } });
    const second = await credentials.put(referenceOf(), facts, first, false);
    expect(await sealedOf()).toEqual(before);
    expect(second).toMatchObject({ version: first.version, refreshing: { since: 7, holder: "me" } });
    expect(reveal(second)).toEqual({ access_token: "1" });
    expect(await codeOf(credentials.put(referenceOf({ instance: "x" }), facts, "any", false))).toBe(
      "conflict",
    );
  });

  test("facts that decide where secrets go change with secrets that are sealed anew, as another version", async () => {
    const store = await openStore();
    const credentials = credentialsOver(store);
    const sealedOf = async () =>
      (await store.tenant("acme").get("credential", credentialId(referenceOf())))?.value["sealed"];
    const secrets = { access_token: "1", refresh_token: "2" };
    const first = factsOf(secrets, { params: { a: "1", b: "2" } });
    let current = await credentials.put(referenceOf(), first, "absent", true);
    for (const changes of [
      { params: { a: "1" } },
      { params: {} },
      { oauth: first.oauth && { ...first.oauth, tokenUrl: "https://other.example.com/token" } },
      { oauth: first.oauth && { ...first.oauth, namedBy: "upstream" as const } },
      { type: "bearer" as const, oauth: undefined },
      { type: "manual" as const, oauth: undefined },
    ]) {
      const before = await sealedOf();
      const facts = factsOf({ access_token: "ignored" }, changes);
      const next = await credentials.put(referenceOf(), facts, current, false);
      expect(next).toMatchObject({ version: current.version + 1, type: facts.type, params: facts.params });
      expect(await sealedOf()).not.toEqual(before);
      for (const read of [next, await credentialsOver(await openStore()).get(referenceOf())])
        expect(reveal(read)).toEqual(secrets);
      current = next;
    }
    // The same in another order is no change.
    const ordered = await credentials.put(referenceOf(), first, current, true);
    const before = await sealedOf();
    await credentials.put(referenceOf(), { ...first, params: { b: "2", a: "1" } }, ordered, false);
    expect(await sealedOf()).toEqual(before);
    await rotateKeys({ store, vault: vaultOf("two", "one") });
    expect(reveal(await credentialsOver(store, vaultOf("two")).get(referenceOf()))).toEqual(secrets);
  });

  test("what takes the place of a removed credential has another version", async () => {
    const store = await openStore();
    let time = 1_000;
    const credentials = createCredentialStore({
      store,
      vault: vaultOf("one"),
      log: () => {},
      now: () => time,
    });
    const first = await credentials.put(referenceOf(), factsOf({ access_token: "1" }), "absent", true);
    await credentials.remove(first);
    time += 1;
    const second = await credentials.put(referenceOf(), factsOf({ access_token: "2" }), "absent", true);
    expect(second.version).toBeGreaterThan(first.version);
  });

  test("what could not be read again is not written", async () => {
    const credentials = credentialsOver(await openStore());
    const facts = factsOf({}, { expiresAt: 1.5 });
    expect(await codeOf(credentials.put(referenceOf(), facts, "any", true))).toBe("internal");
    expect(await credentials.get(referenceOf())).toBeUndefined();
  });
});

describe("what is kept", () => {
  test("is answered without reading while nothing changes, and read again once it has", async () => {
    const store = await openStore();
    let reads = 0;
    const counting = (tenant: TenantStore): TenantStore => ({
      tenant: tenant.tenant,
      get: (kind, id) => {
        reads += kind === "credential" ? 1 : 0;
        return tenant.get(kind, id);
      },
      list: (...all) => {
        reads += 1;
        return tenant.list(...all);
      },
      write: (changes) => tenant.write(changes),
      acquireLease: (...all) => tenant.acquireLease(...all),
      renewLease: (...all) => tenant.renewLease(...all),
      releaseLease: (...all) => tenant.releaseLease(...all),
      clear: () => tenant.clear(),
    });
    const credentials = credentialsOver({ ...portOf(store), tenant: (id) => counting(store.tenant(id)) });
    const writer = credentialsOver(await openStore());
    const first = await writer.put(referenceOf(), factsOf({ access_token: "1" }), "absent", true);
    const one = await credentials.get(referenceOf());
    expect(await credentials.get(referenceOf())).toBe(one);
    const list = await credentials.list(referenceOf(), "crm");
    expect(await credentials.list(referenceOf(), "crm")).toBe(list);
    await Promise.all(Array.from({ length: 50 }, () => credentials.get(referenceOf())));
    expect(reads).toBe(2);
    expect((await credentials.reread(referenceOf()))?.version).toBe(first.version);
    expect(reads).toBe(3);
    const epoch = credentials.epoch();
    await writer.put(referenceOf(), factsOf({ access_token: "2" }), first, true);
    expect(reveal(await credentials.reread(referenceOf()))).toEqual({ access_token: "2" });
    expect(credentials.epoch()).not.toBe(epoch);
    expect(reveal(await credentials.get(referenceOf()))).toEqual({ access_token: "2" });
    expect(reveal((await credentials.list(referenceOf(), "crm"))[0])).toEqual({ access_token: "2" });
  });
});

describe("what can't be read", () => {
  const damages: Readonly<Record<string, (value: Record<string, unknown>) => void>> = {
    "no type": (value) => delete value["type"],
    "an unknown type": (value) => Object.assign(value, { type: "none" }),
    "an unknown member": (value) => Object.assign(value, { more: 1 }),
    "null in place of absent": (value) => Object.assign(value, { expires_at: null }),
    "version 0": (value) => Object.assign(value, { version: 0 }),
    "another version": (value) => Object.assign(value, { version: Number(value["version"]) + 1 }),
    "no sealed fields": (value) => delete value["sealed"],
    "a sealed field that is no text": (value) => Object.assign(value, { sealed: { access_token: 1 } }),
    "a sealed field that is not sealed": (value) =>
      Object.assign(value, { sealed: { access_token: "plain" } }),
    "a renamed field": (value) => {
      const { access_token: token } = Object(value["sealed"]);
      Object.assign(value, { sealed: { refresh_token: token } });
    },
    "an unknown state": (value) => Object.assign(value, { state: { kind: "fine" } }),
    "a state without reason": (value) => Object.assign(value, { state: { kind: "reconnect_required" } }),
    "a journal that is a text": (value) => Object.assign(value, { refreshing: "yes" }),
    "a client without address": (value) => Object.assign(value, { oauth: {} }),
    "another token endpoint": (value) => Object.assign(Object(value["oauth"]), { token_url: "https://b" }),
    "another revocation endpoint": (value) =>
      Object.assign(Object(value["oauth"]), { revocation_url: "https://b" }),
    "other params": (value) => Object.assign(value, { params: { region: "us" } }),
    "another type": (value) => Object.assign(value, { type: "bearer" }),
    "no secrets": (value) => Object.assign(value, { sealed: {} }),
  };

  test.each(Object.keys(damages))(
    "%s: an error that is told, never absent, never overwritten",
    async (name) => {
      const store = await openStore();
      const credentials = credentialsOver(store);
      const good = await credentials.put(referenceOf(), factsOf({ access_token: "canary" }), "absent", true);
      await tamper(store, damages[name] ?? (() => {}));
      const before = await store.tenant("acme").get("credential", credentialId(referenceOf()));
      const facts = factsOf({ access_token: "new" });
      for (const work of [
        () => credentials.get(referenceOf()),
        () => credentials.reread(referenceOf()),
        () => credentials.list(referenceOf()),
        () => credentials.put(referenceOf(), facts, "any", true),
        () => credentials.put(referenceOf(), facts, "absent", true),
        () => credentials.remove(good),
      ])
        expect(await codeOf(work())).toBe("store_unavailable");
      expect(await store.tenant("acme").get("credential", credentialId(referenceOf()))).toEqual(before);
      expect(log).toHaveLength(1);
      expect(log.join()).not.toContain("canary");
      // Whose it is, so that somebody can help.
      expect(log.join()).toContain(`"${credentialId(referenceOf())}" of tenant \`acme\``);
    },
  );

  test("a missing key: the same, and all is well once it is back", async () => {
    const store = await openStore();
    const put = await credentialsOver(store).put(
      referenceOf(),
      factsOf({ access_token: "1" }),
      "absent",
      true,
    );
    for (const vault of [vaultOf("two"), vaultOf(), createVault(() => [writtenKey("x", "changeme")])]) {
      const other = credentialsOver(store, vault);
      expect(await codeOf(other.get(referenceOf()))).toBe("store_unavailable");
      expect(await codeOf(other.put(referenceOf(), factsOf({}), "any", true))).toBe("store_unavailable");
    }
    expect(await credentialsOver(store).get(referenceOf())).toEqual(put);
  });

  test("one bad record stands in nobody else's way", async () => {
    const store = await openStore();
    const credentials = credentialsOver(store);
    await credentials.put(referenceOf(), factsOf({}), "absent", true);
    await credentials.put(referenceOf({ provider: "files" }), factsOf({}), "absent", true);
    await tamper(store, (value) => delete value["type"]);
    expect(await credentials.get(referenceOf({ provider: "files" }))).toBeDefined();
    expect(await credentials.list(referenceOf(), "files")).toHaveLength(1);
    expect(await codeOf(credentials.list(referenceOf(), "crm"))).toBe("store_unavailable");
  });

  test("a store that fails is told of once, and never taken for one that is empty", async () => {
    const store = await openStore();
    const credentials = credentialsOver(store);
    await credentials.put(referenceOf(), factsOf({}), "absent", true);
    await store.close();
    for (let count = 0; count < 3; count += 1) {
      expect(await codeOf(credentials.get(referenceOf()))).toBe("store_unavailable");
      expect(await codeOf(credentials.list(referenceOf()))).toBe("store_unavailable");
    }
    expect(() => credentials.epoch()).toThrow(/can't read or write/);
    expect(log).toHaveLength(1);
  });

  test.each([
    ["null", null],
    ["a text", "record"],
    ["another record", { kind: "credential", id: "user:usr_b/crm/default/default", version: 1, value: {} }],
    ["another kind", { kind: "user", id: "user:usr_a/crm/default/default", version: 1, value: {} }],
  ])("a store that answers with %s is not believed", async (_name, answer) => {
    const store = await openStore();
    // What comes out may be anything at all, and types would stand in the way.
    const lying: Store = {
      ...portOf(store),
      tenant: (id) => Object.assign(Object.create(store.tenant(id)), { get: async () => answer }),
    };
    expect(await codeOf(credentialsOver(lying).get(referenceOf()))).toBe("store_unavailable");
  });
});

describe("without", () => {
  test("a datastore there is nothing, and nothing can be put", async () => {
    const credentials = createCredentialStore({ store: undefined, vault: vaultOf("one"), log: () => {} });
    expect(await credentials.get(referenceOf())).toBeUndefined();
    expect(await credentials.list(referenceOf())).toEqual([]);
    expect(credentials.epoch()).toBe(0);
    await expect(credentials.put(referenceOf(), factsOf({}), "any", true)).rejects.toThrow(/`datastore`/);
  });

  test.each([
    ["a key", [], /`gateway keys generate`/],
    ["a good key", [writtenKey("a", "changeme")], /`gateway validate --online`/],
  ])("%s nothing can be put", async (_name, keys, message) => {
    const credentials = credentialsOver(
      await openStore(),
      createVault(() => keys),
    );
    expect(await credentials.get(referenceOf())).toBeUndefined();
    const put = credentials.put(referenceOf(), factsOf({ access_token: "1" }), "any", true);
    await expect(put).rejects.toMatchObject({ code: "unsupported", message: expect.stringMatching(message) });
  });
});

describe("leases", () => {
  test("have one holder over all processes", async () => {
    const [first, second] = [credentialsOver(await openStore()), credentialsOver(await openStore())];
    const lease = await first.lease(referenceOf(), "a", 60_000);
    expect(await second.lease(referenceOf(), "b", 60_000)).toBeUndefined();
    expect(await second.lease(referenceOf({ instance: "x" }), "b", 60_000)).toBeDefined();
    expect(await lease?.renew(60_000)).toBe(true);
    await lease?.release();
    expect(await lease?.renew(60_000)).toBe(false);
    expect(await second.lease(referenceOf(), "b", 60_000)).toBeDefined();
  });
});

describe("sealing anew", () => {
  const fingerprint = (vault: Vault) => vault.keys()[0]?.fingerprint;
  const keysInUse = async (store: Store) => {
    const record = await store.tenant("acme").get("credential", credentialId(referenceOf()));
    return keysOf(vaultOf(), record?.value ?? {});
  };

  test("happens behind the reader, who sees nothing of it", async () => {
    const store = await openStore();
    let keys = [keyNamed("old")];
    const vault = createVault(() => keys);
    const credentials = credentialsOver(store, vault);
    const held = await credentials.put(referenceOf(), factsOf({ access_token: "1" }), "absent", true);
    keys = [keyNamed("new"), keyNamed("old")];
    const read = await credentials.reread(referenceOf());
    expect(read).toEqual(held);
    await expect.poll(() => keysInUse(store)).toEqual([fingerprint(vaultOf("new"))]);
    // What was read before still fits: nothing of it has changed.
    const next = await credentials.put(referenceOf(), factsOf({ access_token: "2" }), held, true);
    expect(next.version).toBe(held.version + 1);
    expect(reveal(await credentialsOver(store, vaultOf("new")).get(referenceOf()))).toEqual({
      access_token: "2",
    });
  });

  test("does not bring a key back that is out of use, for a process that was not told of it", async () => {
    const store = await openStore();
    await credentialsOver(store, vaultOf("old")).put(
      referenceOf(),
      factsOf({ access_token: "1" }),
      "any",
      true,
    );
    await rotateKeys({ store, vault: vaultOf("new", "old") });
    // The start of a process without the old key: it is not needed any more.
    await guardVault(store, vaultOf("new"));
    expect(await readMarker(store)).toEqual([fingerprint(vaultOf("new"))]);
    const late = credentialsOver(await openStore(), vaultOf("old", "new"));
    for (let count = 0; count < 5; count += 1) {
      expect(reveal(await late.reread(referenceOf()))).toEqual({ access_token: "1" });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await keysInUse(store)).toEqual([fingerprint(vaultOf("new"))]);
    // What it writes itself is sealed with its own first key, and others seal it anew.
    await late.put(referenceOf(), factsOf({ access_token: "2" }), "any", true);
    expect(await keysInUse(store)).toEqual([fingerprint(vaultOf("old"))]);
    await credentialsOver(store, vaultOf("new", "old")).get(referenceOf());
    await expect.poll(() => keysInUse(store)).toEqual([fingerprint(vaultOf("new"))]);
  });

  test("is not undone by a process whose ring is in the order of before", async () => {
    const store = await openStore();
    const late = credentialsOver(store, vaultOf("old", "new"));
    const early = credentialsOver(await openStore(), vaultOf("new", "old"));
    await late.put(referenceOf(), factsOf({ access_token: "1" }), "absent", true);
    await early.get(referenceOf());
    await expect.poll(() => keysInUse(store)).toEqual([fingerprint(vaultOf("new"))]);
    for (let count = 0; count < 5; count += 1) {
      expect(reveal(await late.reread(referenceOf()))).toEqual({ access_token: "1" });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await keysInUse(store)).toEqual([fingerprint(vaultOf("new"))]);
  });
});

/** The methods of a store as a plain object, to put others in place of some. */
function portOf(store: Store): Store {
  return {
    gateway: store.gateway,
    tenant: (id) => store.tenant(id),
    find: (...all) => store.find(...all),
    epoch: (kinds) => store.epoch(kinds),
    tenantsWith: (kind) => store.tenantsWith(kind),
    backup: (file) => store.backup(file),
    close: () => store.close(),
  };
}
