import type { Sharer } from "../../limits/shares.ts";
import type { Principal } from "../../model/principal.ts";

/** What makes a principal the same over time, whatever its roles, scopes and names become. */
export type PrincipalIdentity = Pick<Principal, "kind" | "id" | "tenant" | "home">;

/** Whether two requests came from the same principal acting in the same tenant; ids are unique in `home` only. */
export function isSamePrincipal(first: PrincipalIdentity, second: PrincipalIdentity): boolean {
  return (
    first.kind === second.kind &&
    first.id === second.id &&
    first.tenant === second.tenant &&
    first.home === second.home
  );
}

/** A text that is equal for the same principal and nobody else. */
export function keyOfPrincipal({ kind, id, tenant, home }: PrincipalIdentity): string {
  return JSON.stringify([kind, id, tenant, home]);
}

/** Whose part of what all share it takes; callers without a name are all one and the same, who have none of their own. */
export function sharerOf(principal: PrincipalIdentity): Sharer | undefined {
  if (principal.kind === "anonymous") return undefined;
  return { tenant: principal.tenant, caller: keyOfPrincipal(principal) };
}

/**
 * Makes what gives a text that is equal where the same principal may do the same, as far as roles and what its token is narrowed to say:
 * the same text for the same object.
 */
export function createAuthorityKeys(): (principal: Principal) => string {
  const known = new WeakMap<Principal, string>();
  return (principal) => {
    const key = known.get(principal) ?? keyOfAuthority(principal);
    known.set(principal, key);
    return key;
  };
}

function keyOfAuthority(principal: Principal): string {
  const { roles, scopes } = principal;
  return JSON.stringify([keyOfPrincipal(principal), roles.toSorted(), scopes?.toSorted() ?? null]);
}
