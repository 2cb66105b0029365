import { GatewayError } from "../errors.ts";
import type { ActsFor } from "../model/administration.ts";
import type { Principal } from "../model/principal.ts";
import { reachesBeyond } from "./acts-for.ts";
import { adminRole, operatorRole } from "./forms.ts";

/**
 * True for who does everything in every tenant. A principal whose token is narrowed never administers anything, nor does a client that a
 * person has let act for them: they were asked about what it may use.
 */
export function isOperator(as: Principal): boolean {
  return isWhole(as) && (as.kind === "operator" || hasRole(as, operatorRole));
}

/** True for who administers the tenant it acts in. */
export function isAdministrator(as: Principal): boolean {
  return isOperator(as) || (isWhole(as) && hasRole(as, adminRole));
}

/**
 * Throws `forbidden` for anonymous callers, for those whose token is narrowed, and for clients that act for somebody: not even their own
 * things are theirs to change.
 */
export function requireWhole(as: Principal): void {
  if (as.kind === "anonymous") {
    throw new GatewayError("forbidden", "This needs a user or a service, and you are nobody in particular.");
  }
  if (as.scopes !== undefined && as.credential?.kind !== "grant") {
    throw new GatewayError(
      "forbidden",
      "Your token is narrowed to some tools, and administers nothing. Use one without scopes, or sign in.",
    );
  }
  if (!isWhole(as)) {
    throw new GatewayError(
      "forbidden",
      "An MCP client that acts for somebody administers nothing. Sign in, or use an API token.",
    );
  }
}

/**
 * Throws `forbidden` for who comes by a token of another issuer: a token of the gateway's own would go on when that issuer vouches for
 * nobody any more.
 */
export function requireOwnCredential({ credential }: Principal): void {
  if (credential?.kind !== "jwt") return;
  throw new GatewayError(
    "forbidden",
    "Who comes by a token of another issuer makes no API tokens. Sign in, or use an API token.",
  );
}

/** Throws `forbidden` unless it is an administrator. */
export function requireAdministrator(as: Principal): void {
  requireWhole(as);
  if (!isAdministrator(as)) {
    throw new GatewayError("forbidden", "Only principals with the role `admin` or `operator` may do this.");
  }
}

/** Throws `forbidden` unless it is an operator. */
export function requireOperator(as: Principal, what = "do this"): void {
  requireWhole(as);
  if (!isOperator(as))
    throw new GatewayError("forbidden", `Only principals with the role \`operator\` may ${what}.`);
}

/**
 * Throws `forbidden` where somebody is to be changed whose reach is longer than that of who changes it: an administrator who could set
 * an operator's password, or that of somebody who acts for other tenants, would be one.
 */
export function requireNoLongerReach(
  as: Principal,
  target: { readonly roles: readonly string[]; readonly actsFor: ActsFor },
): void {
  if (reachesBeyond(target)) requireOperator(as, "change operators, and those who act for other tenants");
}

/** Throws `forbidden` for roles and tenants that are not the principal's to give. */
export function requireGrantable(
  as: Principal,
  {
    roles,
    actsFor,
  }: { readonly roles?: readonly string[] | undefined; readonly actsFor?: ActsFor | undefined },
): void {
  if (roles?.includes(operatorRole) === true) requireOperator(as, "give the role `operator`");
  if (actsFor !== undefined && actsFor.length > 0) requireOperator(as, "let somebody act for other tenants");
}

/** True for the user itself, in its own tenant. */
export function isSelf(as: Principal, user: string): boolean {
  return as.kind === "user" && as.tenant === as.home && as.id === user;
}

function isWhole({ scopes, credential }: Principal): boolean {
  return scopes === undefined && credential?.kind !== "grant";
}

function hasRole(as: Principal, role: string): boolean {
  return (as.kind === "user" || as.kind === "service") && as.roles.includes(role);
}
