import type { Secret } from "../secret.ts";
import type { Place } from "./place.ts";

/** How callers prove who they are. */
export interface AuthConfig {
  /**
   * How people sign in. `none`: they don't, and everybody is the same anonymous caller. `local`: by name and password. `oidc`: at an
   * identity provider.
   */
  readonly provider: "none" | "local" | "oidc";
  /** The identity provider; there with `provider: oidc` only. */
  readonly oidc: OidcConfig | undefined;
  /** Issuers of JSON Web Tokens that are accepted besides the gateway's own tokens. Empty with `provider: none`. */
  readonly trustedIssuers: readonly TrustedIssuerConfig[];
  /** The gateway's own authorization server for MCP clients; `undefined`: it is off. */
  readonly authorizationServer: AuthorizationServerConfig | undefined;
  /** Lifetime of an API token that is created without one. */
  readonly apiTokenMilliseconds: number;
  /** A browser session ends after this time, and after `sessionIdleMilliseconds` without a request. */
  readonly sessionMilliseconds: number;
  readonly sessionIdleMilliseconds: number;
  /** The query parameter that API tokens are taken from, for clients that can't send a header; `undefined`: from none. */
  readonly queryToken: string | undefined;
}

/** The gateway as a client of an OpenID provider. */
export interface OidcConfig {
  /** As in its discovery document, compared to the letter. */
  readonly issuer: string;
  readonly clientId: string;
  /** `undefined`: a public client. */
  readonly clientSecret: Secret | undefined;
  /** Asked for; `openid` is among them. */
  readonly scopes: readonly string[];
  /** Lower-case domains of e-mail addresses, which then have to be verified. `undefined`: any address, or none. Empty: nobody. */
  readonly allowedDomains: readonly string[] | undefined;
  /** How people call it on the sign-in page; the host of the issuer by default. */
  readonly displayName: string;
  readonly claims: ClaimRules;
  /** Of the issuer. */
  readonly place?: Place;
}

/** Where tenant and roles stand in what an issuer says of somebody. */
export interface ClaimRules {
  /** `undefined`: everybody belongs to the tenant `default`. Otherwise who has no such claim, or none that means a tenant, is refused. */
  readonly tenant: ClaimRule | undefined;
  /** `undefined`: nothing is said of roles. */
  readonly roles: ClaimRule | undefined;
}

/** One claim, and what its values mean. */
export interface ClaimRule {
  /** Its name, or a way into objects with dots, such as `realm_access.roles`; a claim of the whole name counts first. */
  readonly claim: string;
  /** Value of the claim to tenant or role; `undefined`: the value itself, but for the roles `operator` and `admin`, which have to be named. */
  readonly values: Readonly<Record<string, string>> | undefined;
}

/** An issuer of JSON Web Tokens that the gateway believes. */
export interface TrustedIssuerConfig {
  /** The `iss` claim, compared to the letter. */
  readonly issuer: string;
  /** Each token has to have one of them in `aud`. Never empty. */
  readonly audiences: readonly string[];
  /** `undefined`: found by the issuer's metadata (OpenID Connect Discovery, RFC 8414). */
  readonly jwksUrl: string | undefined;
  /** Asymmetric ones only. Never empty. */
  readonly algorithms: readonly string[];
  /** Accepted `typ` headers, lower case, without `application/`; the empty text stands for none. Never empty. */
  readonly types: readonly string[];
  /** Scopes that each token has to have; others are refused with `insufficient_scope`. */
  readonly requiredScopes: readonly string[];
  readonly claims: ClaimRules;
  readonly place: Place;
}

/** The gateway as an authorization server for MCP clients (OAuth 2.1). */
export interface AuthorizationServerConfig {
  /** Dynamic client registration (RFC 7591); `undefined`: off. */
  readonly dynamicRegistration: DynamicRegistrationConfig | undefined;
  /** Client ID metadata documents; `undefined`: off. */
  readonly clientIdMetadata:
    | {
        /** Host names that documents may come from; `undefined`: any public one. */
        readonly allowedHosts: readonly string[] | undefined;
      }
    | undefined;
  /** Private-use URI schemes that redirect URIs may have (RFC 8252, section 7.1), without the colon. */
  readonly redirectSchemes: readonly string[];
  readonly accessTokenMilliseconds: number;
  /** From its last use; whoever does not come back for so long has to consent anew. */
  readonly refreshTokenMilliseconds: number;
  /** Clients that the operator knows, by id. */
  readonly clients: Readonly<Record<string, StaticClientConfig>>;
}

/** Bounds of what anybody may register. */
export interface DynamicRegistrationConfig {
  /** From one address in an hour. */
  readonly perHour: number;
  /** Registrations that nobody has used yet, of all together. */
  readonly mostUnused: number;
  /** After so long without use a registration is removed. */
  readonly unusedMilliseconds: number;
}

/** A client of the authorization server that the operator has registered. */
export interface StaticClientConfig {
  readonly id: string;
  readonly displayName: string;
  /** Never empty; loopback ones count with any port. */
  readonly redirectUris: readonly string[];
  /** `undefined`: a public client, which proves itself by PKCE alone. */
  readonly secret: Secret | undefined;
  readonly place: Place;
}
