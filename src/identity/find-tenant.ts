import type { TenantConfig } from "../model/config.ts";
import type { Tenant } from "../model/tenant.ts";
import { defaultTenant, isTenantId } from "./forms.ts";
import { eachRecord, type GuardedStore } from "./guard-store.ts";
import { readTenant } from "./tenant-record.ts";

/** The tenants of the file, by id. */
export type FileTenants = Readonly<Record<string, TenantConfig>>;

/**
 * A tenant of the file, which wins, or of the store. The default one is always there and gets everything, unless the file says
 * something else of it.
 */
export async function findTenant(
  store: GuardedStore,
  file: FileTenants,
  id: string,
): Promise<Tenant | undefined> {
  const declared = tenantOfFile(file, id);
  if (declared !== undefined || !isTenantId(id)) return declared;
  const found = await store.gateway.get("tenant", id);
  if (found === undefined) return undefined;
  const { version, ...tenant } = readTenant(found, id);
  return tenant;
}

/** One that needs no store. */
export function tenantOfFile(file: FileTenants, id: string): Tenant | undefined {
  const declared = Object.hasOwn(file, id) ? file[id] : undefined;
  if (declared !== undefined) {
    const { displayName, exposure } = declared;
    return { id, displayName, exposure, origin: "file" };
  }
  return id === defaultTenant
    ? { id, displayName: "Default", exposure: { kind: "all" }, origin: "file" }
    : undefined;
}

/** All of them, by id. */
export async function listTenants(store: GuardedStore, file: FileTenants): Promise<readonly Tenant[]> {
  const tenants = new Map<string, Tenant>();
  for await (const found of eachRecord(store.gateway, "tenant")) {
    const { version, ...tenant } = readTenant(found);
    tenants.set(tenant.id, tenant);
  }
  for (const id of [defaultTenant, ...Object.keys(file)]) {
    const tenant = tenantOfFile(file, id);
    if (tenant !== undefined) tenants.set(id, tenant);
  }
  return [...tenants.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
}
