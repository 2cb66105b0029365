import { GatewayError } from "../../errors.ts";
import { howToMakeKey } from "../../key-form.ts";
import { isLoopback } from "../../loopback.ts";
import type { ConnectionConfig } from "../../model/connection-config.ts";
import type { Store } from "../../store/store.ts";
import type { FlowParts } from "./flow-parts.ts";

/** What the operator has to configure before a connection can be connected; `undefined`: nothing. */
export function missingConfiguration(
  { store, vault, baseUrl }: Pick<FlowParts, "store" | "vault" | "baseUrl">,
  { auth }: ConnectionConfig,
): string | undefined {
  // The key first: with one there is a datastore by itself.
  if (vault.keys().length === 0)
    return vault.problem() === undefined
      ? `Set \`server.encryption_key\`: without a key no credential can be stored. ${howToMakeKey}`
      : "Mend the keys that credentials are sealed with: `gateway validate --online` says what is wrong with them.";
  if (store === undefined) return "Set `datastore`: without it no credential can be stored.";
  if (auth.type !== "oauth2" && auth.type !== "mcp_oauth") return undefined;
  if (auth.type === "oauth2" && auth.clientAuth !== "none" && auth.clientSecret === undefined)
    return "Set the connection's `client_secret`: its reference leads to nothing.";
  return isSafeForCallbacks(baseUrl())
    ? undefined
    : "Set `server.base_url` to an https URL: authorization servers send people back there.";
}

/** The store, where everything is configured that a connection needs. Throws `unsupported` with what to configure. */
export function requireStorage(parts: FlowParts, connection: ConnectionConfig): Store {
  const missing = missingConfiguration(parts, connection);
  if (missing === undefined && parts.store !== undefined) return parts.store;
  throw new GatewayError(
    "unsupported",
    `Connection \`${connection.name}\` can't be connected until the gateway's operator has configured more. ${missing ?? ""}`.trimEnd(),
  );
}

/** Codes travel in the clear nowhere but inside this machine (RFC 9700, section 2.6). */
function isSafeForCallbacks(baseUrl: string): boolean {
  const url = URL.parse(baseUrl);
  return url !== null && (url.protocol === "https:" || isLoopback(url.hostname));
}
