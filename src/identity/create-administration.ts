import type { Administration } from "../model/administration.ts";
import type { Principal } from "../model/principal.ts";
import { administerGrants } from "./administer-grants.ts";
import { administerSessions } from "./administer-sessions.ts";
import { administerTenants } from "./administer-tenants.ts";
import { administerTokens } from "./administer-tokens.ts";
import { administerUsers } from "./administer-users.ts";
import type { AdministrationParts } from "./administration-parts.ts";

/** What a principal may do to users, tokens, sessions and tenants; `Identity.administration`. `run` is around all of it. */
export function createAdministration(
  parts: AdministrationParts,
  as: Principal,
  run: <Result>(work: () => Promise<Result>) => Promise<Result>,
): Administration {
  const users = administerUsers(parts, as);
  const tokens = administerTokens(parts, as);
  const sessions = administerSessions(parts, as);
  const grants = administerGrants(parts, as);
  const tenants = administerTenants(parts, as);
  return {
    listUsers: () => run(() => users.listUsers()),
    createUser: (user) => run(() => users.createUser(user)),
    updateUser: (name, changes) => run(() => users.updateUser(name, changes)),
    removeUser: (name) => run(() => users.removeUser(name)),
    listTokens: () => run(() => tokens.listTokens()),
    createToken: (token) => run(() => tokens.createToken(token)),
    rotateToken: (id) => run(() => tokens.rotateToken(id)),
    revokeToken: (id) => run(() => tokens.revokeToken(id)),
    listSessions: () => run(() => sessions.listSessions()),
    revokeSession: (id) => run(() => sessions.revokeSession(id)),
    listGrants: () => run(() => grants.listGrants()),
    revokeGrant: (id) => run(() => grants.revokeGrant(id)),
    listRegistrations: () => run(() => grants.listRegistrations()),
    revokeClient: (clientId) => run(() => grants.revokeClient(clientId)),
    listTenants: () => run(() => tenants.listTenants()),
    getTenant: (id) => run(() => tenants.getTenant(id)),
    createTenant: (tenant) => run(() => tenants.createTenant(tenant)),
    updateTenant: (id, changes) => run(() => tenants.updateTenant(id, changes)),
    removeTenant: (id) => run(() => tenants.removeTenant(id)),
  };
}
