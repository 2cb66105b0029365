import type { ActsFor } from "../model/administration.ts";
import { listOf } from "./check-record.ts";
import { isTenantId, operatorRole } from "./forms.ts";

const isTenantList = listOf(isTenantId);

/** True for a list of tenants, and for `any`. */
export function isActsFor(value: unknown): value is ActsFor {
  return value === "any" || isTenantList(value);
}

/**
 * Whether who has these roles and tenants may act for a tenant that is not the own one. A narrowed token leaves the powers of
 * `operator` behind, this one too.
 *
 * @param scopes what the token is narrowed to.
 */
export function mayActFor(
  who: { readonly roles: readonly string[]; readonly actsFor: ActsFor },
  scopes: readonly string[] | undefined,
  tenant: string,
): boolean {
  if (who.actsFor === "any" || who.actsFor.includes(tenant)) return true;
  return scopes === undefined && who.roles.includes(operatorRole);
}

/** Whether they can do anything outside their own tenant, which keeps that tenant's administrators off them. */
export function reachesBeyond(who: {
  readonly roles: readonly string[];
  readonly actsFor: ActsFor;
}): boolean {
  return who.actsFor === "any" || who.actsFor.length > 0 || who.roles.includes(operatorRole);
}
