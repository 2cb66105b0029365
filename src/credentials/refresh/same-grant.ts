import { GatewayError } from "../../errors.ts";
import type { CredentialReference } from "../../model/credential.ts";
import type { CredentialFacts, StoredCredential } from "../credential-store.ts";
import { keyOfReference } from "../owner.ts";

/**
 * Whether two readings of a credential have the same secrets. The version alone would not do: who disconnects and connects again may
 * begin anew with it.
 */
export function isSameGrant(one: StoredCredential, other: StoredCredential): boolean {
  if (one === other) return true;
  if (one.version !== other.version) return false;
  const names = Object.keys(one.secrets);
  return (
    names.length === Object.keys(other.secrets).length &&
    names.every((name) => {
      const [own, others] = [one.secrets[name], other.secrets[name]];
      return own !== undefined && others !== undefined && own.equals(others);
    })
  );
}

/** The credential, after a last look at whose it is: whatever has gone wrong elsewhere, nobody gets another one's. */
export function checkOwner(
  credential: StoredCredential | undefined,
  reference: CredentialReference,
): StoredCredential | undefined {
  if (credential === undefined || credential.reference === reference) return credential;
  if (keyOfReference(credential.reference) === keyOfReference(reference)) return credential;
  throw new GatewayError("internal", "The store gave a credential that is not the one it was asked for.");
}

/** What of a stored credential is written back. */
export function factsOf(credential: StoredCredential): CredentialFacts {
  const { reference: _reference, version: _version, recordVersion: _recordVersion, ...facts } = credential;
  return facts;
}
