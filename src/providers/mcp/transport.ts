import type { GatewayError } from "../../errors.ts";
import type { Message, RequestId, RpcErrorObject } from "../../mcp/messages.ts";
import type { ProviderConfig } from "../../model/config.ts";
import type { ProviderLimits } from "../../model/limits.ts";

/** Most bytes of one message from an upstream, where the operator's file says nothing. */
const usualMessageBytes = 10 * 1024 * 1024;

/** Most bytes of one message from an upstream, on a stream or a pipe. */
export function messageBytesOf({ eventBytes }: ProviderLimits): number {
  return eventBytes ?? usualMessageBytes;
}

/** Where the operator's file sets the limits of a provider. */
export function limitsKeyOf({ name }: Pick<ProviderConfig, "name">): string {
  return `providers.${name}.limits`;
}

/**
 * The way to one upstream MCP server: messages go out, messages come in. It knows HTTP or pipes, and of MCP only what
 * the wire shows (session id, version header).
 */
export interface Transport {
  readonly kind: "streamable-http" | "http-sse" | "stdio";
  /** Most bytes of one message that comes in. */
  readonly messageBytes: number;
  /** Where the operator's file sets that, as `event_size`, for messages; absent: nowhere. */
  readonly setAt?: string | undefined;
  /** Opens the way; messages arrive at `receiver` from now on. Call once, before anything else. */
  open(receiver: Receiver, signal: AbortSignal): Promise<void>;
  /** Tells which version was agreed on (or is tried); HTTP names it in a header from now on. */
  agree(version: string): void;
  /**
   * Sends one message. `sent`: its answer comes some other way. `ended`: everything that belongs to it has arrived, so an
   * answer that is not there by now never comes.
   *
   * Fails with an {@link UpstreamRefusal}, a {@link SessionLostError} or a `GatewayError`. Aborting `signal` closes the exchange.
   */
  send(message: Message, options: SendOptions): Promise<"sent" | "ended">;
  /**
   * Opens the stream for what a server of the handshake era says unasked, where that is a stream of its own; resolves when
   * it stands, or when it is clear that there is none. What a server says before that would be lost.
   */
  listen(): Promise<void>;
  /** Ends the session and everything that runs. */
  close(): Promise<void>;
}

/** What a message is sent with. */
export interface SendOptions {
  readonly signal: AbortSignal;
  /** Added to the HTTP request. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Hears that the server has ended the stream of the answer, which is asked for again; the pause is in ms, as the server wants it. */
  readonly paused?: (milliseconds: number | undefined) => void;
}

/** Where a transport delivers. */
export interface Receiver {
  /** `during`: the request on whose own response stream the message came; `undefined` where that can't be told. */
  message(message: Message, during: RequestId | undefined): void;
  /** The answer to this request was larger than {@link Transport.messageBytes}, and is gone. */
  oversized(id: RequestId): void;
  /** What the upstream said unasked may have been lost in a break. */
  missed(): void;
  /** The way is gone for good, and not because it was closed from here. */
  closed(reason: GatewayError | SessionLostError): void;
}

/** What an {@link UpstreamRefusal} is made of. */
export interface RefusalParts {
  readonly status?: number;
  readonly rpc?: RpcErrorObject | undefined;
  readonly id?: RequestId | null;
  readonly redirect?: string | undefined;
  readonly retryAfter?: number | undefined;
}

/** The upstream answered, and the answer was no: a JSON-RPC error, an HTTP status that is no answer, or both. */
export class UpstreamRefusal extends Error {
  override readonly name = "UpstreamRefusal";
  /** `undefined`: the refusal came inside a regular answer. */
  readonly status: number | undefined;
  readonly rpc: RpcErrorObject | undefined;
  /** Which request the JSON-RPC error answers; null where it names none. */
  readonly id: RequestId | null;
  /** Where a 3xx points to, as it may be printed. */
  readonly redirect: string | undefined;
  /** For how many ms the upstream wants to be left alone; `undefined`: it does not say. */
  readonly retryAfter: number | undefined;

  constructor({ status, rpc, id, redirect, retryAfter }: RefusalParts) {
    // Not the upstream's own words: they may hold what must not be printed.
    super(rpc === undefined ? `HTTP ${status}` : `JSON-RPC error ${rpc.code}`);
    this.status = status;
    this.rpc = rpc;
    this.id = id ?? null;
    this.redirect = redirect;
    this.retryAfter = retryAfter;
  }
}

/**
 * The session is over before anybody looked at the message, so a new one may send it again: the upstream no longer knows it (HTTP 404),
 * or somebody has connected another account since it was opened.
 */
export class SessionLostError extends Error {
  override readonly name = "SessionLostError";
}
