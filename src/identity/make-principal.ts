import type { Principal } from "../model/principal.ts";
import type { Tenant } from "../model/tenant.ts";
import { defaultTenant, operatorRole } from "./forms.ts";
import type { TokenRecord } from "./token-record.ts";
import type { UserRecord } from "./user-record.ts";

/** Who a principal is, each with what shows it. There is no other way to a principal. */
export type Who =
  | { readonly kind: "anonymous" }
  | { readonly kind: "operator" }
  | {
      readonly kind: "user";
      readonly user: Pick<UserRecord, "id" | "name" | "roles" | "actsFor">;
      readonly home: string;
      readonly credential: Principal["credential"];
      readonly scopes: Principal["scopes"];
    }
  | { readonly kind: "service"; readonly token: TokenRecord; readonly home: string };

/** Makes a principal, acting in a tenant that is there. */
export function makePrincipal(who: Who, tenant: Tenant): Principal {
  return Object.freeze({ ...facts(who), tenant: tenant.id, exposure: tenant.exposure });
}

function facts(who: Who): Omit<Principal, "tenant" | "exposure"> {
  switch (who.kind) {
    case "anonymous":
    case "operator":
      return {
        ...{ kind: who.kind, id: who.kind, name: who.kind, home: defaultTenant },
        roles: who.kind === "operator" ? [operatorRole] : [],
        scopes: undefined,
        credential: undefined,
      };
    case "user": {
      const { user, home, scopes, credential } = who;
      return { kind: "user", id: user.id, name: user.name, home, roles: user.roles, scopes, credential };
    }
    case "service": {
      const { token, home } = who;
      const credential = { kind: "token", id: token.id } as const;
      const { id, name, roles, scopes } = token;
      return { kind: "service", id, name, home, roles, scopes, credential };
    }
  }
}

/** True when nothing differs, so that one object can go on standing for both. */
export function isSamePrincipal(one: Principal, other: Principal): boolean {
  // Both come from the same few lines above, and so have their members in the same order.
  const { exposure, ...rest } = one;
  const { exposure: otherExposure, ...otherRest } = other;
  return (
    JSON.stringify(rest) === JSON.stringify(otherRest) &&
    (exposure === otherExposure || JSON.stringify(exposure) === JSON.stringify(otherExposure))
  );
}
