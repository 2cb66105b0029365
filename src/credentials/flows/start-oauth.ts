import { GatewayError } from "../../errors.ts";
import { fillUrl } from "../../fill-url.ts";
import type { ProviderConfig } from "../../model/config.ts";
import type { ConnectionConfig, McpOAuthAuth } from "../../model/connection-config.ts";
import type { StartedOAuth, StartOAuth } from "../../model/connections.ts";
import type { Principal } from "../../model/principal.ts";
import { Secret } from "../../secret.ts";
import type { StoredCredential } from "../credential-store.ts";
import type { PreparedAuthorization } from "../mcp-oauth/mcp-authorization.ts";
import { clientOf } from "../oauth/client-of-auth.ts";
import { type AuthorizationRequest, type OAuthClient, TokenError } from "../oauth/token-client.ts";
import { redirectUriFor } from "../redirect-uri.ts";
import { checkAddresses } from "./check-addresses.ts";
import { findTarget, referenceOf } from "./find-target.ts";
import type { FlowParts } from "./flow-parts.ts";
import { flowMilliseconds, newTicket, OpenFlows, sessionOf } from "./open-flows.ts";
import { type Params, readTypedParams } from "./read-params.ts";
import { requireRoom } from "./require-room.ts";
import { requireStorage } from "./require-storage.ts";
import { pageOf, readReturnTo } from "./return-path.ts";
import { storedOf } from "./stored-client.ts";

/** Longest time that servers are asked for what they announce. */
const milliseconds = 30_000;
/** Characters of what binds a flow to a browser. */
const mostBrowser = 200;

/** Begins an authorization in a browser (RFC 6749, section 4.1, with PKCE). Throws `GatewayError`, see `Connections`. */
export async function startOAuth(
  parts: FlowParts,
  as: Principal,
  request: StartOAuth,
): Promise<StartedOAuth> {
  const target = findTarget(parts, as, request);
  const { provider, connection } = target;
  const { auth } = connection;
  if (auth.type !== "oauth2" && auth.type !== "mcp_oauth")
    throw new GatewayError(
      "bad_request",
      `Connection \`${connection.name}\` of ${provider.displayName} is connected by entering ${auth.type === "bearer" ? "a token" : "values"}, not by an authorization in a browser.`,
    );
  if (request.browser !== undefined && request.browser.length > mostBrowser)
    throw new GatewayError("bad_request", "What binds an authorization to a browser is too long.");
  const flows = new OpenFlows(parts, requireStorage(parts, connection));
  await requireRoom(parts, target);
  const returnTo = readReturnTo(request.returnTo) ?? pageOf(as, target);
  const params = readTypedParams(connection, request.params ?? {});
  checkAddresses(provider, connection, params);
  const reference = referenceOf(target);
  const previous = await parts.credentials.get(reference);
  const { client, scopes, stored, redirectUri } =
    auth.type === "mcp_oauth"
      ? await prepareMcp(parts, provider, { ...connection, auth }, params, previous)
      : withScopes(parts, clientOf(auth), auth.scopes, previous);

  const startedAt = parts.now();
  const codeVerifier = client.pkce ? new Secret(newTicket()) : undefined;
  const state = await flows.keep(as, {
    kind: "oauth",
    reference,
    session: sessionOf(as),
    browser: request.browser,
    startedAt,
    returnTo,
    redirectUri,
    issuer: client.issuer,
    issuerRequired: client.issuerRequired,
    draft: {
      type: auth.type,
      secrets: codeVerifier === undefined ? {} : { code_verifier: codeVerifier },
      expiresAt: undefined,
      obtainedAt: startedAt,
      scopes,
      params,
      oauth: stored,
      state: { kind: "ready" },
      connectedAt: startedAt,
      connectedBy: as.id,
      refreshing: undefined,
    },
  });
  return {
    kind: "started",
    authorizationUrl: await authorizationUrl(parts, client, { redirectUri, state, scopes, codeVerifier }),
    expiresAt: startedAt + flowMilliseconds,
  };
}

async function authorizationUrl(
  { tokens }: Pick<FlowParts, "tokens">,
  client: OAuthClient,
  request: AuthorizationRequest,
): Promise<string> {
  try {
    return await tokens.authorizationUrl(client, request);
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    throw new GatewayError("unsupported", error.message, { cause: error });
  }
}

function prepareMcp(
  parts: FlowParts,
  provider: ProviderConfig,
  connection: ConnectionConfig & { readonly auth: McpOAuthAuth },
  params: Params,
  previous: StoredCredential | undefined,
): Promise<PreparedAuthorization> {
  const { auth } = connection;
  const mcpUrl = fillUrl(mcpUrlOf(provider, connection), params);
  const wanted = wantedOf(previous);
  const need = {
    ...{ mcpUrl, auth, wanted },
    granted: wanted.length > 0 ? previous?.scopes : undefined,
    issuer: previous?.oauth?.issuer,
  };
  return parts.mcp.prepare(need, AbortSignal.timeout(milliseconds));
}

function mcpUrlOf(provider: ProviderConfig, { name }: ConnectionConfig): string {
  const urls = provider.surfaces.flatMap((surface) =>
    surface.kind === "mcp" && surface.transport.kind === "http"
      ? [{ url: surface.transport.url, isOwn: surface.connection === name }]
      : [],
  );
  const found = urls.find(({ isOwn }) => isOwn) ?? urls[0];
  if (found !== undefined) return found.url;
  throw new GatewayError(
    "unsupported",
    `Connection \`${name}\` of ${provider.displayName} authorizes as an MCP server announces it, and the provider has no MCP server with a URL.`,
  );
}

function withScopes(
  { baseUrl }: Pick<FlowParts, "baseUrl">,
  client: PreparedAuthorization["client"],
  declared: readonly string[],
  previous: StoredCredential | undefined,
): PreparedAuthorization {
  const wanted = wantedOf(previous);
  const granted = wanted.length > 0 ? (previous?.scopes ?? []) : [];
  return {
    client,
    scopes: [...new Set([...declared, ...granted, ...wanted])],
    stored: storedOf(client),
    // The one that operators register.
    redirectUri: redirectUriFor(baseUrl(), undefined),
  };
}

/** Scopes that a call was refused for the lack of. */
function wantedOf(previous: StoredCredential | undefined): readonly string[] {
  return previous?.state.wanted ?? [];
}
