import type { Secret } from "../secret.ts";
import type { ConnectionConfig } from "./connection-config.ts";
import type { CredentialReference } from "./credential.ts";

/**
 * What a principal may do to its connections, and with `shared` to those of its tenant. Implemented over the store, and by the
 * command line for a gateway elsewhere.
 *
 * All of it throws `GatewayError`: `not_found` for a provider or connection that the principal may not know of, `bad_request`,
 * `forbidden` for a token that is narrowed and for who may not change what the tenant shares (roles `admin` and `operator` may),
 * `conflict`, `upstream_failed`, `store_unavailable`, `unsupported` where the operator has to configure a key or a datastore first.
 */
export interface Connections {
  /** Every connection of the providers that the principal may know of, in the order of the file. */
  list(provider?: string): Promise<readonly ConnectionStatus[]>;
  /** Begins an authorization in a browser, or carries a grant out that needs none. */
  startOAuth(request: StartOAuth): Promise<StartedOAuth | Connected>;
  /** Stores what somebody typed in. */
  connectManual(request: ConnectManual): Promise<Connected | PendingSelection>;
  /** Chooses among what a discovery found. */
  select(pending: string, choice: string): Promise<Connected>;
  /** Removes the credential, and has the upstream revoke it where it can. Without an instance: the only one there is. */
  disconnect(target: ConnectionTarget): Promise<Disconnected>;
}

/** One slot for a credential. */
export interface ConnectionTarget {
  readonly provider: string;
  /** `undefined`: the only one of the provider that can be meant. */
  readonly connection?: string | undefined;
  /** `undefined`: `default`. `^[a-z0-9][a-z0-9._-]{0,62}$`. */
  readonly instance?: string | undefined;
  /** True: the one that the tenant shares; `undefined`: as the connection's mode says, and the own one for `either`. */
  readonly shared?: boolean | undefined;
}

/** Where a connection stands, and what to do next. */
export interface ConnectionStatus {
  readonly provider: string;
  readonly providerName: string;
  readonly connection: string;
  readonly displayName: string;
  readonly description: string | undefined;
  readonly mode: ConnectionConfig["mode"];
  readonly type: ConnectionConfig["auth"]["type"];
  readonly state: ConnectionState;
  /** Why, for people, or what is still missing where it is ready; `undefined`: nothing to say. */
  readonly reason: string | undefined;
  readonly next: NextAction | undefined;
  /** What connecting asks for, whatever the state is: to connect anew, or another instance; `undefined`: it is not done here. */
  readonly form: ConnectionForm | undefined;
  /** Those that are stored and count for the principal, by name; the gateway's own and those of other owners are not told. */
  readonly instances: readonly InstanceStatus[];
}

/**
 * `needs_configuration`: only the operator can mend it. `unavailable`: the upstream or the store can't be reached, it may pass.
 * `needs_instance_selection`: there are several, and a call has to name one.
 */
export type ConnectionState =
  | "ready"
  | "needs_connection"
  | "needs_instance_selection"
  | "reconnect_required"
  | "needs_configuration"
  | "unavailable";

/** What makes a connection ready. */
export type NextAction =
  | {
      readonly kind: "authorize" /** A page of the gateway. */;
      readonly url: string;
      readonly params: readonly FormField[];
    }
  | { readonly kind: "enter"; readonly url: string; readonly fields: readonly FormField[] }
  | { readonly kind: "choose_instance"; readonly instances: readonly string[] }
  | { readonly kind: "send_header"; readonly header: string }
  | { readonly kind: "configure"; readonly what: string };

/** What somebody fills in to connect: `authorize` goes on in a browser, `enter` takes values as they are. */
export interface ConnectionForm {
  readonly kind: "authorize" | "enter";
  /** The page of the gateway at which it is done in a browser. */
  readonly url: string;
  /** Parts of the credential; none with `authorize`. */
  readonly fields: readonly FormField[];
  /** Values besides the credential. */
  readonly params: readonly FormField[];
}

/** One field of a form. */
export interface FormField {
  readonly name: string;
  readonly label: string;
  readonly description: string | undefined;
  /** A password-like field. */
  readonly secret: boolean;
  readonly required: boolean;
  readonly default: string | undefined;
}

/** One stored credential without anything secret. Times in milliseconds since 1970. */
export interface InstanceStatus {
  readonly instance: string;
  readonly shared: boolean;
  readonly state: "ready" | "reconnect_required";
  readonly reason: string | undefined;
  readonly connectedAt: number;
  /** When the access token ends; `undefined`: unknown or never. */
  readonly expiresAt: number | undefined;
  /** Whether it can be refreshed without anybody. */
  readonly refreshable: boolean;
  readonly scopes: readonly string[] | undefined;
  readonly params: Readonly<Record<string, string>>;
}

/** A request to begin an authorization. */
export interface StartOAuth extends ConnectionTarget {
  readonly params?: Readonly<Record<string, string>> | undefined;
  /** Path of a page of the gateway to come back to; `undefined`: that of the connection. */
  readonly returnTo?: string | undefined;
  /** What binds the flow to one browser besides the session: it has to come back with the callback. */
  readonly browser?: string | undefined;
}

/** An authorization that has begun: single-use, at most 10 minutes, only for this principal and session. */
export interface StartedOAuth {
  readonly kind: "started";
  /** Where the browser has to go. Goes to who asked for it only. */
  readonly authorizationUrl: string;
  readonly expiresAt: number;
}

/** What somebody typed in. */
export interface ConnectManual extends ConnectionTarget {
  readonly fields: Readonly<Record<string, Secret>>;
  readonly params?: Readonly<Record<string, string>> | undefined;
}

/** A credential that is stored. */
export interface Connected {
  readonly kind: "connected";
  readonly provider: string;
  readonly connection: string;
  readonly instance: string;
  readonly shared: boolean;
}

/** A credential that is kept, sealed, until somebody has chosen what it is for; at most 10 minutes. */
export interface PendingSelection {
  readonly kind: "pending";
  readonly pending: string;
  readonly choices: readonly { readonly id: string; readonly label: string }[];
  readonly expiresAt: number;
}

/** A credential that is gone from the store. */
export interface Disconnected {
  readonly provider: string;
  readonly connection: string;
  readonly instance: string;
  /** Whether the upstream has revoked it: `unsupported` where it can't, `failed` where it should have. */
  readonly revoked: "yes" | "unsupported" | "failed";
}

/** What an authorization server sent a browser back with. */
export interface OAuthCallback {
  readonly state: string;
  readonly code: string | undefined;
  readonly issuer: string | undefined;
  readonly error: string | undefined;
  readonly errorDescription: string | undefined;
  /** What followed the common path of callbacks, without the slash: 16 hex digits; `undefined`: nothing did. */
  readonly redirectPath?: string | undefined;
  /** See {@link StartOAuth.browser}. */
  readonly browser?: string | undefined;
}

/** An authorization that has ended well, and the path of the page to go on with. */
export type FinishedOAuth = (Connected | PendingSelection) & { readonly returnTo: string };

/** What has become of a credential. */
export interface CredentialChange {
  readonly kind: "connected" | "disconnected" | "refreshed" | "reconnect_required";
  readonly reference: CredentialReference;
}
