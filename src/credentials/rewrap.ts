import type { Store, StoredRecord, TenantStore } from "../store/store.ts";
import { markInUse, readMarker } from "../vault/key-marker.ts";
import { rewrapped } from "../vault/seal-fields.ts";
import type { Vault } from "../vault/vault.ts";

/** So many are sealed anew at a time; others are the next time that they are read. */
const mostAtATime = 4;

/**
 * Seals records anew, behind those who read them, that were sealed with an older key than the active one. Whether a key is older is
 * by the order in which the store saw them come into use: two processes with rings in different order do not undo each other's work.
 */
export function createRewrapper(
  store: Store,
  vault: Vault,
): (tenant: TenantStore, record: StoredRecord, sealedWith: readonly string[]) => void {
  const running = new Set<string>();
  return (tenant, record, sealedWith) => {
    const active = vault.keys()[0]?.fingerprint;
    const others = sealedWith.filter((fingerprint) => fingerprint !== active);
    const key = JSON.stringify([tenant.tenant, record.id]);
    if (active === undefined || others.length === 0 || running.size >= mostAtATime || running.has(key))
      return;
    running.add(key);
    rewrap(active, others, tenant, record)
      // Whoever reads it hears of what is wrong with it, and whoever has changed it meanwhile has sealed it.
      .catch(() => {})
      .finally(() => running.delete(key));
  };

  async function rewrap(
    active: string,
    others: readonly string[],
    tenant: TenantStore,
    { kind, id, version, value, lookup, expiresAt }: StoredRecord,
  ): Promise<void> {
    await markInUse(store, vault);
    const order = await readMarker(store);
    if (others.some((other) => order.indexOf(other) > order.indexOf(active))) return;
    const anew = rewrapped(vault, { tenant: tenant.tenant, kind, id }, value);
    if (anew === undefined) return;
    await tenant.write([{ action: "put", kind, id, value: anew, lookup, expiresAt, expected: version }]);
  }
}
