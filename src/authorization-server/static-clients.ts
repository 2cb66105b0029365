import { printablePart } from "../identity/forms.ts";
import type { StaticClientConfig } from "../model/auth-config.ts";
import type { KnownClient } from "./client-rules.ts";
import { hashOfClientSecret } from "./client-secrets.ts";

/** A client that the operator has written into the file; its redirect URIs were checked with the file. */
export function findStaticClient(
  clients: Readonly<Record<string, StaticClientConfig>>,
  id: string,
): KnownClient | undefined {
  const client = Object.hasOwn(clients, id) ? clients[id] : undefined;
  if (client === undefined) return undefined;
  const { displayName, redirectUris, secret } = client;
  return {
    ...{ id, kind: "static", host: undefined, redirectUris },
    name: printablePart(displayName, 100) ?? id,
    authenticationMethod: secret === undefined ? "none" : "client_secret_basic",
    secretHash: secret && hashOfClientSecret(secret),
  };
}
