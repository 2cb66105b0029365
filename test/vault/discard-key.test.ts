import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import type { Store, TenantStore } from "../../src/store/store.ts";
import { createVault } from "../../src/vault/create-vault.ts";
import { discardKey } from "../../src/vault/discard-key.ts";
import { readMarker } from "../../src/vault/key-marker.ts";
import { rotateKeys } from "../../src/vault/rotate-keys.ts";
import { rewrapped } from "../../src/vault/seal-fields.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";
import { fillStore, openAll } from "./fill-store.ts";
import { keyNamed, vaultOf, writtenKey } from "./keys.ts";

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

const lost = vaultOf("lost").keys()[0]?.fingerprint ?? "";
const discard = (over: Store = store) =>
  discardKey({ store: over, vault: vaultOf("new"), fingerprint: lost, agree: async () => true });

/** The store with something that happens before each list of changes to tenant `acme`. */
function before(happens: (tenant: TenantStore, call: number) => Promise<void>): Store {
  let calls = 0;
  const tenant = (id: string): TenantStore => {
    const real = store.tenant(id);
    if (id !== "acme") return real;
    return {
      tenant: id,
      get: (kind, name) => real.get(kind, name),
      list: (kind, range) => real.list(kind, range),
      write: async (changes) => {
        calls += 1;
        await happens(real, calls);
        await real.write(changes);
      },
      acquireLease: (...all) => real.acquireLease(...all),
      renewLease: (...all) => real.renewLease(...all),
      releaseLease: (...all) => real.releaseLease(...all),
      clear: () => real.clear(),
    };
  };
  return {
    tenant,
    gateway: store.gateway,
    find: (kind, lookup) => store.find(kind, lookup),
    epoch: (kinds) => store.epoch(kinds),
    tenantsWith: (kind) => store.tenantsWith(kind),
    backup: (file) => store.backup(file),
    close: () => store.close(),
  };
}

test("what is sealed with another key in the very moment stays, all else of its batch goes", async () => {
  await fillStore(store, vaultOf("lost"), 50);
  const gone = await discard(
    before(async (tenant, call) => {
      if (call > 1) return;
      const [record] = await tenant.list("credential");
      if (record === undefined) throw new Error("There is no record.");
      const { kind, id, version } = record;
      const value = rewrapped(vaultOf("new", "lost"), { tenant: tenant.tenant, kind, id }, record.value);
      if (value === undefined) throw new Error("It was not sealed anew.");
      await tenant.write([{ action: "put", kind, id, value, expected: version }]);
    }),
  );
  expect(gone).toEqual({ fingerprint: lost, credentials: 49, owners: 40, registrations: 0 });
  expect(await openAll(store, vaultOf("new"))).toBe(1);
});

test("one that fails half-way leaves a start that still refuses, and the next one ends the work", async () => {
  await fillStore(store, vaultOf("lost"), 2_000);
  const failing = before(async (_tenant, call) => {
    if (call === 2) throw new Error("The machine is gone.");
  });
  await expect(discard(failing)).rejects.toThrow("The machine is gone.");
  expect(await readMarker(store)).toContain(lost);
  const left = await openAll(store, vaultOf("lost"));
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(2_000);
  expect(await discard()).toMatchObject({ credentials: left });
  expect(await readMarker(store)).not.toContain(lost);
});

test("nothing is removed while the keys of the ring are not right, since the lost one may be among them", async () => {
  await fillStore(store, vaultOf("lost"), 5);
  const vault = createVault(() => [keyNamed("lost"), writtenKey("x", "changeme")]);
  const agree = async () => true;
  await expect(discardKey({ store, vault, fingerprint: lost, agree })).rejects.toMatchObject({
    code: "bad_request",
  });
  await rotateKeys({ store, vault: vaultOf("new", "lost") });
  expect(await openAll(store, vaultOf("new"))).toBe(5);
});
