import { fillUrl } from "../fill-url.ts";
import type { ProviderConfig } from "../model/config.ts";
import type { ConnectionConfig } from "../model/connection-config.ts";
import type { StoredCredential } from "./credential-store.ts";

/**
 * Whether a token is still for what the file names: a token goes to the server that it was made for, and a provider that has moved to
 * another one since gets none of its predecessor's. Credentials that people typed in are for what the provider is now.
 */
export function belongsHere(
  provider: Pick<ProviderConfig, "surfaces">,
  connection: ConnectionConfig,
  { oauth, params }: StoredCredential,
): boolean {
  if (oauth === undefined) return true;
  if (connection.auth.type === "oauth2") return isSameOrigin(connection.auth.tokenUrl, oauth.tokenUrl);
  const { resource } = oauth;
  if (connection.auth.type !== "mcp_oauth" || resource === undefined) return true;
  return provider.surfaces.every(
    (surface) =>
      surface.kind !== "mcp" ||
      surface.transport.kind !== "http" ||
      surface.connection !== connection.name ||
      isSameOrigin(fillUrl(surface.transport.url, params), resource),
  );
}

function isSameOrigin(one: string, other: string): boolean {
  const origin = URL.parse(one)?.origin;
  return origin !== undefined && origin === URL.parse(other)?.origin;
}
