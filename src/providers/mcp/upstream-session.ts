import { GatewayError } from "../../errors.ts";
import { asObject } from "../../json-object.ts";
import { encodeHeaderValue } from "../../mcp/header-value.ts";
import {
  type Message,
  type NotificationMessage,
  type RequestId,
  type RequestMessage,
  type RpcErrorObject,
  rpcCodes,
} from "../../mcp/messages.ts";
import { metaKeys, withoutReservedMeta } from "../../mcp/meta.ts";
import { nameOfRequest } from "../../mcp/name-of-request.ts";
import type { LegacyVersion } from "../../mcp/versions.ts";
import type { JsonObject } from "../../model/json.ts";
import { tooLarge } from "../../upstream/read-limited.ts";
import { clientInfo } from "./client-info.ts";
import {
  maxMessageBytes,
  type Receiver,
  SessionLostError,
  type Transport,
  UpstreamRefusal,
} from "./transport.ts";

/** Most answers to the upstream's own requests that are on their way at one time. */
const maxReplies = 64;
/** How long an upstream may take to receive what nobody waits for. */
const postMilliseconds = 30_000;

/** What both sides have agreed on. */
export type Agreement =
  | { readonly era: "legacy"; readonly version: LegacyVersion; readonly capabilities: JsonObject }
  | { readonly era: "modern"; readonly version: string; readonly capabilities: JsonObject };

/** What a session tells its owner. */
export interface SessionEvents {
  /** The upstream says that its list of tools is another. */
  toolsChanged(): void;
  /** The session is over, and not because it was closed from here. */
  closed(reason: GatewayError | SessionLostError): void;
}

/** Who hears what an upstream says while a request is under way. */
export interface RequestObserver {
  /** Progress; `params` hold no token. */
  progress(params: JsonObject): void;
  /** A log message. */
  log(params: JsonObject): void;
}

/** How a request is made. */
export interface RequestOptions {
  readonly signal: AbortSignal;
  /** Client capabilities that this request declares; only on the wire in the modern era. */
  readonly capabilities?: JsonObject;
  /** Further HTTP headers. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Without one no progress is asked for. */
  readonly observer?: RequestObserver;
  /** Hears what a subscription was granted. */
  readonly acknowledged?: (params: JsonObject) => void;
}

interface Pending {
  readonly options: RequestOptions;
  /** Aborted when nobody waits for the answer any more. */
  readonly exchange: AbortController;
  readonly resolve: (result: JsonObject) => void;
  readonly reject: (error: Error) => void;
}

/**
 * JSON-RPC with one upstream MCP server, the same for both eras and all transports: ids of its own, answers to their requests,
 * what comes in between to the call it belongs to.
 *
 * Answers to unknown ids are dropped, and so is a second answer. Requests of the upstream are refused, but for `ping`: a session
 * with a handshake is shared by all callers and declares no capabilities, so there is nobody whom it could ask; without a
 * handshake, questions come as results.
 */
export class UpstreamSession {
  readonly #transport: Transport;
  readonly #events: SessionEvents;
  readonly #pending = new Map<RequestId, Pending>();
  readonly #closing = new AbortController();
  #whenIdle: (() => void) | undefined;
  #replies = 0;
  #agreement: Agreement | undefined;
  #modernVersion: string | undefined;
  #lastId = 0;

  constructor(transport: Transport, events: SessionEvents) {
    this.#transport = transport;
    this.#events = events;
  }

  get transport(): Transport["kind"] {
    return this.#transport.kind;
  }

  /** What the handshake came to. */
  get agreement(): Agreement {
    if (this.#agreement === undefined) throw new Error("The session was used before its handshake.");
    return this.#agreement;
  }

  async open(signal: AbortSignal): Promise<void> {
    const receiver: Receiver = {
      message: (message, during) => this.#receive(message, during),
      oversized: (id) => this.#pending.get(id)?.reject(tooLarge("The upstream MCP server", maxMessageBytes)),
      missed: () => this.#events.toolsChanged(),
      closed: (reason) => this.#lose(reason),
    };
    await this.#transport.open(receiver, signal);
  }

  /** Speaks a version without a handshake from now on, to find out whether the upstream does. */
  try(modernVersion: string): void {
    this.#modernVersion = modernVersion;
    this.#transport.agree(modernVersion);
  }

  /** Ends the handshake. */
  settle(agreement: Agreement): void {
    this.#agreement = agreement;
    this.#modernVersion = agreement.era === "modern" ? agreement.version : undefined;
    this.#transport.agree(agreement.version);
  }

  /** Opens the stream for what the upstream says unasked, see {@link Transport.listen}. */
  listen(): Promise<void> {
    return this.#transport.listen();
  }

  /**
   * Sends a request and waits for its result. Fails with an {@link UpstreamRefusal} when the upstream says no, with a
   * {@link SessionLostError} when it did not look at it, else with a `GatewayError`; an aborted `signal` is passed on to the
   * upstream, and its reason is what the request fails with.
   */
  async request(method: string, params: JsonObject, options: RequestOptions): Promise<JsonObject> {
    if (this.#closing.signal.aborted) throw this.#closing.signal.reason;
    options.signal.throwIfAborted();
    this.#lastId += 1;
    const id = this.#lastId;
    const message: RequestMessage = {
      kind: "request",
      id,
      method,
      params: this.#addMeta(params, id, options),
    };
    const exchange = new AbortController();
    return new Promise<JsonObject>((resolve, reject) => {
      const cancel = (): void => {
        settle();
        reject(options.signal.reason);
        void this.#tellCancelled(id, method);
        exchange.abort(options.signal.reason);
      };
      const settle = (): void => {
        this.#pending.delete(id);
        if (this.#pending.size === 0) this.#whenIdle?.();
        options.signal.removeEventListener("abort", cancel);
      };
      this.#pending.set(id, {
        options,
        exchange,
        resolve: (result) => {
          settle();
          resolve(result);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      options.signal.addEventListener("abort", cancel);
      const headers = { ...this.#modernHeaders(method, params), ...options.headers };
      this.#transport.send(message, { signal: exchange.signal, headers }).then(
        (outcome) => {
          if (outcome === "ended") this.#pending.get(id)?.reject(unanswered());
        },
        (error: unknown) => this.#pending.get(id)?.reject(toError(error)),
      );
    });
  }

  /** Sends a notification. Fails like a request. */
  async notify(method: string, params: JsonObject, signal: AbortSignal): Promise<void> {
    await this.#transport.send({ kind: "notification", method, params }, { signal });
  }

  /** Resolves as soon as no request is under way. Call once. */
  async idle(): Promise<void> {
    if (this.#pending.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  /** Ends everything that is under way and the session with it. */
  async close(): Promise<void> {
    this.#end(new GatewayError("cancelled", "The connection to the upstream was closed."));
    await this.#transport.close();
  }

  #lose(reason: GatewayError | SessionLostError): void {
    if (this.#closing.signal.aborted) return;
    // A session that is forgotten takes no more requests; those it took may still be answered.
    if (!(reason instanceof SessionLostError)) this.#end(reason);
    this.#events.closed(reason);
  }

  /** What is sent from now on fails with `reason`; what was sent before may have been carried out, which is another thing. */
  #end(reason: GatewayError): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(reason);
    const failure = new GatewayError(
      "upstream_failed",
      `${reason.message} Whether the call was carried out is not known.`,
      { cause: reason },
    );
    for (const pending of [...this.#pending.values()]) {
      pending.reject(failure);
      pending.exchange.abort(failure);
    }
  }

  #addMeta(params: JsonObject, id: number, options: RequestOptions): JsonObject {
    const progress = options.observer === undefined ? {} : { progressToken: id };
    const envelope =
      this.#modernVersion === undefined
        ? {}
        : {
            [metaKeys.protocolVersion]: this.#modernVersion,
            [metaKeys.clientCapabilities]: options.capabilities ?? {},
            [metaKeys.clientInfo]: clientInfo,
          };
    const meta: JsonObject = { ...asObject(params["_meta"]), ...progress, ...envelope };
    return Object.keys(meta).length === 0 ? params : { ...params, _meta: meta };
  }

  /** MCP 2026-07-28, Streamable HTTP: what a request is must show without reading its body. */
  #modernHeaders(method: string, params: JsonObject): Record<string, string> {
    if (this.#modernVersion === undefined) return {};
    const named = nameOfRequest(method, params);
    return {
      "mcp-method": method,
      ...(named === undefined ? {} : { "mcp-name": encodeHeaderValue(named.name) }),
    };
  }

  /** Over HTTP the modern era cancels by closing the response stream; everywhere else a word is needed. */
  async #tellCancelled(id: number, method: string): Promise<void> {
    if (method === "initialize" || this.#closing.signal.aborted) return;
    if (this.#modernVersion !== undefined && this.#transport.kind === "streamable-http") return;
    await this.#post({
      kind: "notification",
      method: "notifications/cancelled",
      params: { requestId: id, reason: "The caller left or the time was over." },
    });
  }

  /** Sends what nobody waits for. */
  async #post(message: Message): Promise<void> {
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(postMilliseconds)]);
    try {
      await this.#transport.send(message, { signal });
    } catch {
      // An upstream that is away shows itself at the next request, or by the end of its stream.
    }
  }

  #receive(message: Message, during: RequestId | undefined): void {
    switch (message.kind) {
      case "result":
        this.#pending.get(message.id)?.resolve(message.result);
        return;
      case "error":
        // Servers that could not read a request answer without its id.
        if (message.id !== null) this.#refuse(message.id, message.error);
        else if (during !== undefined) this.#refuse(during, message.error);
        return;
      case "request":
        void this.#answer(message);
        return;
      case "notification":
        this.#hear(message, during);
        return;
    }
  }

  #refuse(id: RequestId, error: RpcErrorObject): void {
    this.#pending.get(id)?.reject(new UpstreamRefusal({ rpc: error, id }));
  }

  #hear({ method, params }: NotificationMessage, during: RequestId | undefined): void {
    switch (method) {
      case "notifications/progress": {
        const { progressToken, ...progress } = withoutReservedMeta(params);
        if (typeof progressToken !== "number") return;
        this.#pending.get(progressToken)?.options.observer?.progress(progress);
        return;
      }
      case "notifications/message":
        this.#observer(during)?.log(params);
        return;
      case "notifications/tools/list_changed":
        this.#events.toolsChanged();
        return;
      case "notifications/subscriptions/acknowledged": {
        const id = asObject(params["_meta"])?.[metaKeys.subscriptionId] ?? during;
        if (typeof id === "number") this.#pending.get(id)?.options.acknowledged?.(params);
        return;
      }
      default:
      // Nobody here waits for it.
    }
  }

  /** An upstream that asks faster than it takes the answers gets no more of them. */
  async #answer({ id, method }: RequestMessage): Promise<void> {
    if (this.#replies >= maxReplies) return;
    this.#replies += 1;
    const error = {
      code: rpcCodes.methodNotFound,
      message: "Method not found: this client answers pings only.",
    };
    await this.#post(method === "ping" ? { kind: "result", id, result: {} } : { kind: "error", id, error });
    this.#replies -= 1;
  }

  /** Whose call something belongs to: the one on whose stream it came, else the only one under way, else nobody's. */
  #observer(during: RequestId | undefined): RequestObserver | undefined {
    if (during !== undefined) return this.#pending.get(during)?.options.observer;
    const observers = [...this.#pending.values()].flatMap(({ options: { observer } }) =>
      observer === undefined ? [] : [observer],
    );
    return observers.length === 1 ? observers[0] : undefined;
  }
}

function unanswered(): GatewayError {
  return new GatewayError(
    "upstream_failed",
    "The upstream MCP server ended its answer without a result. Whether it carried the call out is not known.",
  );
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error("The transport failed.", { cause: error });
}
