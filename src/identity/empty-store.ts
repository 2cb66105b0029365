import { type Store, StoreError, type TenantStore } from "../store/store.ts";

/** A store that holds nothing and takes nothing, for configurations that name none. */
export function emptyStore(): Store {
  const refuse = async (): Promise<never> => {
    throw new StoreError("unavailable", "The configuration names no datastore.");
  };
  const tenant = (id: string): TenantStore => ({
    tenant: id,
    get: async () => undefined,
    list: async () => [],
    write: refuse,
    acquireLease: refuse,
    renewLease: refuse,
    releaseLease: refuse,
    clear: refuse,
  });
  return {
    tenant,
    gateway: tenant(""),
    find: async () => undefined,
    epoch: () => 0,
    tenantsWith: async () => [],
    backup: refuse,
    close: async () => {},
  };
}
