import type { RecordKind, Store, StoredRecord, TenantStore } from "../store/store.ts";

/** Kinds with sealed fields. */
export const sealedKinds: readonly RecordKind[] = ["credential", "client", "flow"];

/** So many are read at once, which holds the thread for some milliseconds. */
const pageSize = 200;

/** Pages of all records of a kind, of all tenants; those that are written meanwhile may be missed. Throws `StoreError`. */
export async function* eachPage(
  store: Store,
  kind: RecordKind,
): AsyncGenerator<{ readonly tenant: TenantStore; readonly records: readonly StoredRecord[] }, void> {
  for (const id of await store.tenantsWith(kind)) {
    const tenant = tenantStore(store, id);
    let after: string | undefined;
    for (;;) {
      const records = await tenant.list(kind, { ...(after === undefined ? {} : { after }), limit: pageSize });
      if (records.length > 0) yield { tenant, records };
      after = records.at(-1)?.id;
      if (records.length < pageSize) break;
    }
  }
}

/** The records of a tenant, or of the gateway itself for an empty id. */
export function tenantStore(store: Store, id: string): TenantStore {
  return id === "" ? store.gateway : store.tenant(id);
}
