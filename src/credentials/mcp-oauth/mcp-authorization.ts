import type { McpOAuthAuth } from "../../model/connection-config.ts";
import type { StoredOAuth } from "../credential-store.ts";
import type { OAuthClient } from "../oauth/token-client.ts";

/** Finds out how an MCP server wants to be authorized for, and as which client (MCP 2026-07-28, "Authorization"). */
export interface McpAuthorization {
  /**
   * Everything that an authorization needs: who the authorization server is, the client there (registered, if need be), and the scopes
   * to ask for. Asks the network each time, since servers move.
   *
   * Throws `GatewayError`: `upstream_failed` for servers that can't be reached or announce what must not be followed, `unsupported` for
   * those that leave no way to a client, `store_unavailable`, `internal` with a message for the operator where nothing can be kept.
   */
  prepare(need: AuthorizationNeed, signal: AbortSignal): Promise<PreparedAuthorization>;
  /**
   * The client to refresh and revoke a stored token with, without the network. It has no authorization URL, and does not know whether the
   * server always names itself. Throws `TokenError` `refused` when the client is gone and only a new authorization helps.
   */
  clientFor(stored: StoredOAuth, auth: McpOAuthAuth): Promise<OAuthClient>;
  /**
   * Told when a token endpoint knows the client no more (`invalid_client`). True: the gateway had registered it by itself, and the next
   * authorization registers a new one; credentials of the old one stay as they are. False: only the operator can mend that.
   */
  clientRefused(stored: StoredOAuth): Promise<boolean>;
  /**
   * The document that describes the gateway to authorization servers (OAuth Client ID Metadata Document) at a path below its base URL;
   * `undefined`: there is none, or the gateway is not reachable for them, or by http only.
   */
  clientMetadata(path: string): Readonly<Record<string, unknown>> | undefined;
}

/** What is to be authorized. */
export interface AuthorizationNeed {
  /** Of the MCP server, as the operator's file names it. */
  readonly mcpUrl: string;
  readonly auth: McpOAuthAuth;
  /** Scopes that a call was refused for the lack of; empty: none was. */
  readonly wanted: readonly string[];
  /** Scopes of the credential that is to be replaced. */
  readonly granted: readonly string[] | undefined;
  /** Issuer of the credential that is to be replaced: stays the choice where the server still names it. */
  readonly issuer?: string | undefined;
}

/** An authorization that can begin. */
export interface PreparedAuthorization {
  readonly client: OAuthClient;
  /** To be asked for; empty: the server's own default. */
  readonly scopes: readonly string[];
  /** To be kept with the credential. */
  readonly stored: StoredOAuth;
  /** Where the browser is to be sent back to: what the client is registered with. */
  readonly redirectUri: string;
}
