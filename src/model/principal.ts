import type { TenantExposure } from "./tenant.ts";

/**
 * The verified caller, acting in one tenant. Only the `identity` room makes one from what a request presents; every failure
 * there is an error and never a principal.
 */
export interface Principal {
  /**
   * `anonymous`: anybody, only where `auth.provider` is `none`. `user`: a person, by a session or a token of their own.
   * `service`: a token that belongs to no user. `operator`: whoever runs the command line beside the configuration file.
   */
  readonly kind: "anonymous" | "user" | "service" | "operator";
  /** Stable, unique in `home`, never given to another one. */
  readonly id: string;
  /** For people: the name of the user or of the token. */
  readonly name: string;
  /** The tenant that it acts in: what it sees and stores belongs there. */
  readonly tenant: string;
  /** The tenant that it belongs to; another one than `tenant` only while it acts for that. */
  readonly home: string;
  readonly roles: readonly string[];
  /**
   * What its token is narrowed to, as `[read:]PROVIDER[/OPERATION]`; `undefined`: not narrowed. An empty list allows nothing.
   */
  readonly scopes: readonly string[] | undefined;
  /**
   * What it presented; `undefined` for `anonymous` and `operator`. `token`: an API token. `grant`: an access token of the gateway's own
   * authorization server; the id is that of the grant, which stays the same as tokens are refreshed. `jwt`: a token of a trusted issuer;
   * the id stands for issuer, client and subject.
   */
  readonly credential:
    | { readonly kind: "session" | "token" | "grant" | "jwt"; readonly id: string }
    | undefined;
  /** What of the catalog its tenant gets. */
  readonly exposure: TenantExposure;
}
