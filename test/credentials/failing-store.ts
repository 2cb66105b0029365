import { type Store, StoreError, type TenantStore } from "../../src/store/store.ts";

/** A real store of which everything, or the writes alone, can be made to fail for a while. */
export function failingStore(store: Store): { readonly store: Store; fails: "nothing" | "writes" | "all" } {
  const fault = { store, fails: "nothing" as "nothing" | "writes" | "all" };
  const check = (isWrite: boolean): void => {
    if (fault.fails === "all" || (isWrite && fault.fails === "writes")) {
      throw new StoreError("unavailable", "The disk is away.");
    }
  };
  const guard = (tenant: TenantStore): TenantStore => ({
    tenant: tenant.tenant,
    get: async (...parts) => {
      check(false);
      return tenant.get(...parts);
    },
    list: async (...parts) => {
      check(false);
      return tenant.list(...parts);
    },
    write: async (changes) => {
      check(true);
      return tenant.write(changes);
    },
    acquireLease: async (...parts) => {
      check(true);
      return tenant.acquireLease(...parts);
    },
    renewLease: async (...parts) => {
      check(true);
      return tenant.renewLease(...parts);
    },
    releaseLease: async (lease) => {
      check(true);
      return tenant.releaseLease(lease);
    },
    clear: () => tenant.clear(),
  });
  return Object.assign(fault, {
    store: {
      tenant: (id: string) => guard(store.tenant(id)),
      gateway: guard(store.gateway),
      find: (...parts: Parameters<Store["find"]>) => store.find(...parts),
      epoch: (...parts: Parameters<Store["epoch"]>) => {
        check(false);
        return store.epoch(...parts);
      },
      tenantsWith: (...parts: Parameters<Store["tenantsWith"]>) => store.tenantsWith(...parts),
      backup: (file: string) => store.backup(file),
      close: () => store.close(),
    },
  });
}
