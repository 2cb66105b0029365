import type { ConnectionConfig } from "../../model/connection-config.ts";
import type { StoredOAuth } from "../credential-store.ts";
import { clientOf } from "../oauth/client-of-auth.ts";
import { type OAuthClient, TokenError } from "../oauth/token-client.ts";
import type { FlowParts } from "./flow-parts.ts";

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
): Promise<OAuthClient> {
  if (auth.type === "mcp_oauth") return mcp.clientFor(oauth, auth);
  const client = auth.type === "oauth2" ? clientOf(auth) : undefined;
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
