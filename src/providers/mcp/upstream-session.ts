import { GatewayError } from "../../errors.ts";
import { asObject } from "../../json-object.ts";
import type {
  Message,
  NotificationMessage,
  RequestId,
  RequestMessage,
  RpcErrorObject,
} from "../../mcp/messages.ts";
import { metaKeys, withoutReservedMeta } from "../../mcp/meta.ts";
import type { LegacyVersion } from "../../mcp/versions.ts";
import type { JsonObject } from "../../model/json.ts";
import { tooLarge } from "../../upstream/read-limited.ts";
import { QuestionAnswerer } from "./answer-questions.ts";
import { cancellationOf } from "./cancellation-of.ts";
import { LeftRequests } from "./left-requests.ts";
import { limit, limitObserver } from "./limit-notifications.ts";
import { putIntoEnvelope, standardHeaders } from "./request-envelope.ts";
import { failureOf, type RequestOptions } from "./request-options.ts";
import type { ChangedList, RequestObserver, SessionEvents } from "./session-events.ts";
import { type Receiver, SessionLostError, type Transport, UpstreamRefusal } from "./transport.ts";

/** How long an upstream may take to receive what nobody waits for. */
const postMilliseconds = 30_000;

/** Which list a notification is about. */
const changedLists: ReadonlyMap<string, ChangedList> = new Map([
  ["notifications/tools/list_changed", "tools"],
  ["notifications/prompts/list_changed", "prompts"],
  ["notifications/resources/list_changed", "resources"],
]);

/** What both sides have agreed on. */
export type Agreement =
  | { readonly era: "legacy"; readonly version: LegacyVersion; readonly capabilities: JsonObject }
  | { readonly era: "modern"; readonly version: string; readonly capabilities: JsonObject };

interface Pending {
  readonly options: RequestOptions;
  /** That of the options, which hears no more than a client can take. */
  readonly observer: RequestObserver | undefined;
  /** Likewise. */
  readonly updated: RequestOptions["updated"];
  /** Aborted when nobody waits for the answer any more. */
  readonly exchange: AbortController;
  readonly resolve: (result: JsonObject) => void;
  readonly reject: (error: Error) => void;
}

/**
 * JSON-RPC with one upstream MCP server, the same for both eras and all transports: ids of its own, answers to their requests,
 * what comes in between to the call it belongs to.
 *
 * Answers to unknown ids are dropped, and so is a second answer. What the upstream asks goes to the call on whose stream it came, else
 * to the only one under way, else to the session's owner; without a handshake nothing is asked, since questions come as results.
 */
export class UpstreamSession {
  readonly #transport: Transport;
  readonly #events: SessionEvents;
  readonly #pending = new Map<RequestId, Pending>();
  readonly #closing = new AbortController();
  readonly #questions: QuestionAnswerer;
  readonly #left = new LeftRequests(() => performance.now());
  /** What the owner is told that belongs to no request. */
  readonly #told: (method: string, params: JsonObject) => void;
  readonly #updated: (params: JsonObject) => void;
  #whenIdle: (() => void) | undefined;
  #declared: JsonObject = {};
  #agreement: Agreement | undefined;
  #modernVersion: string | undefined;
  #lastId = 0;

  constructor(transport: Transport, events: SessionEvents) {
    this.#transport = transport;
    this.#events = events;
    this.#told = limit((method, params) => events.told(method, params));
    this.#updated = limit((params) => events.updated(params));
    this.#questions = new QuestionAnswerer({
      declared: () => this.#declared,
      ask: (method, params, during, signal) => {
        const observer = this.#observer(during);
        return observer === undefined
          ? events.asked(method, params, signal)
          : observer.ask(method, params, signal);
      },
      send: (message) => this.#post(message),
    });
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
      oversized: (id) => {
        const { messageBytes, setAt } = this.#transport;
        this.#pending.get(id)?.reject(tooLarge("The upstream MCP server", messageBytes, setAt, "event_size"));
      },
      missed: () => this.#events.missed(),
      closed: (reason) => this.#lose(reason),
    };
    await this.#transport.open(receiver, signal);
  }

  /** Says what the upstream may ask from now on: what the handshake declares. */
  declare(capabilities: JsonObject): void {
    this.#declared = capabilities;
  }

  /** Speaks a version without a handshake from now on, to find out whether the upstream does. */
  try(modernVersion: string): void {
    this.#declared = {};
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
      params: putIntoEnvelope(params, {
        progressToken: options.observer && id,
        modernVersion: this.#modernVersion,
        capabilities: options.capabilities,
        logLevel: options.logLevel,
      }),
    };
    const exchange = new AbortController();
    return new Promise<JsonObject>((resolve, reject) => {
      const cancel = (): void => {
        settle();
        if (options.observer !== undefined) this.#left.add(id);
        reject(options.signal.reason);
        void this.#tellCancelled(id, method, options.signal.reason);
        exchange.abort(options.signal.reason);
      };
      const settle = (): void => {
        this.#pending.delete(id);
        if (this.#pending.size === 0) this.#whenIdle?.();
        options.signal.removeEventListener("abort", cancel);
      };
      this.#pending.set(id, {
        options,
        observer: options.observer && limitObserver(options.observer),
        updated: options.updated && limit(options.updated),
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
      const headers = {
        ...(this.#modernVersion === undefined ? {} : standardHeaders(method, params)),
        ...options.headers,
      };
      const paused = (milliseconds: number | undefined): void => options.observer?.pause?.(milliseconds);
      this.#transport.send(message, { signal: exchange.signal, headers, paused }).then(
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
    this.#questions.end(reason);
    for (const pending of [...this.#pending.values()]) {
      const failure = failureOf(pending.options, reason);
      pending.reject(failure);
      pending.exchange.abort(failure);
    }
  }

  /** Over HTTP the modern era cancels by closing the response stream; everywhere else a word is needed. */
  async #tellCancelled(id: number, method: string, why: unknown): Promise<void> {
    if (method === "initialize" || this.#closing.signal.aborted) return;
    if (this.#modernVersion !== undefined && this.#transport.kind === "streamable-http") return;
    await this.#post(cancellationOf(id, why));
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
        // A stream brings the answer to its own request, and to no other.
        if (during !== undefined && during !== message.id) return;
        this.#left.answered(message.id);
        this.#pending.get(message.id)?.resolve(message.result);
        return;
      case "error":
        // Servers that could not read a request answer without its id.
        if (message.id === null || during === undefined || during === message.id) {
          this.#refuse(message.id ?? during, message.error);
        }
        return;
      case "request":
        void this.#questions.answer(message, during);
        return;
      case "notification":
        this.#hear(message, during);
        return;
    }
  }

  #refuse(id: RequestId | undefined, error: RpcErrorObject): void {
    if (id === undefined) return;
    this.#left.answered(id);
    this.#pending.get(id)?.reject(new UpstreamRefusal({ rpc: error, id }));
  }

  #hear({ method, params }: NotificationMessage, during: RequestId | undefined): void {
    switch (method) {
      case "notifications/progress": {
        const { progressToken, ...progress } = withoutReservedMeta(params);
        if (typeof progressToken !== "number" || (during ?? progressToken) !== progressToken) return;
        this.#pending.get(progressToken)?.observer?.progress(progress);
        return;
      }
      case "notifications/message": {
        if (typeof params["level"] !== "string" || params["data"] === undefined) return;
        const observer = this.#observer(during);
        if (observer === undefined) this.#told(method, withoutReservedMeta(params));
        else observer.log(withoutReservedMeta(params));
        return;
      }
      case "notifications/elicitation/complete":
        this.#told(method, withoutReservedMeta(params));
        return;
      case "notifications/resources/updated": {
        const updated = this.#subscription(params, during)?.updated ?? this.#updated;
        updated(withoutReservedMeta(params));
        return;
      }
      case "notifications/cancelled":
        this.#questions.withdraw(params);
        return;
      case "notifications/subscriptions/acknowledged":
        this.#subscription(params, during)?.options.acknowledged?.(params);
        return;
      default: {
        const list = changedLists.get(method);
        if (list !== undefined) this.#events.changed(list);
      }
    }
  }

  /** The request to whose subscription something belongs. */
  #subscription(params: JsonObject, during: RequestId | undefined): Pending | undefined {
    const id = asObject(params["_meta"])?.[metaKeys.subscriptionId] ?? during;
    return typeof id === "number" ? this.#pending.get(id) : undefined;
  }

  /**
   * Whose call something belongs to: the one on whose stream it came, else the only one that the upstream can be at work on, else
   * nobody's.
   */
  #observer(during: RequestId | undefined): RequestObserver | undefined {
    if (during !== undefined) return this.#pending.get(during)?.observer;
    const observers = [...this.#pending.values()].flatMap(({ observer }) => observer ?? []);
    return observers.length === 1 && !this.#left.any ? observers[0] : undefined;
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
