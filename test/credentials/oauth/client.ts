import type { OAuthClient, TokenSet } from "../../../src/credentials/oauth/token-client.ts";
import { Secret } from "../../../src/secret.ts";
import { type AuthorizationServer, defaultClient } from "../authorization-server.ts";

export const redirectUri = "http://127.0.0.1:9/api/v1/auth/callback";
export const verifier = new Secret("v".repeat(43));

/** The client that the servers of the tests know by default. */
export function clientOfServer(server: AuthorizationServer, changes: Partial<OAuthClient> = {}): OAuthClient {
  return {
    issuer: server.issuer,
    issuerRequired: true,
    authorizationUrl: server.authorizationUrl,
    tokenUrl: server.tokenUrl,
    revocationUrl: server.revocationUrl,
    clientId: defaultClient.id,
    clientSecret: new Secret(defaultClient.secret ?? ""),
    clientAuth: "header",
    exchange: "form",
    scopeParameter: "scope",
    scopeSeparator: " ",
    resource: undefined,
    pkce: true,
    authorizationParameters: {},
    tokenParameters: {},
    refreshParameters: {},
    accessTokenPath: ["access_token"],
    namedBy: "operator",
    ...changes,
  };
}

/** What a token set holds, in the clear. */
export function opened(set: TokenSet): {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly expiresAt: number | undefined;
  readonly scopes: readonly string[] | undefined;
} {
  const { accessToken, refreshToken, expiresAt, scopes } = set;
  return { accessToken: accessToken.reveal(), refreshToken: refreshToken?.reveal(), expiresAt, scopes };
}

/** An error and its causes, as far down as they go, as a log would have them. */
export function everythingOf(error: unknown): string {
  const parts: string[] = [];
  for (let rest: unknown = error; rest instanceof Error; rest = rest.cause)
    parts.push(rest.name, rest.message, rest.stack ?? "", JSON.stringify(rest));
  return parts.join("\n");
}
