import type { ConnectionConfig } from "../model/connection-config.ts";
import type { CredentialReference } from "../model/credential.ts";
import type { Principal } from "../model/principal.ts";
import { userIn } from "../store/owner-prefix.ts";
import type { Owner } from "./credential-store.ts";

/** The name of an instance where nobody names one. */
export const defaultInstance = "default";

/** What names of instances look like. */
export const instanceForm = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/**
 * The principal itself as an owner, in the tenant that it acts in. Where nobody signs in, whoever runs the command line is the same
 * person as whoever calls.
 */
export function userOwner({ kind, id, home, tenant }: Principal): Owner {
  const own = kind === "operator" ? "anonymous" : id;
  return { tenant, owner: userIn(tenant, { id: own, home }) };
}

/** The tenant that a principal acts in as an owner. */
export function tenantOwner({ tenant }: Principal): Owner {
  return { tenant, owner: { kind: "tenant", id: tenant } };
}

/** The gateway itself as an owner. */
export const gatewayOwner: Owner = { tenant: "", owner: { kind: "gateway", id: "gateway" } };

/** Whose credentials count on a connection for a principal, in the order in which they are looked for. */
export function ownersFor(mode: ConnectionConfig["mode"], principal: Principal): readonly Owner[] {
  switch (mode) {
    case "none":
      return [];
    case "user":
      return [userOwner(principal)];
    case "tenant":
      return [tenantOwner(principal)];
    case "either":
      return [userOwner(principal), tenantOwner(principal)];
    case "identity":
      return [gatewayOwner];
  }
}

/** A text that is equal for equal references and for no others; a key for maps. */
export function keyOfReference(reference: CredentialReference): string {
  const { tenant, owner, provider, connection, instance } = reference;
  return JSON.stringify([tenant, owner.kind, owner.id, provider, connection, instance]);
}

/**
 * Whether a principal may change what its tenant shares. A token that is narrowed changes no credentials at all, and a client that a
 * person has let act for them only that person's own; where nobody signs in everybody is the operator.
 */
export function mayShare({ kind, roles, scopes, credential }: Principal): boolean {
  if (scopes !== undefined || credential?.kind === "grant") return false;
  return kind === "operator" || kind === "anonymous" || roles.includes("operator") || roles.includes("admin");
}

/** Whether a principal may change the gateway's own credentials. */
export function mayConnectGateway({ kind, roles, scopes, credential }: Principal): boolean {
  if (scopes !== undefined || credential?.kind === "grant") return false;
  return kind === "operator" || kind === "anonymous" || roles.includes("operator");
}
