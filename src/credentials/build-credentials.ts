import type { ProviderConfig } from "../model/config.ts";
import type { ConnectionConfig, OAuth2Auth } from "../model/connection-config.ts";
import type { Credential } from "../model/credential.ts";
import { applyAccessToken, applyStored, declaredCredential, gatewayReference } from "./apply-auth.ts";
import { belongsHere } from "./belongs-here.ts";
import type { StoredCredential } from "./credential-store.ts";
import type { MintedToken } from "./oauth/minted-tokens.ts";
import { type Choice, reconnectRequired } from "./select-credential.ts";

/** A connection with its provider, both of one state of the configuration. */
export interface Slot {
  readonly provider: ProviderConfig;
  readonly connection: ConnectionConfig;
}

/** Makes what calls send, once for each connection and each state of its credential: what is made is gone with them. */
export interface CredentialBuilder {
  /** What the file itself holds; `undefined`: nothing. */
  declared(slot: Slot): Credential | undefined;
  /** Throws `reconnect_required` for one that does not fit the configuration as it is now. */
  stored(choice: Choice, slot: Slot, from: StoredCredential): Credential;
  minted(slot: Slot, auth: OAuth2Auth, token: MintedToken): Credential;
  /** Whether a credential was made of a stored one. */
  isStored(credential: Credential): boolean;
}

/** A builder that has made nothing yet. */
export function createCredentialBuilder(): CredentialBuilder {
  const declaredOnes = new WeakMap<ConnectionConfig, Credential | "none">();
  const storedOnes = new WeakMap<
    StoredCredential,
    { readonly connection: ConnectionConfig; readonly credential: Credential }
  >();
  const mintedOnes = new WeakMap<ConnectionConfig, Credential>();
  const ofStore = new WeakSet<Credential>();
  return {
    declared: ({ provider, connection }) => {
      let found = declaredOnes.get(connection);
      if (found === undefined) {
        found = declaredCredential(provider, connection) ?? "none";
        declaredOnes.set(connection, found);
      }
      return found === "none" ? undefined : found;
    },
    stored: (choice, { provider, connection }, from) => {
      const kept = storedOnes.get(from);
      if (kept?.connection === connection) return kept.credential;
      const { instance } = from.reference;
      if (!belongsHere(provider, connection, from)) {
        const reason = "it was given for another server than the one that the configuration names now";
        throw reconnectRequired(choice, instance, reason);
      }
      const applied = applyStored(connection, from);
      if (applied.kind === "unfit") throw reconnectRequired(choice, instance, applied.reason);
      const { credential } = applied;
      storedOnes.set(from, { connection, credential });
      ofStore.add(credential);
      return credential;
    },
    minted: ({ provider, connection }, auth, { accessToken, version }) => {
      const kept = mintedOnes.get(connection);
      if (kept?.version === version) return kept;
      const reference = gatewayReference(provider, connection);
      const credential: Credential = { ...applyAccessToken(auth, accessToken), reference, version };
      mintedOnes.set(connection, credential);
      return credential;
    },
    isStored: (credential) => ofStore.has(credential),
  };
}
