import { GatewayError } from "../errors.ts";
import type { Administration } from "../model/administration.ts";
import type { Principal } from "../model/principal.ts";
import { type AdministrationParts, isoTime, lastUses, ownTenant } from "./administration-parts.ts";
import { endGrant } from "./end-grants.ts";
import { type GrantRecord, readGrant } from "./grant-record.ts";
import { eachRecord, type GuardedTenantStore, readAll } from "./guard-store.ts";
import {
  isAdministrator,
  isSelf,
  requireNoLongerReach,
  requireOperator,
  requireWhole,
} from "./permissions.ts";
import { isRegistrationId, readRegistration } from "./registration-record.ts";
import { useId } from "./track-uses.ts";
import { readUser } from "./user-record.ts";

/** Ids of grants and clients are shorter. */
const longestId = 4_096;

/** What a principal may do to the MCP clients that people of its tenant let act for them, and to those that registered themselves. */
export function administerGrants(
  parts: AdministrationParts,
  as: Principal,
): Pick<Administration, "listGrants" | "revokeGrant" | "listRegistrations" | "revokeClient"> {
  const { store, now } = parts;

  /** Each grant of each tenant, with where it is kept. */
  async function* allGrants(): AsyncGenerator<{
    readonly tenant: GuardedTenantStore;
    readonly grant: GrantRecord;
  }> {
    for (const id of await store.tenantsWith("grant")) {
      // The gateway's own records are of nobody.
      if (id === "") continue;
      const tenant = store.tenant(id);
      for await (const found of eachRecord(tenant, "grant")) yield { tenant, grant: readGrant(found) };
    }
  }

  return {
    async listGrants() {
      requireWhole(as);
      const tenant = await ownTenant(parts, as);
      const users = new Map((await readAll(tenant, "user", readUser)).map((user) => [user.id, user]));
      const lastUse = await lastUses(parts, tenant, as.tenant);
      const grants = await readAll(tenant, "grant", readGrant);
      return grants
        .filter(({ user }) => isAdministrator(as) || isSelf(as, user))
        .sort((one, other) => other.createdAt - one.createdAt)
        .flatMap((grant) => {
          const owner = users.get(grant.user);
          // What authentication refuses is no grant any more.
          if (owner?.generation !== grant.generation || now() >= grant.expiresAt) return [];
          const { id, clientId, clientName, clientKind, scopes } = grant;
          const times = { createdAt: isoTime(grant.createdAt), expiresAt: isoTime(grant.expiresAt) };
          const lastUsedAt = lastUse(useId("grant", id));
          return [
            { ...{ id, clientId, clientName, clientKind, user: owner.name, scopes }, ...times, lastUsedAt },
          ];
        });
    },

    async revokeGrant(id) {
      requireWhole(as);
      const tenant = await ownTenant(parts, as);
      const found = id === "" || id.length > longestId ? undefined : await tenant.get("grant", id);
      const grant = found === undefined ? undefined : readGrant(found, id);
      if (grant === undefined || !(isAdministrator(as) || isSelf(as, grant.user))) {
        throw new GatewayError(
          "not_found",
          `There is no grant of this id in tenant \`${as.tenant}\`. \`gateway clients list\` shows the ids.`,
        );
      }
      const owner = await tenant.get("user", grant.user);
      if (owner !== undefined && !isSelf(as, grant.user))
        requireNoLongerReach(as, readUser(owner, grant.user));
      await endGrant(tenant, id);
    },

    async listRegistrations() {
      requireOperator(as, "see which clients registered themselves");
      const counts = new Map<string, number>();
      for await (const { grant } of allGrants())
        counts.set(grant.clientId, (counts.get(grant.clientId) ?? 0) + 1);
      const registrations = await readAll(store.gateway, "registration", readRegistration);
      return registrations
        .sort((one, other) => other.createdAt - one.createdAt)
        .map(({ id, clientName, redirectUris, createdAt, expiresAt }) => ({
          ...{ clientId: id, clientName, redirectUris },
          ...{ createdAt: isoTime(createdAt), expiresAt: isoTime(expiresAt) },
          grants: counts.get(id) ?? 0,
        }));
    },

    async revokeClient(clientId) {
      requireOperator(as, "revoke a client for everybody");
      // The registration first: from then on nobody lets this client act for them.
      const registered = isRegistrationId(clientId)
        ? await store.gateway.get("registration", clientId)
        : undefined;
      if (registered !== undefined)
        await store.gateway.write([
          { action: "delete", kind: "registration", id: clientId, expected: "any" },
        ]);
      let ended = 0;
      for await (const { tenant, grant } of allGrants()) {
        if (grant.clientId !== clientId) continue;
        if (await endGrant(tenant, grant.id)) ended += 1;
      }
      if (registered !== undefined || ended > 0) return;
      throw new GatewayError(
        "not_found",
        "No client of this id is registered, and nobody lets one act for them. `gateway clients list` shows those that there are.",
      );
    },
  };
}
