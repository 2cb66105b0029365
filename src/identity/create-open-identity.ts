import { GatewayError } from "../errors.ts";
import type { Administration } from "../model/administration.ts";
import type { Principal } from "../model/principal.ts";
import type { IdentitySettings } from "./authenticate.ts";
import { createIdentity, type IdentityParts } from "./create-identity.ts";
import { emptyStore } from "./empty-store.ts";
import { tenantOfFile } from "./find-tenant.ts";
import { defaultTenant } from "./forms.ts";
import type { Identity } from "./identity.ts";
import { makePrincipal } from "./make-principal.ts";

/** What the identity of a gateway without sign-in is made of. */
export interface OpenIdentityParts extends Omit<IdentityParts, "store"> {
  /** For the command line, which may prepare users and tenants. */
  readonly store: IdentityParts["store"] | undefined;
}

/**
 * Everything about who calls where `auth.provider` is `none`: everybody is the one anonymous principal of the tenant `default`. This
 * is the only place that makes one.
 */
export function createOpenIdentity(parts: OpenIdentityParts): Identity {
  const { settings } = parts;
  const stored = createIdentity({ ...parts, store: parts.store ?? emptyStore() });
  let known: { readonly tenants: IdentitySettings["tenants"]; readonly principal: Principal } | undefined;

  function anonymous(): Principal {
    const { tenants } = settings();
    if (known?.tenants !== tenants) {
      const tenant = tenantOfFile(tenants, defaultTenant);
      if (tenant === undefined) throw new GatewayError("internal", "The default tenant is missing.");
      known = { tenants, principal: makePrincipal({ kind: "anonymous" }, tenant) };
    }
    return known.principal;
  }

  return {
    ...stored,
    authenticate: async (_, actFor) => {
      if (actFor !== undefined) {
        throw new GatewayError(
          "forbidden",
          "You may not act for this tenant, or there is none of this name. Leave it out to act in your own.",
        );
      }
      return anonymous();
    },
    signIn: async () => {
      throw new GatewayError(
        "not_found",
        "There is no sign-in here: the configuration has `auth.provider: none`.",
      );
    },
    signInBy: async () => {
      throw new GatewayError(
        "not_found",
        "There is no sign-in here: the configuration has `auth.provider: none`.",
      );
    },
    signOut: async () => {},
    administration: (as) => (parts.store === undefined ? nothingStored() : stored.administration(as)),
  };
}

/** Every method refuses. */
function nothingStored(): Administration {
  const refuse = async (): Promise<never> => {
    throw new GatewayError(
      "bad_request",
      "The configuration file names no datastore, so there is nothing to administer. Add `auth: {provider: local}` to it, which keeps users in `gestalt.db` beside it, or `datastore:` for another place.",
    );
  };
  return {
    ...{ listUsers: refuse, createUser: refuse, updateUser: refuse, removeUser: refuse },
    ...{ listTokens: refuse, createToken: refuse, rotateToken: refuse, revokeToken: refuse },
    ...{ listSessions: refuse, revokeSession: refuse },
    ...{ listGrants: refuse, revokeGrant: refuse, listRegistrations: refuse, revokeClient: refuse },
    ...{
      listTenants: refuse,
      getTenant: refuse,
      createTenant: refuse,
      updateTenant: refuse,
      removeTenant: refuse,
    },
  };
}
