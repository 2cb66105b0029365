import { setImmediate as nextTurn } from "node:timers/promises";
import { escapePart, ownerPrefix, type RecordOwner, userIn } from "../store/owner-prefix.ts";
import type { Change } from "../store/store.ts";
import { eachRecord, type GuardedStore, type GuardedTenantStore, idOf } from "./guard-store.ts";

/** So many are removed in one write. */
const atOnce = 500;
/** So many tenants are looked at before others get a turn. */
const perTurn = 50;

/** The changes that remove the credentials of an owner in its tenant, to be written with those that remove the owner. */
export async function credentialEnds(
  tenant: GuardedTenantStore,
  owner: RecordOwner,
): Promise<readonly Change[]> {
  const changes: Change[] = [];
  for await (const record of eachRecord(tenant, "credential", ownerPrefix(owner))) changes.push(end(record));
  return changes;
}

/**
 * Removes what a user or a service has connected in other tenants, whether it still acts for them or not. Comes before the removal of the
 * owner itself, which can be asked for again where this is cut short; nobody would find what is left behind.
 */
export async function removeElsewhere(
  store: GuardedStore,
  owner: { readonly id: string; readonly home: string },
): Promise<void> {
  for await (const id of othersThan(store, owner.home)) {
    const tenant = store.tenant(id);
    await writeAll(tenant, await credentialEnds(tenant, userIn(id, owner)));
  }
}

/** Removes what all who belong to a tenant have connected in other tenants, whoever they were. */
export async function removeOfTenant(store: GuardedStore, home: string): Promise<void> {
  const ending = `@${escapePart(home)}`;
  for await (const id of othersThan(store, home)) {
    const tenant = store.tenant(id);
    const changes: Change[] = [];
    for await (const record of eachRecord(tenant, "credential", "user:")) {
      const [owner = ""] = idOf(record).split("/");
      if (owner.endsWith(ending)) changes.push(end(record));
    }
    await writeAll(tenant, changes);
  }
}

/** Tenants besides one that have credentials; others get a turn in between. */
async function* othersThan(store: GuardedStore, home: string): AsyncGenerator<string, void> {
  let looked = 0;
  for (const id of await store.tenantsWith("credential")) {
    if (id !== "" && id !== home) yield id;
    looked += 1;
    if (looked % perTurn === 0) await nextTurn();
  }
}

function end(record: unknown): Change {
  return { action: "delete", kind: "credential", id: idOf(record), expected: "any" };
}

async function writeAll(tenant: GuardedTenantStore, changes: readonly Change[]): Promise<void> {
  for (let start = 0; start < changes.length; start += atOnce)
    await tenant.write(changes.slice(start, start + atOnce));
}
