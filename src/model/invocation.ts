import type { CredentialReference } from "./credential.ts";
import type { Feature } from "./features.ts";
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
  /** What of the client's `_meta` goes on to an upstream MCP server: nothing that concerns the client's own hop. */
  readonly meta?: JsonObject | undefined;
  readonly peer: ClientPeer;
  /** Aborts when the caller leaves or cancels, or the deadline passes. */
  readonly signal: AbortSignal;
}

/**
 * A tool by its final name, an operation by its route in the HTTP API, or a method of a provider's MCP server besides `tools/call`,
 * whose params are the arguments, with the names that the upstream knows.
 */
export type InvocationTarget =
  | { readonly kind: "tool"; readonly name: string }
  | { readonly kind: "operation"; readonly provider: string; readonly operation: string }
  | {
      readonly kind: "feature";
      readonly provider: string;
      readonly feature: Feature;
      readonly method: string;
    };

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
  /** The method of MCP that is asked in place of a tool, with the arguments as its params. */
  readonly method?: string;
  /** See {@link InvocationRequest.meta}. */
  readonly meta?: JsonObject | undefined;
  readonly peer: ClientPeer;
  readonly signal: AbortSignal;
  /** When `signal` aborts because the call took too long, by `performance.now()`; absent: nobody knows. */
  readonly endsAt?: number;
}

/** The client behind a call, as an upstream may need it while the call runs. */
export interface ClientPeer {
  /** What it can be asked (elicitation, sampling, roots), as MCP client capabilities; empty for callers that are not MCP clients. */
  readonly capabilities: JsonObject;
  /** The client beyond this call; absent: there is none, as with the HTTP API and the command line. */
  readonly home?: ClientHome | undefined;
  /** Of clients that take questions as the result of a call, and make the same call again with the answers; absent: they can't. */
  readonly retry?: ClientRetry | undefined;
  /** Least severity of log messages that it wants of this call, `none` of them; absent: whatever the upstream sends. */
  readonly logLevel?: LogLevel | "none" | undefined;
  /**
   * Asks the client (elicitation, sampling, roots) and waits, minutes if need be. Throws `GatewayError` `unsupported` for a client that
   * can't, `cancelled` when the call ends or `signal` aborts, with which the question is taken back, and `RpcError` with the client's own
   * error.
   */
  ask(method: string, params: JsonObject, signal?: AbortSignal): Promise<JsonValue>;
  /** Tells the client something; silently dropped where it can't be delivered, as notifications may be. */
  notify(method: string, params: JsonObject): void;
  /**
   * The upstream has broken off the stream of its answer, to be asked for the rest after so many ms: a client that can resume may be
   * given the same pause. Absent where clients can't.
   */
  pause?(milliseconds: number | undefined): void;
}

/**
 * A client for as long as it lives: what belongs to it at upstreams belongs to nobody else. A session of a client up to 2025-11-25; of
 * later ones, which have none, all requests of one principal by one token, grant or session with the same capabilities.
 */
export interface ClientHome {
  /** Unique among all that there are, and never the same for two principals. */
  readonly key: string;
  /** See {@link ClientPeer.capabilities}. */
  readonly capabilities: JsonObject;
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
  /** Least severity of log messages that it has asked for outside of calls; `undefined`: it has not. */
  logLevel(): LogLevel | undefined;
  /** Asks the client about something that belongs to none of its calls. Throws like {@link ClientPeer.ask}. */
  ask(method: string, params: JsonObject, signal: AbortSignal): Promise<JsonValue>;
  /** Tells the client something that belongs to none of its calls; dropped where it can't be delivered. */
  notify(method: string, params: JsonObject): void;
  /** Calls back when the client says that its roots have changed, or wants other log messages; returns the way to stop that. */
  follow(listener: (change: "roots" | "log-level") => void): () => void;
}

/** What a client brings that makes a call again (MCP 2026-07-28, multi round-trip requests). */
export interface ClientRetry {
  /** Its answers by the key of each question; `undefined`: it makes the call for the first time, or brings none. */
  readonly responses: JsonObject | undefined;
  /** The upstream's own state, as it gave it; `undefined`: none. */
  readonly state: string | undefined;
}

/** Severity of log messages, least severe first (RFC 5424). */
export type LogLevel = "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
