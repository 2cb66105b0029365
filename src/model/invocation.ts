import type { CredentialReference } from "./credential.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { Principal } from "./principal.ts";

/** What a way in (MCP, HTTP API, CLI) hands to the broker. */
export interface InvocationRequest {
  readonly principal: Principal;
  /** How it came in. */
  readonly via: "mcp" | "api" | "cli";
  readonly target: InvocationTarget;
  readonly arguments: JsonObject;
  /** The `_connection` argument of the HTTP API. */
  readonly connection?: string | undefined;
  /** The `_instance` argument. */
  readonly instance?: string | undefined;
  /** A header of the caller's request by its name in lower case, for connections that pass one on; absent: it had none. */
  readonly header?: (name: string) => string | undefined;
  readonly peer: ClientPeer;
  /** Aborts when the caller leaves or cancels, or the deadline passes. */
  readonly signal: AbortSignal;
}

/** A tool by its final name, or an operation by its route in the HTTP API. */
export type InvocationTarget =
  | { readonly kind: "tool"; readonly name: string }
  | { readonly kind: "operation"; readonly provider: string; readonly operation: string };

/** One call, once the broker knows what it is and for whom. */
export interface Invocation {
  /** UUID. */
  readonly id: string;
  readonly via: "mcp" | "api" | "cli";
  readonly tenant: string;
  readonly principal: Principal;
  readonly provider: string;
  readonly tool: string;
  readonly arguments: JsonObject;
  readonly connection: string | undefined;
  readonly credential: CredentialReference | undefined;
  readonly catalogVersion: string;
  readonly peer: ClientPeer;
  readonly signal: AbortSignal;
  /** When `signal` aborts because the call took too long, by `performance.now()`; absent: nobody knows. */
  readonly endsAt?: number;
}

/** The client behind a call, as an upstream may need it while the call runs. */
export interface ClientPeer {
  /** MCP client capabilities; empty for callers that are not MCP clients. */
  readonly capabilities: JsonObject;
  /** Asks the client (elicitation, sampling, roots) and waits; throws `unsupported` for a client that can't. */
  ask(method: string, params: JsonObject): Promise<JsonValue>;
  /** Tells the client something; silently dropped where it can't be delivered, as notifications may be. */
  notify(method: string, params: JsonObject): void;
}
