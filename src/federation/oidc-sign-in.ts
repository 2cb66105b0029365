import type { VerifiedAccount } from "../identity/identity.ts";

/** Sign-in at the OpenID provider that the configuration names (`auth.provider: oidc`): code flow with PKCE. */
export interface OidcSignIn {
  /**
   * Begins. Throws `GatewayError` in words for the person: `upstream_failed`, `timed_out` when the provider's metadata can't be had or is no
   * good, `not_found` where there is no such sign-in, `store_unavailable`, `overloaded` when too many are under way, `rate_limited` when too many
   * came from one address.
   *
   * @param next the page of ours to go on with, as `pagePath` wrote it.
   * @param visitor who begins.
   */
  begin(next: string | undefined, visitor?: SignInVisitor): Promise<BegunSignIn>;
  /**
   * Ends what a browser comes back with. Counts once, for ten minutes, and only in the browser that has begun. Throws `GatewayError`:
   * `bad_request` for an unknown, used or foreign state and for an answer that is none, `forbidden` when the provider or the person refused,
   * `upstream_failed` when the provider's answer is no good.
   *
   * @param query the callback's query, as it came.
   * @param browser the secret from the browser's cookie.
   */
  finish(query: string, browser: string | undefined): Promise<FinishedSignIn>;
}

/** The browser that begins, as far as it matters. */
export interface SignInVisitor {
  /** The request's `Host`, which was checked: the provider sends the browser back to where its cookies are. */
  readonly host: string | undefined;
  /** Where the request came from, for limits. */
  readonly address: string;
}

/** A sign-in that has begun. */
export interface BegunSignIn {
  /** Where the browser goes. */
  readonly url: string;
  readonly state: string;
  /** A secret for the browser's cookie, which binds the sign-in to it. */
  readonly browser: string;
}

/** Somebody has come back, and who it is is known. */
export interface FinishedSignIn {
  readonly account: VerifiedAccount;
  readonly next: string | undefined;
}
