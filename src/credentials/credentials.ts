import type { CredentialResolver } from "../broker/credential-resolver.ts";
import type { Tool } from "../model/catalog.ts";
import type { ProviderConfig } from "../model/config.ts";
import type { Connections, CredentialChange, FinishedOAuth, OAuthCallback } from "../model/connections.ts";
import type { CredentialReference, CredentialSource } from "../model/credential.ts";
import type { Principal } from "../model/principal.ts";
import type { ConnectionStep } from "./explain-connection.ts";
import type { StrayCredentials } from "./prune-credentials.ts";

/** Everything about credentials: which one a call uses, how it comes into the store, and how it stays usable. */
export interface Credentials extends CredentialResolver {
  /** What a principal may do to its connections. */
  connections(as: Principal): Connections;
  /**
   * Stored credentials, of all tenants, whose provider or connection the configuration does not have any more. Throws `bad_request` where
   * it names no datastore, and `store_unavailable`.
   */
  stray(): Promise<StrayCredentials>;
  /**
   * Ends an authorization that the same principal has begun, in the same session. Throws `GatewayError`: `bad_request` for a state that
   * is not known, used, over or somebody else's (all alike), and for a server's refusal; `upstream_failed`.
   */
  finishOAuth(as: Principal, callback: OAuthCallback): Promise<FinishedOAuth>;
  /**
   * The stored credentials that count for a principal on a connection, by instance: its own, else, where the mode says so, those of the
   * tenant or of the gateway. Empty: nobody has connected. Answered from memory while nothing changes.
   */
  references(
    principal: Principal,
    provider: string,
    connection: string,
  ): Promise<readonly CredentialReference[]>;
  /** Whether a stored credential is there still, as it is or spent. Throws `store_unavailable`. */
  isStored(reference: CredentialReference): Promise<boolean>;
  /** The credential behind a reference, for what lives longer than a call. */
  source(reference: CredentialReference): CredentialSource;
  /** The gateway's own credential of a connection; `undefined`: that connection is not the gateway's own. */
  gatewaySource(provider: ProviderConfig, connection: string): CredentialSource | undefined;
  /** How the credential of a call is found, in words. */
  explain(provider: ProviderConfig, tool: Tool, principal: Principal): Promise<readonly ConnectionStep[]>;
  /** Told when a credential was connected, replaced or removed in this process; returns the way to stop that. */
  subscribe(listener: (change: CredentialChange) => void): () => void;
  /** Differs once any credential may have changed, in whatever process. */
  epoch(): number;
  /** The document at a path that describes the gateway to authorization servers (CIMD); `undefined`: there is none. */
  clientMetadata(path: string): Readonly<Record<string, unknown>> | undefined;
  close(): Promise<void>;
}

export type { CredentialChange, FinishedOAuth } from "../model/connections.ts";
