import type { Secret } from "../secret.ts";

/** Which stored credential a call uses; also the part of every cache and pool key that keeps callers apart. */
export interface CredentialReference {
  /** The tenant in whose store it is; empty for the gateway's own. */
  readonly tenant: string;
  readonly owner: { readonly kind: "gateway" | "tenant" | "user"; readonly id: string };
  readonly provider: string;
  readonly connection: string;
  readonly instance: string;
}

/** What the executor adds to the request, last, after everything that arguments made. */
export interface Credential {
  /** `undefined`: the operation needs no credential. */
  readonly reference: CredentialReference | undefined;
  /** Of the stored credential; grows with everything that replaces its secrets. Absent for those that nobody stored. */
  readonly version?: number;
  /**
   * When somebody connected the stored credential, in milliseconds since 1970: another time may mean another account, with which nothing
   * that was begun before may go on. Refreshing changes nothing of it. Absent for those that nobody stored.
   */
  readonly connectedAt?: number;
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, Secret>>;
  readonly query: Readonly<Record<string, Secret>>;
  /** Cookies by name; absent: none. */
  readonly cookies?: Readonly<Record<string, Secret>>;
  /** Values for `{name}` in the URLs of the provider's surfaces; absent: none. */
  readonly params?: Readonly<Record<string, string>>;
}

/** How an upstream refused a credential. */
export interface CredentialRefusal {
  readonly status: 401 | 403;
  /** The `WWW-Authenticate` header, if there was one. */
  readonly challenge: string | undefined;
}

/** The credential of something that lives longer than a call, such as a session with an upstream: as it is now. */
export interface CredentialSource {
  /** Fails like {@link CredentialSource.renew}, and with `not_connected` once it is gone. */
  current(signal: AbortSignal): Promise<Credential>;
  /**
   * Another credential in place of the one that an upstream has refused, to be tried once; `undefined`: there is none, and the
   * refusal stands. Throws `GatewayError`: `reconnect_required` when somebody has to connect anew, `upstream_failed` when that could
   * not be found out.
   */
  renew(
    refused: Credential,
    refusal: CredentialRefusal,
    signal: AbortSignal,
  ): Promise<Credential | undefined>;
}
