import { GatewayError } from "../../errors.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { whoNamed } from "../../upstream/named-url.ts";
import type { BoundedHttp } from "./bounded-http.ts";
import { checkEndpoint } from "./check-endpoint.ts";
import { readScopeList } from "./choose-scopes.ts";
import { fetchMetadata } from "./fetch-metadata.ts";

/** An authorization server as its metadata has it (RFC 8414). */
export interface ServerMetadata {
  /** As it is written there. */
  readonly issuer: string;
  /** It announces that it always names itself in answers (RFC 9207, section 3). */
  readonly issuerRequired: boolean;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  /** RFC 7591; `undefined`: clients can't register by themselves. */
  readonly registrationUrl: string | undefined;
  readonly revocationUrl: string | undefined;
  /** How clients may authenticate at the token endpoint, by the names that OAuth has for it. */
  readonly clientAuthMethods: readonly string[];
  readonly scopes: readonly string[];
  /** It takes URLs of metadata documents for client ids. */
  readonly takesMetadataDocuments: boolean;
}

/**
 * Reads the metadata of the authorization server that a resource names, from the well-known places in the order of MCP 2026-07-28. What it
 * finds first counts: a document of another issuer, or without PKCE, ends the search.
 *
 * @throws GatewayError `upstream_failed`, `unsupported` for a server without PKCE S256.
 */
export async function readServerMetadata(
  http: BoundedHttp,
  issuer: string,
  mcpUrl: string,
  signal: AbortSignal,
): Promise<ServerMetadata> {
  const url = new URL(checkEndpoint(issuer, "authorization server", mcpUrl));
  if (url.search !== "") throw wrongIssuer();
  const document = await findDocument(http, url, mcpUrl, signal);
  if (document === undefined) {
    throw new GatewayError(
      "upstream_failed",
      `The authorization server that the MCP server names (${url.origin}) publishes no metadata. That is for whoever runs it to mend.`,
    );
  }
  // Compared as text: whatever normalizes takes two issuers for one (RFC 8414, section 3.3).
  if (document["issuer"] !== issuer) throw wrongIssuer();
  return readDocument(document, issuer, mcpUrl);
}

/**
 * The authorization server of an MCP server that names none, as of MCP 2025-03-26: the MCP server's own origin, with metadata there or
 * with the endpoints that the specification gave such servers.
 */
export async function readOriginMetadata(
  http: BoundedHttp,
  mcpUrl: string,
  signal: AbortSignal,
): Promise<ServerMetadata> {
  const { origin } = new URL(mcpUrl);
  const document = await findDocument(http, new URL(origin), mcpUrl, signal);
  if (document !== undefined) {
    // Nobody has named an issuer. Whichever it is, the origin speaks for itself, and only for itself.
    const issuer = checkEndpoint(document["issuer"], "issuer", mcpUrl);
    if (new URL(issuer).origin !== origin) throw wrongIssuer();
    return readDocument(document, issuer, mcpUrl);
  }
  return {
    issuer: origin,
    issuerRequired: false,
    authorizationUrl: `${origin}/authorize`,
    tokenUrl: `${origin}/token`,
    registrationUrl: `${origin}/register`,
    revocationUrl: undefined,
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "none"],
    scopes: [],
    takesMetadataDocuments: false,
  };
}

/** RFC 8414 and OpenID Connect Discovery with the path inserted, then OpenID Connect with the path before. */
function places({ origin, pathname }: URL): readonly string[] {
  const path = pathname.replace(/\/$/, "");
  const inserted = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
  ];
  return path === "" ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`];
}

async function findDocument(
  http: BoundedHttp,
  issuer: URL,
  mcpUrl: string,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  for (const url of places(issuer)) {
    const document = await fetchMetadata(http, url, whoNamed(url, mcpUrl), signal);
    if (document !== undefined) return document;
  }
  return undefined;
}

function readDocument(document: JsonObject, issuer: string, mcpUrl: string): ServerMetadata {
  if (!readTexts(document["code_challenge_methods_supported"]).includes("S256")) {
    throw new GatewayError(
      "unsupported",
      "The authorization server of the MCP server does not announce PKCE with S256, without which a code that was stolen could be used by others. That is for whoever runs it to mend.",
    );
  }
  const methods = document["token_endpoint_auth_methods_supported"];
  const optional = (name: string, what: string): string | undefined =>
    document[name] === undefined || document[name] === null
      ? undefined
      : checkEndpoint(document[name], what, mcpUrl);
  return {
    issuer,
    issuerRequired: document["authorization_response_iss_parameter_supported"] === true,
    authorizationUrl: checkEndpoint(document["authorization_endpoint"], "authorization endpoint", mcpUrl),
    tokenUrl: checkEndpoint(document["token_endpoint"], "token endpoint", mcpUrl),
    registrationUrl: optional("registration_endpoint", "registration endpoint"),
    revocationUrl: optional("revocation_endpoint", "revocation endpoint"),
    clientAuthMethods: methods === undefined ? ["client_secret_basic"] : readTexts(methods),
    scopes: readScopeList(document["scopes_supported"]),
    takesMetadataDocuments: document["client_id_metadata_document_supported"] === true,
  };
}

function readTexts(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}

function wrongIssuer(): GatewayError {
  return new GatewayError(
    "upstream_failed",
    "The metadata of the authorization server gives another issuer than the one that was asked for, so it is not believed. That is for whoever runs the server to mend.",
  );
}
