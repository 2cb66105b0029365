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

/** A text that is equal where the same principal may do the same, as far as roles and what its token is narrowed to say. */
export function keyOfAuthority(principal: Principal): string {
  const { roles, scopes } = principal;
  return JSON.stringify([keyOfPrincipal(principal), roles.toSorted(), scopes?.toSorted() ?? null]);
}
