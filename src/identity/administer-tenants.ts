import { GatewayError } from "../errors.ts";
import type { Administration, TenantChanges } from "../model/administration.ts";
import type { Principal } from "../model/principal.ts";
import type { Tenant } from "../model/tenant.ts";
import { isConflict } from "./administer-users.ts";
import { type AdministrationParts, isActiveOperator, keepingAnOperator } from "./administration-parts.ts";
import { displayName, exposureOf, tenantId } from "./check-input.ts";
import { findTenant, listTenants, tenantOfFile } from "./find-tenant.ts";
import { defaultTenant, isTenantId } from "./forms.ts";
import { readAll } from "./guard-store.ts";
import { isAdministrator, isOperator, requireOperator, requireWhole } from "./permissions.ts";
import { removeOfTenant } from "./remove-owned.ts";
import { putTenant, readTenant, type TenantRecord } from "./tenant-record.ts";
import { readUser } from "./user-record.ts";

const mostTenants = 10_000;

/** What a principal may do to tenants: operators everything, administrators look at the one they act in. */
export function administerTenants(
  parts: AdministrationParts,
  as: Principal,
): Pick<Administration, "listTenants" | "getTenant" | "createTenant" | "updateTenant" | "removeTenant"> {
  const { store, settings } = parts;

  /** One of the store, which can be changed. */
  async function find(id: string): Promise<TenantRecord> {
    if (tenantOfFile(settings().tenants, id) !== undefined) throw belongsToFile(id);
    const found = isTenantId(id) ? await store.gateway.get("tenant", id) : undefined;
    if (found === undefined) throw noTenant(id);
    return readTenant(found, id);
  }

  async function update(id: string, changes: TenantChanges): Promise<Tenant> {
    const { version, ...tenant } = await find(id);
    const next: Tenant = {
      ...tenant,
      displayName:
        changes.displayName === undefined ? tenant.displayName : (displayName(changes.displayName) ?? id),
      exposure: changes.exposure === undefined ? tenant.exposure : exposureOf(changes.exposure),
    };
    await store.gateway.write([putTenant(next, version)]);
    return next;
  }

  /** Making and removing a tenant of one id exclude each other, over all processes. */
  function alone<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    return store.gateway.alone(`tenant ${id}`, `${parts.holder}-${crypto.randomUUID()}`, work);
  }

  return {
    async listTenants() {
      requireOperator(as, "list tenants");
      return listTenants(store, settings().tenants);
    },

    async getTenant(id) {
      requireWhole(as);
      if (!isOperator(as) && !(isAdministrator(as) && id === as.tenant))
        requireOperator(as, "look at other tenants");
      const tenant = await findTenant(store, settings().tenants, id);
      if (tenant === undefined) throw noTenant(id);
      return tenant;
    },

    async createTenant(asked) {
      requireOperator(as, "create tenants");
      const id = tenantId(asked.id);
      const tenant: Tenant = {
        id,
        displayName: displayName(asked.displayName) ?? id,
        exposure: exposureOf(asked.exposure ?? { kind: "all" }),
        origin: "store",
      };
      if (tenantOfFile(settings().tenants, id) !== undefined) throw exists(id);
      return alone(id, async () => {
        if ((await store.gateway.get("tenant", id)) !== undefined) throw exists(id);
        if ((await readAll(store.gateway, "tenant", readTenant)).length >= mostTenants) {
          throw new GatewayError("conflict", `There are at most ${mostTenants} tenants. Remove one before.`);
        }
        // A removal that was cut short, or a tenant that the file does not declare any more, may have left something behind.
        await store.tenant(id).clear();
        await removeOfTenant(store, id);
        await store.gateway.write([putTenant(tenant, "absent")]);
        return tenant;
      });
    },

    async updateTenant(id, changes) {
      requireOperator(as, "change tenants");
      try {
        return await update(id, changes);
      } catch (error) {
        if (!isConflict(error) || !error.retryable) throw error;
        return update(id, changes);
      }
    },

    async removeTenant(id) {
      requireOperator(as, "remove tenants");
      const { version } = await find(id);
      const remove = () =>
        alone(id, async () => {
          await store.gateway.write([{ action: "delete", kind: "tenant", id, expected: version }]);
          // From here on nobody of it gets in, so that nothing depends on how far this comes.
          await store.tenant(id).clear();
          await removeOfTenant(store, id);
        });
      const users = await readAll(store.tenant(id), "user", readUser);
      await (users.some(isActiveOperator)
        ? keepingAnOperator(parts, (_, tenant) => tenant === id, remove)
        : remove());
    },
  };
}

function belongsToFile(id: string): GatewayError {
  return new GatewayError(
    "conflict",
    id === defaultTenant
      ? "The tenant `default` is always there. Declare it under `tenants:` in the configuration file to change it."
      : `The tenant \`${id}\` is declared in the configuration file. Change it there.`,
  );
}

function exists(id: string): GatewayError {
  return new GatewayError("conflict", `There is a tenant \`${id}\` already.`);
}

function noTenant(id: string): GatewayError {
  const which = isTenantId(id) ? `tenant \`${id}\`` : "such tenant";
  return new GatewayError(
    "not_found",
    `There is no ${which}. \`gateway tenants list\` shows those that there are.`,
  );
}
