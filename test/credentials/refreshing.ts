import { randomBytes } from "node:crypto";
import { createCredentialStore } from "../../src/credentials/create-credential-store.ts";
import type {
  CredentialFacts,
  CredentialStore,
  StoredCredential,
} from "../../src/credentials/credential-store.ts";
import { createTokenClient } from "../../src/credentials/oauth/create-token-client.ts";
import type { OAuthClient, TokenSet } from "../../src/credentials/oauth/token-client.ts";
import type { CredentialReference } from "../../src/model/credential.ts";
import { Secret } from "../../src/secret.ts";
import type { Store } from "../../src/store/store.ts";
import { createHttpClient } from "../../src/upstream/undici-client.ts";
import { createVault } from "../../src/vault/create-vault.ts";
import type { IssuedTokens } from "./rotating-issuer.ts";

/** A key for one run of one test. */
export function newKey(): string {
  return randomBytes(32).toString("hex");
}

/** The real credentials over a store, sealed with one key. */
export function credentialsOver(store: Store, key: string, log: (line: string) => void): CredentialStore {
  const place = { file: "gateway.yaml", line: 1, column: 1, endLine: 1, endColumn: 1 };
  const vault = createVault(() => [{ id: undefined, key: new Secret(key), place }]);
  return createCredentialStore({ store, vault, log: (message, cause) => log(`${message} ${cause ?? ""}`) });
}

/** The slot of one user. */
export function referenceOf(user: string, tenant = "acme"): CredentialReference {
  return {
    ...{ tenant, owner: { kind: "user", id: user } },
    ...{ provider: "tracker", connection: "main", instance: "default" },
  };
}

/** What is stored once a user has connected. */
export function factsFor(
  tokens: IssuedTokens,
  now: number,
  tokenUrl: string,
  overrides: Partial<CredentialFacts> = {},
): CredentialFacts {
  return {
    type: "oauth2",
    secrets: {
      access_token: new Secret(tokens.access_token),
      refresh_token: new Secret(tokens.refresh_token),
    },
    expiresAt: now + tokens.expires_in * 1_000,
    obtainedAt: now,
    scopes: ["read"],
    params: {},
    oauth: {
      issuer: undefined,
      tokenUrl,
      revocationUrl: undefined,
      clientId: "gateway",
      clientAuth: "none",
      resource: undefined,
      namedBy: "operator",
    },
    state: { kind: "ready" },
    connectedAt: now,
    connectedBy: "somebody",
    refreshing: undefined,
    ...overrides,
  };
}

/** Refreshes by the real token client. */
export function openRefresher(now: () => number): {
  readonly refresh: (stored: StoredCredential, signal: AbortSignal) => Promise<TokenSet>;
  close(): Promise<void>;
} {
  const http = createHttpClient();
  const tokens = createTokenClient(http, { now });
  return {
    refresh: (stored, signal) => {
      const refreshToken = stored.secrets["refresh_token"];
      if (refreshToken === undefined || stored.oauth === undefined) throw new Error("It can't be refreshed.");
      return tokens.refresh(clientOf(stored.oauth.tokenUrl), refreshToken, stored.scopes, signal);
    },
    close: () => http.close(),
  };
}

/** The access token of a credential. */
export function accessTokenOf(credential: StoredCredential | undefined): string {
  return credential?.secrets["access_token"]?.reveal() ?? "";
}

function clientOf(tokenUrl: string): OAuthClient {
  return {
    issuer: undefined,
    issuerRequired: false,
    authorizationUrl: undefined,
    tokenUrl,
    revocationUrl: undefined,
    clientId: "gateway",
    clientSecret: undefined,
    clientAuth: "none",
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
  };
}
