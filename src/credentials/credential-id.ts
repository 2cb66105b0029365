import type { CredentialReference } from "../model/credential.ts";
import { escapePart, ownerPrefix } from "../store/owner-prefix.ts";
import type { Owner } from "./credential-store.ts";

/*
 * The id of a credential's record: `OWNERKIND:OWNERID/PROVIDER/CONNECTION/INSTANCE`, its parts escaped, so that every reference has one id
 * and no two have the same.
 */

/** The id of a credential in the store of its tenant. */
export function credentialId(reference: CredentialReference): string {
  const { provider, connection, instance } = reference;
  return ownerPrefix(reference.owner) + [provider, connection, instance].map(escapePart).join("/");
}

/** What the ids of an owner begin with; of those of a provider and of a connection, where named. */
export function credentialPrefix(owner: Owner, provider?: string, connection?: string): string {
  const named = provider === undefined ? [] : connection === undefined ? [provider] : [provider, connection];
  return ownerPrefix(owner.owner) + named.map((part) => `${escapePart(part)}/`).join("");
}

/** The reference that an id in the store of a tenant stands for; `undefined` for what is no id of a credential. */
export function parseCredentialId(tenant: string, id: string): CredentialReference | undefined {
  const [owner = "", provider = "", connection = "", instance = ""] = id.split("/").map(unescapePart);
  const [, kind = "", ownerId = ""] = /^(gateway|tenant|user):(.+)$/s.exec(owner) ?? [];
  if (kind !== "gateway" && kind !== "tenant" && kind !== "user") return undefined;
  const reference = { tenant, owner: { kind, id: ownerId }, provider, connection, instance } as const;
  // There is one way to write it.
  return credentialId(reference) === id ? reference : undefined;
}

function unescapePart(part: string): string {
  return part.replace(/%([0-9a-f]{4})/g, (_all, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
