import type { Principal } from "../../model/principal.ts";
import { isSamePrincipal, keyOfPrincipal, type PrincipalIdentity } from "./same-principal.ts";

/**
 * What makes a caller the same over time: the principal, and the token, grant or session that it comes by. Two clients of one person may be
 * allowed different things, and none of them is to end up in what the other has begun. A token that is rotated or refreshed stays the same.
 */
export type CallerIdentity = PrincipalIdentity & Pick<Principal, "credential">;

/** Whether two requests came from the same caller. */
export function isSameCaller(first: CallerIdentity, second: CallerIdentity): boolean {
  return (
    isSamePrincipal(first, second) &&
    first.credential?.kind === second.credential?.kind &&
    first.credential?.id === second.credential?.id
  );
}

/** A text that is equal for the same caller and nobody else. */
export function keyOfCaller(caller: CallerIdentity): string {
  const { credential } = caller;
  return JSON.stringify([keyOfPrincipal(caller), credential?.kind ?? null, credential?.id ?? null]);
}
