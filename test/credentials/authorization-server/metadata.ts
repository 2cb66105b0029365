import type { JsonValue } from "../../../src/model/json.ts";
import type { AuthorizationServerOptions } from "./model.ts";

/** Where the metadata of an issuer is looked for: RFC 8414 section 3.1, and OpenID Connect Discovery in both readings. */
export function metadataPaths(
  issuerPath: string,
  { oauth = true, oidc = true }: NonNullable<AuthorizationServerOptions["metadata"]>,
): readonly string[] {
  return [
    ...(oauth ? [`/.well-known/oauth-authorization-server${issuerPath}`] : []),
    ...(oidc
      ? [`/.well-known/openid-configuration${issuerPath}`, `${issuerPath}/.well-known/openid-configuration`]
      : []),
  ];
}

/** RFC 8414, section 2. */
export function metadataOf(
  issuer: string,
  settings: AuthorizationServerOptions,
): Readonly<Record<string, JsonValue>> {
  const { pkce = "required", responseIssuer = true, registration = "off", scopes } = settings;
  const base = issuer.replace(/\/$/, "");
  const metadata: Record<string, JsonValue | undefined> = {
    issuer,
    authorization_endpoint: `${base}/authorize`,
    token_endpoint: `${base}/token`,
    revocation_endpoint: settings.revocation === false ? undefined : `${base}/revoke`,
    registration_endpoint: registration === "off" ? undefined : `${base}/register`,
    scopes_supported: scopes,
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
    code_challenge_methods_supported: pkce === "none" ? undefined : ["S256"],
    authorization_response_iss_parameter_supported: responseIssuer === false ? undefined : true,
    client_id_metadata_document_supported: settings.clientIdMetadata === true ? true : undefined,
    ...settings.metadata?.changes,
  };
  return Object.fromEntries(
    Object.entries(metadata).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
