import { GatewayError } from "../../errors.ts";
import type { McpOAuthAuth } from "../../model/connection-config.ts";
import type { OAuthClient } from "../oauth/token-client.ts";
import type { BoundedHttp } from "./bounded-http.ts";
import { clientMetadataUrl } from "./client-metadata.ts";
import { createRegister, readMethod } from "./register.ts";
import type { Registrations } from "./registrations.ts";
import type { ServerMetadata } from "./server-metadata.ts";

/** As whom the gateway appears at an authorization server. */
export type ClientIdentity = Pick<OAuthClient, "clientId" | "clientSecret" | "clientAuth">;

/** A client, and where browsers are sent back to for it. */
export interface ChosenClient {
  readonly identity: ClientIdentity;
  readonly redirectUri: string;
}

/** What the choice stands on. */
export interface ClientChooserParts {
  readonly http: BoundedHttp;
  readonly registrations: Registrations;
  readonly holder: string;
  readonly baseUrl: () => string;
  readonly redirectUri: (issuer: string | undefined) => string;
  readonly now: () => number;
}

/**
 * Chooses the client in the order of MCP 2026-07-28: the one of the operator's file, else the URL of a metadata document where the server
 * takes such, else a registration. Where the gateway describes itself, the redirect URI is that of the issuer alone; what somebody else has written
 * down names the common one.
 */
export function createClientChooser(
  parts: ClientChooserParts,
): (
  server: ServerMetadata,
  auth: McpOAuthAuth,
  mcpUrl: string,
  signal: AbortSignal,
) => Promise<ChosenClient> {
  const { registrations, baseUrl, redirectUri } = parts;
  const register = createRegister(parts);
  return async (server, auth, mcpUrl, signal) => {
    const { clientId, clientSecret } = auth;
    if (clientId !== undefined) {
      await pin(registrations, mcpUrl, clientId, server.issuer);
      const clientAuth = methodOfFile(clientSecret !== undefined, server);
      return { identity: { clientId, clientSecret, clientAuth }, redirectUri: redirectUri(undefined) };
    }
    const document = auth.clientMetadataUrl ?? clientMetadataUrl(baseUrl(), server.issuer);
    if (server.takesMetadataDocuments && document !== undefined) {
      const identity = { clientId: document, clientSecret: undefined, clientAuth: "none" } as const;
      const isOwn = auth.clientMetadataUrl === undefined;
      return { identity, redirectUri: redirectUri(isOwn ? server.issuer : undefined) };
    }
    const registration = await register(server, redirectUri(server.issuer), mcpUrl, signal);
    return {
      identity: {
        clientId: registration.clientId,
        clientSecret: registration.clientSecret,
        clientAuth: registration.clientAuth,
      },
      redirectUri: registration.redirectUri,
    };
  };
}

/** By what the server supports; a secret is not kept back from one that names ways the gateway does not know. */
function methodOfFile(
  hasSecret: boolean,
  { clientAuthMethods }: ServerMetadata,
): ClientIdentity["clientAuth"] {
  if (!hasSecret) return "none";
  const known = clientAuthMethods.map(readMethod);
  return known.includes("header") || !known.includes("body") ? "header" : "body";
}

/** The client of the file stays with the authorization server that it was first used with, see {@link Registrations.pinned}. */
async function pin(
  registrations: Registrations,
  mcpUrl: string,
  clientId: string,
  issuer: string,
): Promise<void> {
  const before = await registrations.pinned(mcpUrl, clientId);
  if (before === issuer) return;
  if (before === undefined) return registrations.pin(mcpUrl, clientId, issuer);
  throw new GatewayError(
    "upstream_failed",
    `The MCP server names another authorization server (${new URL(issuer).origin}) than the one that \`client_id\` was registered at (${new URL(before).origin}), so the client is not shown there. Where the server has moved, the operator has to register the gateway at the new one and set \`client_id\` anew.`,
  );
}
