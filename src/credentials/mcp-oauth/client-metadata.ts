import { isLoopback } from "../../loopback.ts";
import { isSuffix, redirectUriOf, suffixOf } from "../redirect-uri.ts";

/**
 * Where the gateway serves the documents that describe it as a client, below its base URL: one for each issuer, with the redirect URI of
 * that issuer alone.
 */
const folder = "/oauth/client/";
const extension = ".json";

const clientName = "Gestalt Gateway";

/**
 * What authorization servers are told of the gateway when it registers (RFC 7591, section 2).
 *
 * @param method how it wants to authenticate at the token endpoint, by the name that OAuth has for it.
 */
export function describeClient(redirectUri: string, method: string): Readonly<Record<string, unknown>> {
  return {
    client_name: clientName,
    redirect_uris: [redirectUri],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: method,
    // What may be redirected to without TLS is only what runs beside the browser (OpenID Connect Registration, section 2).
    application_type: new URL(redirectUri).protocol === "https:" ? "web" : "native",
  };
}

/**
 * The URL of the document that describes the gateway to an issuer, which is its client id where a server takes such URLs; `undefined`:
 * the gateway is not reachable for authorization servers under an https URL.
 */
export function clientMetadataUrl(baseUrl: string, issuer: string): string | undefined {
  return isPublic(baseUrl) ? urlOf(baseUrl, suffixOf(issuer)) : undefined;
}

/**
 * The document at a path (draft-ietf-oauth-client-id-metadata-document); `undefined`: there is none. Which issuers there are is not told:
 * there is one for every suffix.
 */
export function clientMetadataDocument(
  baseUrl: string,
  path: string,
): Readonly<Record<string, unknown>> | undefined {
  if (!path.startsWith(folder) || !path.endsWith(extension) || !isPublic(baseUrl)) return undefined;
  const suffix = path.slice(folder.length, -extension.length);
  if (!isSuffix(suffix)) return undefined;
  const described = describeClient(redirectUriOf(baseUrl, suffix), "none");
  return { client_id: urlOf(baseUrl, suffix), client_uri: baseUrl, ...described };
}

function urlOf(baseUrl: string, suffix: string): string {
  return `${baseUrl}${folder}${suffix}${extension}`;
}

function isPublic(baseUrl: string): boolean {
  const url = URL.parse(baseUrl);
  return url !== null && url.protocol === "https:" && !isLoopback(url.hostname);
}
