import { GatewayError } from "../../errors.ts";
import { asObject, isJsonObject } from "../../json-object.ts";
import { encodeHeaderValue } from "../../mcp/header-value.ts";
import {
  type Message,
  type NotificationMessage,
  type RequestId,
  type RequestMessage,
  type RpcErrorObject,
  rpcCodes,
} from "../../mcp/messages.ts";
import { metaKeys } from "../../mcp/meta.ts";
import type { LegacyVersion } from "../../mcp/versions.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { clientInfo } from "./client-info.ts";
import { type Receiver, Refusal, type SessionLostError, type Transport } from "./transport.ts";

/** Most questions of the upstream that wait for an answer at one time. */
const maxAsks = 64;

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
  /** The upstream asks the client; throws where it can't be asked. */
  ask(method: string, params: JsonObject): Promise<JsonValue>;
}

/** How a request is made. */
export interface RequestOptions {
  readonly signal: AbortSignal;
  /** Client capabilities that this request declares; only on the wire in the modern era. */
  readonly capabilities?: JsonObject;
  /** Further HTTP headers. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Without one nobody is there to ask, and no progress is asked for. */
  readonly observer?: RequestObserver;
}

interface Pending {
  readonly observer: RequestObserver | undefined;
  /** Aborted when nobody waits for the answer any more. */
  readonly exchange: AbortController;
  readonly resolve: (result: JsonObject) => void;
  readonly reject: (error: Error) => void;
}

/**
 * JSON-RPC with one upstream MCP server, the same for both eras and all transports: ids of its own, answers to their requests,
 * what comes in between to the call it belongs to.
 *
 * Answers to unknown ids are dropped, and so is a second answer. What the upstream asks outside of any call is refused.
 */
export class Session {
  readonly #transport: Transport;
  readonly #events: SessionEvents;
  readonly #pending = new Map<RequestId, Pending>();
  /** Questions of the upstream that are being answered, by its ids. */
  readonly #asks = new Set<RequestId>();
  readonly #closing = new AbortController();
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
   * Sends a request and waits for its result. Fails with a {@link Refusal} when the upstream says no, with a
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
        options.signal.removeEventListener("abort", cancel);
      };
      this.#pending.set(id, {
        observer: options.observer,
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

  /** Ends everything that is under way and the session with it. */
  async close(): Promise<void> {
    this.#end(new GatewayError("cancelled", "The connection to the upstream was closed."));
    await this.#transport.close();
  }

  #lose(reason: GatewayError | SessionLostError): void {
    if (this.#closing.signal.aborted) return;
    this.#end(reason);
    this.#events.closed(reason);
  }

  /** What is sent from now on fails with `reason`; what was sent before may have been carried out, which is another thing. */
  #end(reason: GatewayError | SessionLostError): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(reason);
    const message =
      reason instanceof GatewayError ? reason.message : "The upstream MCP server ended the session.";
    const failure = new GatewayError(
      "upstream_failed",
      `${message} Whether the call was carried out is not known.`,
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
    const name = method === "resources/read" ? params["uri"] : params["name"];
    const named = method === "tools/call" || method === "prompts/get" || method === "resources/read";
    return {
      "mcp-method": method,
      ...(named && typeof name === "string" ? { "mcp-name": encodeHeaderValue(name) } : {}),
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
    try {
      await this.#transport.send(message, { signal: this.#closing.signal });
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
        void this.#answer(message, during);
        return;
      case "notification":
        this.#hear(message, during);
        return;
    }
  }

  #refuse(id: RequestId, error: RpcErrorObject): void {
    this.#pending.get(id)?.reject(new Refusal({ rpc: error }));
  }

  #hear({ method, params }: NotificationMessage, during: RequestId | undefined): void {
    switch (method) {
      case "notifications/progress": {
        const { progressToken, ...progress } = params;
        if (typeof progressToken !== "number") return;
        this.#pending.get(progressToken)?.observer?.progress(progress);
        return;
      }
      case "notifications/message":
        this.#observer(during)?.log(params);
        return;
      case "notifications/tools/list_changed":
        this.#events.toolsChanged();
        return;
      case "notifications/cancelled": {
        const { requestId } = params;
        // The client may still be asked; its answer is no longer of interest.
        if (typeof requestId === "string" || typeof requestId === "number") this.#asks.delete(requestId);
        return;
      }
      default:
      // Nobody here waits for it.
    }
  }

  async #answer({ id, method, params }: RequestMessage, during: RequestId | undefined): Promise<void> {
    if (method === "ping") return this.#post({ kind: "result", id, result: {} });
    const observer = this.#observer(during);
    const refuse = (code: number, message: string): Promise<void> =>
      this.#post({ kind: "error", id, error: { code, message } });
    if (observer === undefined || !askable.has(method)) {
      return refuse(
        rpcCodes.methodNotFound,
        "Method not found, or no call is under way that it could belong to.",
      );
    }
    if (this.#asks.has(id)) return refuse(rpcCodes.invalidRequest, "A request with this id is under way.");
    if (this.#asks.size >= maxAsks)
      return refuse(rpcCodes.internalError, "Too many requests wait for an answer.");
    this.#asks.add(id);
    let reply: Message;
    try {
      const result = await observer.ask(method, params);
      reply = isJsonObject(result)
        ? { kind: "result", id, result }
        : {
            kind: "error",
            id,
            error: { code: rpcCodes.internalError, message: "The client gave no valid answer." },
          };
    } catch (error) {
      reply = { kind: "error", id, error: describeUnanswered(error) };
    }
    // Not there any more: the upstream has withdrawn the question.
    if (this.#asks.delete(id)) await this.#post(reply);
  }

  /** Whose call something belongs to: the one on whose stream it came, else the only one under way, else nobody's. */
  #observer(during: RequestId | undefined): RequestObserver | undefined {
    if (during !== undefined) return this.#pending.get(during)?.observer;
    const observers = [...this.#pending.values()].flatMap(({ observer }) =>
      observer === undefined ? [] : [observer],
    );
    return observers.length === 1 ? observers[0] : undefined;
  }
}

/** What an upstream may ask a client. */
export const askable: ReadonlySet<string> = new Set([
  "elicitation/create",
  "sampling/createMessage",
  "roots/list",
]);

function describeUnanswered(error: unknown): RpcErrorObject {
  if (error instanceof GatewayError && error.code === "unsupported") {
    return { code: rpcCodes.methodNotFound, message: error.message };
  }
  const message = error instanceof GatewayError ? error.message : "The client could not be asked.";
  return { code: rpcCodes.internalError, message };
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
