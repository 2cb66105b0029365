import type { CredentialFacts } from "../../src/credentials/credential-store.ts";
import type { CredentialReference } from "../../src/model/credential.ts";
import { Secret } from "../../src/secret.ts";

/** A place for a credential: of user `usr_a` of tenant `acme` on `crm`/`default`, unless said otherwise. */
export function referenceOf(changes: Partial<CredentialReference> = {}): CredentialReference {
  return {
    tenant: "acme",
    owner: { kind: "user", id: "usr_a" },
    provider: "crm",
    connection: "default",
    instance: "default",
    ...changes,
  };
}

/** An OAuth credential that is ready, unless said otherwise. */
export function factsOf(
  secrets: Readonly<Record<string, string>>,
  changes: Partial<CredentialFacts> = {},
): CredentialFacts {
  return {
    type: "oauth2",
    secrets: Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, new Secret(value)])),
    expiresAt: 2_000_000,
    obtainedAt: 1_000_000,
    scopes: ["read"],
    params: { region: "eu" },
    oauth: {
      issuer: undefined,
      tokenUrl: "https://auth.example.com/token",
      revocationUrl: undefined,
      clientId: "client",
      clientAuth: "header",
      resource: undefined,
      namedBy: "operator",
    },
    state: { kind: "ready" },
    connectedAt: 1_000_000,
    connectedBy: "usr_a",
    refreshing: undefined,
    ...changes,
  };
}
