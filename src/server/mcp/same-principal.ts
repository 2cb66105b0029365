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
