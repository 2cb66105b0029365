import { GatewayError } from "../errors.ts";
import type { ProviderConfig } from "../model/config.ts";
import type { Principal } from "../model/principal.ts";
import type { Store } from "../store/store.ts";
import type { HttpClient } from "../upstream/http-client.ts";
import type { Vault } from "../vault/vault.ts";
import { createConnectUrl } from "./connect-url.ts";
import { createConnections } from "./create-connections.ts";
import { createCredentialStore } from "./create-credential-store.ts";
import { createTokenKeeper } from "./create-token-keeper.ts";
import type { CredentialChange, Credentials } from "./credentials.ts";
import { clientForStored } from "./flows/stored-client.ts";
import { createMcpAuthorization } from "./mcp-oauth/create-mcp-authorization.ts";
import { createTokenClient } from "./oauth/create-token-client.ts";
import { createMintedTokens } from "./oauth/minted-tokens.ts";
import { TokenError } from "./oauth/token-client.ts";
import { findStrayCredentials } from "./prune-credentials.ts";
import { redirectUriFor } from "./redirect-uri.ts";
import { createCredentialResolver } from "./resolve-credential.ts";

/** What the credentials stand on. */
export interface CredentialsParts {
  /** `undefined`: nothing can be stored, and credentials of the file are all there are. */
  readonly store: Store | undefined;
  readonly vault: Vault;
  /** As of now; a reload changes them. */
  readonly providers: () => readonly ProviderConfig[];
  /** Whether a principal may know of a provider. */
  readonly mayKnow: (principal: Principal, provider: string) => boolean;
  readonly http: HttpClient;
  /** The URL at which people and authorization servers reach the gateway, without a slash at the end. */
  readonly baseUrl: () => string;
  readonly log: (message: string, cause?: unknown) => void;
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number;
}

/** Puts everything about credentials together. */
export function createCredentials(parts: CredentialsParts): Credentials {
  const { store, vault, http, baseUrl, log, now = Date.now } = parts;
  const listeners = new Set<(change: CredentialChange) => void>();
  const changed = (change: CredentialChange): void => {
    for (const listener of listeners) listener(change);
  };
  const provider = createLookUp(parts.providers);

  const tokens = createTokenClient(http, { now });
  const credentials = createCredentialStore({ store, vault, log });
  const redirectUri = (issuer: string | undefined): string => redirectUriFor(baseUrl(), issuer);
  const mcp = createMcpAuthorization({ http, store, vault, baseUrl, redirectUri, log, now });

  const keeper = createTokenKeeper({
    credentials,
    refresh: async (stored, signal) => {
      const { reference, oauth, secrets } = stored;
      const connection = provider(reference.provider)?.connections[reference.connection];
      if (oauth === undefined || connection === undefined)
        throw new TokenError("misconfigured", "The configuration has no such OAuth connection any more.");
      const refreshToken = secrets["refresh_token"];
      if (refreshToken === undefined) throw new TokenError("refused", "There is no refresh token.");
      const client = await clientForStored({ mcp }, connection, oauth);
      // Without scopes: as granted (RFC 6749, section 6). Those that are known may be spelt otherwise, or be less than was granted.
      try {
        return await tokens.refresh(client, refreshToken, undefined, signal);
      } catch (error) {
        const isForgotten = error instanceof TokenError && error.code === "invalid_client";
        // A registration that the server has forgotten is no setting of the operator's: connecting anew makes another one.
        if (!isForgotten || !(await mcp.clientRefused(oauth))) throw error;
        throw new TokenError("refused", error.message, { code: error.code, cause: error });
      }
    },
    changed,
    log,
    now,
  });
  const resolver = createCredentialResolver({
    provider,
    credentials,
    keeper,
    minted: createMintedTokens({ tokens, now }),
    connectUrl: createConnectUrl(baseUrl),
  });
  const flows = createConnections({
    ...{ providers: parts.providers, mayKnow: parts.mayKnow, credentials, store, vault, tokens, mcp, http },
    ...{ baseUrl, changed, log, now },
  });

  return {
    ...resolver,
    connections: flows.connections,
    stray: async () => {
      if (store !== undefined)
        return findStrayCredentials({ store, vault, providers: parts.providers(), log });
      throw new GatewayError(
        "bad_request",
        "The configuration names no datastore, so no credential is stored.",
      );
    },
    finishOAuth: flows.finishOAuth,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    isStored: async (reference) => (await credentials.get(reference)) !== undefined,
    epoch: () => credentials.epoch(),
    clientMetadata: (path) => mcp.clientMetadata(path),
    close: () => keeper.close(),
  };
}

/** Finds providers by name, at every call: the list is gone through once for each configuration. */
function createLookUp(
  providers: () => readonly ProviderConfig[],
): (name: string) => ProviderConfig | undefined {
  let known:
    | { readonly of: readonly ProviderConfig[]; readonly byName: Map<string, ProviderConfig> }
    | undefined;
  return (name) => {
    const now = providers();
    if (known?.of !== now)
      known = { of: now, byName: new Map(now.map((provider) => [provider.name, provider])) };
    return known.byName.get(name);
  };
}
