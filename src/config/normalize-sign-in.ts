import type {
  AuthConfig,
  AuthorizationServerConfig,
  ClaimRule,
  ClaimRules,
  OidcConfig,
  StaticClientConfig,
  TrustedIssuerConfig,
} from "../model/auth-config.ts";
import type {
  AuthorizationServerSettings,
  AuthSettings,
  OAuthClient,
  SignInSettings,
  TrustedIssuer,
} from "../model/config-file.generated.ts";
import { Secret } from "../secret.ts";
import { readDuration } from "./duration.ts";
import { type Origin, record } from "./origin.ts";

/** What holds where the file says nothing of how people and clients sign in. */
const defaults = {
  scopes: ["openid", "email", "profile"],
  algorithms: [
    ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
    ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
  ],
  tokenTypes: ["at+jwt", "jwt"],
  accessToken: "1h",
  refreshToken: "30d",
  registrationsPerHour: 20,
  unusedRegistrations: 1000,
  unusedRegistration: "1d",
} as const;

/** The private-use schemes of programs in the field that register them as redirect URIs; allowed unless the file names others. */
export const knownRedirectSchemes: readonly string[] = [
  "cursor",
  "vscode",
  "vscode-insiders",
  "windsurf",
  "warp",
  "com.raycast",
];

/** Who vouches for callers besides the gateway itself, and for whom the gateway does, complete. */
export function normalizeSignIn(
  auth: AuthSettings,
  origin: Origin,
): Pick<AuthConfig, "provider" | "oidc" | "trustedIssuers" | "authorizationServer"> {
  const { provider = "none", config, trusted_issuers: issuers = [], authorization_server: server } = auth;
  return {
    provider,
    oidc: provider === "oidc" && config !== undefined ? normalizeOidc(config, origin) : undefined,
    // Rules have refused both where nobody signs in.
    trustedIssuers: issuers.map((issuer, index) => normalizeIssuer(issuer, index, origin)),
    authorizationServer:
      server === undefined || server.enabled === false ? undefined : normalizeServer(server, origin),
  };
}

function normalizeOidc(config: SignInSettings, origin: Origin): OidcConfig {
  return {
    issuer: config.issuer_url,
    clientId: config.client_id,
    clientSecret: secretOf(config.client_secret),
    scopes: [...new Set(["openid", ...(config.scopes ?? defaults.scopes)])],
    allowedDomains: config.allowed_domains?.map((domain) => domain.toLowerCase()),
    displayName: config.display_name ?? URL.parse(config.issuer_url)?.host ?? config.issuer_url,
    claims: normalizeClaims(config),
    place: origin.place(["auth", "config", "issuer_url"], "value"),
  };
}

function normalizeIssuer(settings: TrustedIssuer, index: number, origin: Origin): TrustedIssuerConfig {
  const types = settings.token_types ?? defaults.tokenTypes;
  return {
    issuer: settings.issuer,
    audiences: [settings.audience].flat(),
    jwksUrl: settings.jwks_url,
    algorithms: settings.algorithms ?? defaults.algorithms,
    types: types.map((type) => type.toLowerCase().replace(/^application\//, "")),
    requiredScopes: settings.required_scopes ?? [],
    claims: normalizeClaims(settings),
    place: origin.place(["auth", "trusted_issuers", index, "issuer"], "value"),
  };
}

function normalizeClaims({
  tenant_claim: tenantClaim,
  tenants,
  roles_claim: rolesClaim,
  roles,
}: Pick<TrustedIssuer, "tenant_claim" | "tenants" | "roles_claim" | "roles">): ClaimRules {
  return { tenant: claimRule(tenantClaim, tenants), roles: claimRule(rolesClaim, roles) };
}

function claimRule(
  claim: string | undefined,
  values: Readonly<Record<string, string>> | undefined,
): ClaimRule | undefined {
  return claim === undefined ? undefined : { claim, values: values && record(Object.entries(values)) };
}

function normalizeServer(settings: AuthorizationServerSettings, origin: Origin): AuthorizationServerConfig {
  const { dynamic_registration: registration = {}, client_id_metadata: metadata = {} } = settings;
  return {
    dynamicRegistration:
      registration.enabled === false
        ? undefined
        : {
            perHour: registration.per_hour ?? defaults.registrationsPerHour,
            mostUnused: registration.unused_limit ?? defaults.unusedRegistrations,
            unusedMilliseconds: readDuration(registration.unused_ttl ?? defaults.unusedRegistration),
          },
    clientIdMetadata:
      metadata.enabled === false
        ? undefined
        : { allowedHosts: metadata.allowed_hosts?.map((host) => host.toLowerCase()) },
    redirectSchemes: settings.redirect_schemes ?? knownRedirectSchemes,
    accessTokenMilliseconds: readDuration(settings.access_token_ttl ?? defaults.accessToken),
    refreshTokenMilliseconds: readDuration(settings.refresh_token_ttl ?? defaults.refreshToken),
    clients: record(
      Object.entries(settings.clients ?? {}).map(([id, client]) => [id, normalizeClient(id, client, origin)]),
    ),
  };
}

/** A reference that is not set yet stays as its text: without a secret, a client would be a public one. */
function secretOf(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : new Secret(text);
}

function normalizeClient(id: string, client: OAuthClient, origin: Origin): StaticClientConfig {
  return {
    id,
    displayName: client.display_name ?? id,
    redirectUris: client.redirect_uris,
    secret: secretOf(client.client_secret),
    place: origin.place(["auth", "authorization_server", "clients", id]),
  };
}
