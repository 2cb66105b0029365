import type { AuthorizationServerConfig } from "../model/auth-config.ts";
import type { JsonObject } from "../model/json.ts";
import { allScopes } from "./resources.ts";

/** Paths of the endpoints, below the base URL. */
export const endpoints = {
  authorization: "/oauth/authorize",
  token: "/oauth/token",
  revocation: "/oauth/revoke",
  registration: "/oauth/register",
} as const;

const wellKnown = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

/**
 * Whether the metadata stands at a path. A client puts the path of the issuer behind the well-known one (RFC 8414, section 3.1) or, as OpenID
 * Connect Discovery has it, in front of it, where a proxy has taken it off again. Some ask for the latter document only.
 */
export function isMetadataPath(path: string, baseUrls: readonly string[]): boolean {
  return wellKnown.some(
    (known) =>
      path === known ||
      baseUrls.some((base) => {
        const below = pathOf(base);
        return below !== "" && (path === `${known}${below}` || path === `${below}${known}`);
      }),
  );
}

/** What the authorization server can do (RFC 8414), and nothing else. */
export function describeServer(issuer: string, settings: AuthorizationServerConfig): JsonObject {
  return {
    issuer,
    authorization_endpoint: `${issuer}${endpoints.authorization}`,
    token_endpoint: `${issuer}${endpoints.token}`,
    revocation_endpoint: `${issuer}${endpoints.revocation}`,
    ...(settings.dynamicRegistration && { registration_endpoint: `${issuer}${endpoints.registration}` }),
    scopes_supported: allScopes,
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: ["authorization_code", "refresh_token"],
    token_endpoint_auth_methods_supported: ["none", "client_secret_basic", "client_secret_post"],
    revocation_endpoint_auth_methods_supported: ["none", "client_secret_basic", "client_secret_post"],
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: settings.clientIdMetadata !== undefined,
  };
}

/** The path of a base URL, without a slash at the end; empty where there is none. */
export function pathOf(baseUrl: string): string {
  return (URL.parse(baseUrl)?.pathname ?? "").replace(/\/+$/, "");
}
