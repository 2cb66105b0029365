import type { CredentialReference } from "../model/credential.ts";

/** A text that is equal for equal references and for no others: what keeps the sessions of callers apart. */
export function keyOfCredential(reference: CredentialReference): string {
  const { tenant, owner, provider, connection, instance } = reference;
  return JSON.stringify([tenant, owner.kind, owner.id, provider, connection, instance]);
}
