import { GatewayError } from "../../errors.ts";
import { fillUrl } from "../../fill-url.ts";
import type { ConnectionConfig, OAuth2Auth } from "../../model/config.ts";
import type { StoredOAuth } from "../credential-store.ts";
import { clientOf } from "../oauth/client-of-auth.ts";
import { type OAuthClient, TokenError } from "../oauth/token-client.ts";
import type { FlowParts } from "./flow-parts.ts";
import type { Params } from "./read-params.ts";

/** The client of a connection's file, with the values of params in its addresses. Throws `bad_request` for values that don't fit. */
export function filledClient(auth: OAuth2Auth, params: Params): OAuthClient {
  const client = clientOf(auth);
  const fill = (url: string | undefined): string | undefined => url && fillUrl(url, params);
  return {
    ...client,
    authorizationUrl: fill(client.authorizationUrl),
    tokenUrl: fillUrl(client.tokenUrl, params),
    revocationUrl: fill(client.revocationUrl),
  };
}

/** What of a client is kept with the tokens that it gets. */
export function storedOf(client: OAuthClient): StoredOAuth {
  const { tokenUrl, revocationUrl, clientId, clientAuth, resource, namedBy } = client;
  return { issuer: undefined, tokenUrl, revocationUrl, clientId, clientAuth, resource, namedBy };
}

/**
 * The client that stored tokens go back to: the one that they came from and no other. Throws `TokenError` `refused` when the
 * configuration or the gateway knows that client no more.
 */
export async function clientForStored(
  { mcp }: Pick<FlowParts, "mcp">,
  { auth }: Pick<ConnectionConfig, "auth">,
  oauth: StoredOAuth,
  params: Params,
): Promise<OAuthClient> {
  if (auth.type === "mcp_oauth") return mcp.clientFor(oauth, auth);
  const client = auth.type === "oauth2" ? fittingClient(auth, params) : undefined;
  if (client !== undefined && isSameClient(storedOf(client), oauth)) return client;
  throw new TokenError(
    "refused",
    "The configuration names another authorization server or client than the one that gave the token.",
  );
}

/** True where tokens come from the same client at the same server. */
export function isSameClient(one: StoredOAuth, other: StoredOAuth): boolean {
  return one.tokenUrl === other.tokenUrl && one.clientId === other.clientId && one.issuer === other.issuer;
}

function fittingClient(auth: OAuth2Auth, params: Params): OAuthClient | undefined {
  try {
    return filledClient(auth, params);
  } catch (error) {
    // Params that were stored for other addresses than the file has now.
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}
