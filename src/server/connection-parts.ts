import type { Connections, CredentialChange, FinishedOAuth, OAuthCallback } from "../model/connections.ts";
import type { Principal } from "../model/principal.ts";

/** What the server knows of connections: how callers make them, and what they change in what callers see. */
export interface ConnectionParts {
  /** What a principal may do to its connections. */
  readonly connections: (as: Principal) => Connections;
  /**
   * Ends an authorization that the same principal has begun, in the same session and browser. Throws `GatewayError`: `bad_request` for
   * a state that is not known, used, over or somebody else's, and for a server's refusal; `upstream_failed`.
   */
  readonly finishOAuth: (as: Principal, callback: OAuthCallback) => Promise<FinishedOAuth>;
  /** The document at a path that describes the gateway to authorization servers; `undefined`: there is none. */
  readonly clientMetadata: (path: string) => Readonly<Record<string, unknown>> | undefined;
  /** Makes ready what a principal sees, where that depends on its connections; to be waited for before it lists or calls. */
  readonly prepare: (principal: Principal) => Promise<void> | undefined;
  /**
   * Resolves once providers that are just being started have arrived, or are late; `undefined`: there are none that the principal may know
   * of. Default: nobody is waited for.
   */
  readonly arrival?: (principal: Principal) => Promise<void> | undefined;
  /** The names of the instances that a principal can choose from, by `provider/connection`; what is not there has none or one. */
  readonly instances: (principal: Principal) => ReadonlyMap<string, readonly string[]>;
  /** The page at which people connect, as of now. */
  readonly connectPage: () => string;
  /** Calls back when a credential has changed in this process; returns the way to stop that. */
  readonly connected: (listener: (change: CredentialChange) => void) => () => void;
  /** Calls back when what callers see may have changed other than with the catalog that all share; returns the way to stop that. */
  readonly scopedChanges?: (listener: () => void) => () => void;
}
