import type { CredentialReference, CredentialRefusal } from "../model/credential.ts";
import type { StoredCredential } from "./credential-store.ts";

/**
 * Keeps stored credentials usable: refreshed ahead of their end, once, however many callers and processes want it, and never lost.
 *
 * What both methods throw is a `GatewayError`: `reconnect_required` after a definite refusal, `upstream_failed` (retryable) while the
 * token endpoint can't be reached and the access token is over, `store_unavailable`, `draining` after `close`, the signal's reason.
 */
export interface TokenKeeper {
  /** The credential, fit for use now; `undefined`: there is none. Touches nothing but memory while it is known to be fit. */
  obtain(reference: CredentialReference, signal: AbortSignal): Promise<StoredCredential | undefined>;
  /**
   * Called when an upstream refused a credential of some version. Gives another version to try once, if there is one or a refresh makes
   * one; `undefined`: nothing else can be tried, the refusal stands. Repeated refusals, and those that ask for more scopes, end in
   * `reconnect_required`.
   */
  renew(
    reference: CredentialReference,
    version: number,
    refusal: CredentialRefusal,
    signal: AbortSignal,
  ): Promise<StoredCredential | undefined>;
  /** Told by calls that went well, so that single refusals in between count for nothing. */
  accepted(reference: CredentialReference): void;
  /** Finishes refreshes that are under way, and writes what they brought. */
  close(): Promise<void>;
}
