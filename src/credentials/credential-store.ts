import type { CredentialReference } from "../model/credential.ts";
import type { Secret } from "../secret.ts";

/** A stored credential, opened. */
export interface StoredCredential extends CredentialFacts {
  readonly reference: CredentialReference;
  /** Grows with everything that replaces the secrets; part of what they are sealed for. */
  readonly version: number;
  /** Of the record in the store, for compare-and-swap. */
  readonly recordVersion: number;
}

/** What is kept of a credential, besides whose it is. Times in milliseconds since 1970. */
export interface CredentialFacts {
  readonly type: "bearer" | "manual" | "oauth2" | "mcp_oauth";
  /** By field: `access_token`, `refresh_token`, `client_secret`, or the names of the connection's own fields. */
  readonly secrets: Readonly<Record<string, Secret>>;
  /** End of the access token; `undefined`: never, as far as known. */
  readonly expiresAt: number | undefined;
  /** When the access token was given out. */
  readonly obtainedAt: number;
  /** As granted; `undefined`: the upstream did not say. */
  readonly scopes: readonly string[] | undefined;
  readonly params: Readonly<Record<string, string>>;
  /** With whom tokens are refreshed and revoked; `undefined` for what somebody typed in. */
  readonly oauth: StoredOAuth | undefined;
  readonly state: CredentialState;
  readonly connectedAt: number;
  /** Id of the principal who connected it. */
  readonly connectedBy: string;
  /**
   * The journal: a refresh of this very version was begun and may have reached the token endpoint. What finds it without a lease that
   * is held knows that a process has died in between.
   */
  readonly refreshing: { readonly since: number; readonly holder: string } | undefined;
}

/**
 * `wanted`: scopes that the next authorization has to ask for besides those granted, because a call was refused for the lack of them;
 * what needs no more goes on. Absent: none.
 */
export type CredentialState =
  | { readonly kind: "ready"; readonly wanted?: readonly string[] }
  | { readonly kind: "reconnect_required"; readonly reason: string; readonly wanted: readonly string[] };

/** The authorization server and the client that a token came from: tokens go back there and nowhere else. */
export interface StoredOAuth {
  /** Of `mcp_oauth`: the issuer's identifier. Of `oauth2`: `undefined`. */
  readonly issuer: string | undefined;
  readonly tokenUrl: string;
  readonly revocationUrl: string | undefined;
  readonly clientId: string;
  readonly clientAuth: "header" | "body" | "none";
  readonly resource: string | undefined;
  /** Whether the operator's file named these addresses, or a server did. */
  readonly namedBy: "operator" | "upstream";
}

/** Whose credentials are meant. */
export type Owner = Pick<CredentialReference, "tenant" | "owner">;

/**
 * Credentials over the store and the vault. Everything read is kept while the store's epoch says that nothing has changed.
 *
 * Throws `GatewayError`: `store_unavailable` when the store fails or a record can't be opened (which is never taken for absent),
 * `conflict` for a compare-and-swap that lost, `unsupported` with a message that names the setting where there is no store or no key to
 * put anything.
 */
export interface CredentialStore {
  /** `undefined`: there is none. */
  get(reference: CredentialReference): Promise<StoredCredential | undefined>;
  /** The same past everything that is kept. */
  reread(reference: CredentialReference): Promise<StoredCredential | undefined>;
  /** Those of one owner, ordered by provider, connection and instance; all of a provider or of a connection where named. */
  list(owner: Owner, provider?: string, connection?: string): Promise<readonly StoredCredential[]>;
  /**
   * Writes a credential whole. `replaceSecrets`: the secrets are new, so the version grows; otherwise those that are there stay sealed as
   * they are and only facts change. Facts that decide where secrets go (`type`, `oauth`, `params`) are part of what they are sealed for:
   * where one of them changes, the same secrets are sealed anew, and the version grows as well.
   *
   * @param expected the credential that it takes the place of; `absent`: there must be none; `any`: whatever there is.
   */
  put(
    reference: CredentialReference,
    facts: CredentialFacts,
    expected: StoredCredential | "absent" | "any",
    replaceSecrets: boolean,
  ): Promise<StoredCredential>;
  /** Removes it unless it has changed meanwhile, which throws `conflict`. */
  remove(credential: StoredCredential): Promise<void>;
  /** A lease over all processes, see `TenantStore.acquireLease`; released by `using`-like call of the returned function. */
  lease(
    reference: CredentialReference,
    holder: string,
    milliseconds: number,
  ): Promise<CredentialLease | undefined>;
  /** Differs once any credential may have changed. Cheap enough to ask at every call. */
  epoch(): number;
}

/** A lease that is held. */
export interface CredentialLease {
  /** False when it was lost meanwhile. */
  renew(milliseconds: number): Promise<boolean>;
  release(): Promise<void>;
}
