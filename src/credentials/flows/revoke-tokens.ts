import type { ConnectionConfig } from "../../model/connection-config.ts";
import type { CredentialFacts } from "../credential-store.ts";
import type { OAuthClient } from "../oauth/token-client.ts";
import type { FlowParts } from "./flow-parts.ts";
import { clientForStored } from "./stored-client.ts";

/** Longest time that anybody waits for a revocation. */
const milliseconds = 15_000;

/**
 * Has an upstream end the tokens of a credential (RFC 7009), the refresh token first, which may end all of the grant. Never throws:
 * `unsupported` where the upstream can't, `failed` where it should have.
 */
export async function revokeTokens(
  parts: Pick<FlowParts, "mcp" | "tokens" | "log">,
  connection: ConnectionConfig,
  { oauth, secrets }: Pick<CredentialFacts, "oauth" | "secrets">,
): Promise<"yes" | "unsupported" | "failed"> {
  if (oauth === undefined) return "unsupported";
  // What the file names may have been added since; what a server has announced is kept with the tokens.
  if (connection.auth.type === "mcp_oauth" && oauth.revocationUrl === undefined) return "unsupported";
  let client: OAuthClient;
  try {
    client = await clientForStored(parts, connection, oauth);
  } catch (error) {
    parts.log(`Tokens of connection \`${connection.name}\` can't be revoked at their server.`, error);
    return "failed";
  }
  if (client.revocationUrl === undefined) return "unsupported";
  const signal = AbortSignal.timeout(milliseconds);
  let outcome: boolean | undefined;
  for (const kind of ["refresh_token", "access_token"] as const) {
    const token = secrets[kind];
    if (token === undefined) continue;
    const isRevoked = await parts.tokens.revoke(client, token, kind, signal);
    // Servers may know refresh tokens only: with that one the grant is over.
    outcome ??= isRevoked;
  }
  return outcome === true ? "yes" : "failed";
}
