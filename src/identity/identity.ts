import type { Administration } from "../model/administration.ts";
import type { TrustedIssuerConfig } from "../model/auth-config.ts";
import type { JsonObject } from "../model/json.ts";
import type { Principal } from "../model/principal.ts";
import type { Secret } from "../secret.ts";

/** What a request presents to show who sends it. */
export type Presented =
  | { readonly kind: "nothing" }
  | { readonly kind: "token"; readonly token: Secret }
  | { readonly kind: "session"; readonly token: Secret };

/** Everything about who calls: the one way from what a request presents to a principal, and what can be done to principals. */
export interface Identity {
  /**
   * Who calls. While nothing about them changes, the same credential in the same tenant gives the same object.
   *
   * @param actFor the tenant to act in, if the request names one.
   * @param surface what is called: access tokens of the gateway's own authorization server count where they were issued for, and
   * nowhere else (RFC 8707). Default `other`.
   * Throws `GatewayError`: `unauthenticated` for whatever is not known, expired, revoked or malformed; `forbidden` for a tenant
   * that the caller may not act for, be there such a tenant or not; `insufficient_scope` for a token without a scope that its issuer's
   * have to have (`details.scope`); `store_unavailable` when that can't be found out in time.
   */
  authenticate(
    presented: Presented,
    actFor: string | undefined,
    surface?: ProtectedSurface,
  ): Promise<Principal>;
  /**
   * Signs a user in by name and password. Throws `unauthenticated` with the same message whatever is wrong,
   * `rate_limited` after too many attempts from one address or for one name, `not_found` where there is no sign-in.
   */
  signIn(attempt: SignIn): Promise<SignedIn>;
  /**
   * Signs somebody in whom the identity provider has vouched for: the user of the account, made at the first sign-in, with the tenant and
   * the roles that its claims mean. Throws `forbidden`, in words for that person, for whom the configuration does not let in.
   */
  signInBy(account: VerifiedAccount, browser: Omit<SignIn, "name" | "password">): Promise<SignedIn>;
  /** Ends the session that was presented; nothing happens for anything else. */
  signOut(presented: Presented): Promise<void>;
  /** What a principal may do to users, tokens, sessions and tenants. */
  administration(as: Principal): Administration;
  /**
   * A principal by what people call it, for explanations: `user:NAME`, `token:ID` (or the name of a service token that is the only
   * one of its name), `anonymous`, `operator`; `@TENANT` behind it makes it act there. Throws `not_found` or `bad_request`.
   */
  lookUp(text: string): Promise<Principal>;
  /** Finishes what is written late, such as when credentials were last used. The store stays open. */
  close(): Promise<void>;
}

/** What access tokens are issued for: MCP, the HTTP API; `other`: neither, such as pages. */
export type ProtectedSurface = "mcp" | "api" | "other";

/** What an issuer that the configuration names says of somebody, after its token was verified. */
export interface VerifiedAccount {
  /** To the letter. */
  readonly issuer: string;
  /** The `sub` claim: never given to another one by that issuer. */
  readonly subject: string;
  /** All claims, as they were parsed. */
  readonly claims: JsonObject;
}

/** A JSON Web Token of a trusted issuer, verified but for whom it stands for. */
export interface VerifiedToken extends VerifiedAccount {
  readonly settings: TrustedIssuerConfig;
  /** The client that it was issued to (`client_id` or `azp`), if it says so. */
  readonly clientId: string | undefined;
  readonly scopes: readonly string[];
  /** Milliseconds since 1970, without any tolerance. */
  readonly expiresAt: number;
}

/**
 * Verifies tokens of other issuers. `undefined`: it is none of a trusted issuer's, or not good, whatever the reason. Rejects with
 * `store_unavailable` when the issuer's keys can't be had.
 */
export type VerifyToken = (token: Secret) => Promise<VerifiedToken | undefined>;

/** One attempt to sign in. */
export interface SignIn {
  readonly name: string;
  readonly password: Secret;
  /** What the browser calls itself. */
  readonly client: string | undefined;
  /** Where the request came from, for limits. */
  readonly address: string;
}

/** A session that has begun. */
export interface SignedIn {
  readonly principal: Principal;
  /** For the cookie. */
  readonly session: Secret;
  /** Milliseconds until it ends at the latest. */
  readonly milliseconds: number;
}
