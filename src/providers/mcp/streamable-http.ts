import { GatewayError } from "../../errors.ts";
import { followAbort } from "../../follow-abort.ts";
import { type Message, type RequestMessage, rpcCodes, writeMessage } from "../../mcp/messages.ts";
import { namesModernEra } from "../../mcp/versions.ts";
import type { HttpStream } from "../../upstream/http-client.ts";
import { readLimited, tooLarge } from "../../upstream/read-limited.ts";
import { readEvents } from "../../upstream/sse.ts";
import { waitFor } from "../wait.ts";
import { abortedLater } from "./aborted-later.ts";
import { isEventStream, mediaType, readSessionId } from "./answer-headers.ts";
import type { EndpointAnswer, EndpointSession } from "./http-endpoint.ts";
import { paceStream } from "./pace-stream.ts";
import { parseMessages } from "./parse-message.ts";
import { readRefusal } from "./read-refusal.ts";
import {
  type Receiver,
  type SendOptions,
  SessionLostError,
  type Transport,
  UpstreamRefusal,
} from "./transport.ts";

/**
 * Waits for the head of the stream for server messages before the first call is made. Servers may leave it out until they have something
 * to say, as the official SDK does behind `toNodeHandler`: then the request for it is on its way for as long as some others
 * took from here to the server and back.
 */
const listenMilliseconds = { shortest: 100, longest: 1_000, roundTrips: 4 };
/** How long an upstream may keep a response stream open after the answer, before it is closed from here. */
const afterAnswerMilliseconds = 1_000;
const closeMilliseconds = 2_000;
/** Pause before a broken stream is asked for again, when the server names none. */
const retryMilliseconds = 1_000;
const shortestRetryMilliseconds = 100;
const longestRetryMilliseconds = 60_000;
/** How often in a row a response stream is resumed without anything new on it. */
const maxResumptions = 5;

/** What reading one event stream left behind. */
interface StreamEnd {
  /** The answer to the request came. */
  readonly answered: boolean;
  readonly lastEventId: string;
  readonly retry: number | undefined;
  /** Something came at all. */
  readonly alive: boolean;
  /** Why the stream broke off; `undefined`: it ended in order. */
  readonly failure: unknown;
}

/**
 * Streamable HTTP (MCP 2025-03-26 and later): every message is a POST, answered by JSON or an event stream. Versions with a
 * handshake add a session id, a GET stream for what the server says unasked, and the resumption of broken streams.
 */
export class StreamableHttp implements Transport {
  readonly kind = "streamable-http";
  readonly messageBytes: number;
  readonly setAt: string;
  readonly #endpoint: EndpointSession;
  readonly #closing = new AbortController();
  #receiver: Receiver | undefined;
  #version: string | undefined;
  #sessionId: string | undefined;
  /** The exchange that begins the session, whatever comes of it. */
  #beginning: Promise<unknown> | undefined;
  #listening: Promise<void> | undefined;
  /** How long the server took for the head of its last answer. */
  #roundTrip = listenMilliseconds.longest;

  constructor(endpoint: EndpointSession) {
    this.#endpoint = endpoint;
    this.messageBytes = endpoint.limits.messageBytes;
    this.setAt = endpoint.limits.setAt;
  }

  async open(receiver: Receiver): Promise<void> {
    this.#receiver = receiver;
  }

  agree(version: string): void {
    this.#version = version;
  }

  send(message: Message, options: SendOptions): Promise<"ended"> {
    if (message.kind !== "request" || message.method !== "initialize") return this.#send(message, options);
    // Who leaves now does not know the session yet that the server may have begun; closing ends it.
    const signal = abortedLater(options.signal, closeMilliseconds);
    const beginning = this.#send(message, { ...options, signal });
    this.#beginning = beginning.catch(() => {});
    return beginning;
  }

  async #send(message: Message, options: SendOptions): Promise<"ended"> {
    const exchange = new AbortController();
    const unfollow = followAbort(exchange, options.signal);
    try {
      await this.#exchange(message, options, exchange);
    } finally {
      unfollow();
    }
    return "ended";
  }

  async #exchange(message: Message, options: SendOptions, exchange: AbortController): Promise<void> {
    const sent = performance.now();
    const stream = await this.#endpoint.stream({
      method: "POST",
      headers: this.#headers({
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...options.headers,
      }),
      body: writeMessage(message),
      signal: exchange.signal,
      // The session bounds the wait: how long a call may take depends on its progress.
      headersTimeout: 0,
      bodyTimeout: 0,
      isLasting: isSubscription(message),
    });
    this.#roundTrip = performance.now() - sent;
    await this.#checkStatus(stream);
    if (message.kind !== "request") {
      await readLimited(stream.body, this.#endpoint.limits.answerBytes, this.setAt);
      return;
    }
    this.#checkLength(stream, exchange);
    if (message.method === "initialize") this.#sessionId = readSessionId(stream);
    if (isEventStream(stream)) await this.#readAnswer(message, stream, options, exchange);
    else await this.#readBody(message, stream);
  }

  async listen(): Promise<void> {
    const over = new AbortController();
    this.#listening = this.#openStream("", this.#closing.signal)
      // A server without this stream may answer the GET in any way: it is optional.
      .catch(() => undefined)
      .then((stream) => {
        over.abort();
        return stream && this.#follow(stream);
      });
    const { shortest, longest, roundTrips } = listenMilliseconds;
    const wait = Math.max(shortest, roundTrips * this.#roundTrip);
    await waitFor(Math.min(wait, longest), over.signal);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new GatewayError("cancelled", "The connection to the upstream was closed."));
    await Promise.all([this.#beginning, this.#listening]);
    if (this.#sessionId === undefined) return;
    try {
      await this.#endpoint.farewell({
        method: "DELETE",
        headers: this.#headers({}),
        signal: AbortSignal.timeout(closeMilliseconds),
      });
    } catch {
      // A courtesy to the server, which forgets idle sessions by itself; not possible where the credential is gone.
    }
  }

  #headers(own: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    return {
      ...own,
      ...(this.#version === undefined ? {} : { "mcp-protocol-version": this.#version }),
      ...(this.#sessionId === undefined ? {} : { "mcp-session-id": this.#sessionId }),
    };
  }

  async #checkStatus(stream: EndpointAnswer): Promise<void> {
    if (stream.status >= 200 && stream.status < 300) return;
    const refusal = await readRefusal(stream, stream.url);
    throw this.#sessionId !== undefined && isOfSession(refusal) ? new SessionLostError() : refusal;
  }

  /** What announces too much is not begun. */
  #checkLength({ headers }: HttpStream, exchange: AbortController): void {
    const { answerBytes, messageBytes } = this.#endpoint.limits;
    const most = Math.max(answerBytes, streamBytes(messageBytes));
    if (Number(headers["content-length"] ?? 0) <= most) return;
    // Nobody reads, so leaving would not end it.
    exchange.abort();
    throw tooLarge(
      this.#endpoint.host,
      most,
      this.setAt,
      most === answerBytes ? "answer_size" : "event_size",
    );
  }

  async #readBody(request: RequestMessage, stream: HttpStream): Promise<void> {
    const body = await readLimited(stream.body, this.#endpoint.limits.answerBytes, this.setAt);
    if (body.byteLength === 0) return;
    const type = mediaType(stream);
    if (type !== "application/json") {
      throw new GatewayError(
        "upstream_failed",
        `${this.#endpoint.host} answered with ${type === "" ? "an unknown media type" : `\`${type.slice(0, 100)}\``} in place of JSON or an event stream. Is the URL that of an MCP server?`,
      );
    }
    const messages = parseMessages(
      Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"),
    );
    if (messages.length === 0) {
      throw new GatewayError(
        "upstream_failed",
        `${this.#endpoint.host} answered with JSON that is not JSON-RPC 2.0.`,
      );
    }
    for (const message of messages) this.#receiver?.message(message, request.id);
  }

  async #readAnswer(
    request: RequestMessage,
    stream: HttpStream,
    { paused }: SendOptions,
    exchange: AbortController,
  ): Promise<void> {
    const { signal } = exchange;
    let end = await this.#readStream(request, stream, exchange);
    let resumptions = 0;
    while (!end.answered) {
      if (signal.aborted) throw signal.reason;
      if (isTooMuch(end.failure)) throw end.failure;
      resumptions = end.alive ? 1 : resumptions + 1;
      if (end.lastEventId === "" || resumptions > maxResumptions || !this.#resumes()) {
        if (end.failure !== undefined) throw end.failure;
        return;
      }
      // A break is one thing, a server that ends its stream in order to be asked again (MCP 2025-11-25) another.
      if (end.failure === undefined) paused?.(end.retry);
      if (!(await waitFor(retryPause(end.retry), signal))) throw signal.reason;
      const resumed = await this.#openStream(end.lastEventId, signal).catch((error: unknown) => {
        if (error instanceof UpstreamRefusal) return undefined;
        throw error;
      });
      // Too late for the answer; whether there was one is not known.
      if (resumed === undefined) return;
      const next = await this.#readStream(request, resumed, exchange);
      end = next.lastEventId === "" ? { ...next, lastEventId: end.lastEventId } : next;
    }
  }

  /** MCP 2026-07-28 has no resumption: its streams end with the request. */
  #resumes(): boolean {
    return this.#version === undefined || !namesModernEra(this.#version);
  }

  /** Delivers what comes on a stream. With a request: until it is answered and the server has ended the stream. */
  async #readStream(
    request: RequestMessage | undefined,
    stream: HttpStream,
    exchange: AbortController | undefined,
  ): Promise<StreamEnd> {
    let answered = false;
    let lastEventId = "";
    let retry: number | undefined;
    let alive = false;
    let failure: unknown;
    let overdue: NodeJS.Timeout | undefined;
    const isLasting = request === undefined || isSubscription(request);
    try {
      const options = {
        maxEventBytes: this.messageBytes,
        setAt: this.setAt,
        maxBytes: isLasting ? undefined : streamBytes(this.messageBytes),
        onLastEventId: (id: string) => {
          lastEventId = id;
          alive = true;
        },
        // Too large an answer fails its request; whatever else is too large is left out.
        ...(request === undefined ? { onOversized: () => {} } : {}),
      };
      const over = exchange?.signal ?? this.#closing.signal;
      const body = isLasting ? paceStream(stream.body, this.messageBytes, over) : stream.body;
      for await (const event of readEvents(body, options)) {
        const wait = this.#endpoint.pace.take();
        if (wait > 0) await waitFor(wait, over);
        retry = event.retry ?? retry;
        alive = true;
        if (event.event !== "message") continue;
        for (const message of parseMessages(event.data)) {
          this.#receiver?.message(message, request?.id);
          if (request === undefined || !isAnswerTo(request, message)) continue;
          answered = true;
          // Reading on to the end keeps the connection for the next call; a server that does not end it loses it.
          overdue ??= setTimeout(() => exchange?.abort(), afterAnswerMilliseconds);
        }
      }
    } catch (error) {
      failure = error;
    } finally {
      clearTimeout(overdue);
    }
    return { answered, lastEventId, retry, alive, failure };
  }

  /** Asks for the stream of server messages, or for the rest of a broken one. Fails with an {@link UpstreamRefusal}. */
  async #openStream(lastEventId: string, signal: AbortSignal): Promise<HttpStream> {
    const stream = await this.#endpoint.stream({
      method: "GET",
      headers: this.#headers({
        accept: "text/event-stream",
        ...(lastEventId === "" ? {} : { "last-event-id": lastEventId }),
      }),
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
      isLasting: true,
    });
    if (stream.status === 200 && isEventStream(stream)) return stream;
    throw await readRefusal(stream, stream.url);
  }

  /** Keeps the stream of server messages up until the transport is closed or the session or the server is gone. */
  async #follow(first: HttpStream): Promise<void> {
    const { signal } = this.#closing;
    let stream: HttpStream | undefined = first;
    let lastEventId = "";
    let pause = retryMilliseconds;
    for (;;) {
      const end: StreamEnd | undefined = stream && (await this.#readStream(undefined, stream, undefined));
      if (end !== undefined && end.lastEventId !== "") lastEventId = end.lastEventId;
      pause = end?.alive ? retryPause(end.retry) : Math.min(pause * 2, longestRetryMilliseconds);
      if (!(await waitFor(pause, signal))) return;
      try {
        stream = await this.#openStream(lastEventId, signal);
        if (lastEventId === "") this.#receiver?.missed();
      } catch (error) {
        if (signal.aborted) return;
        if (!this.#mayPass(error)) return;
        stream = undefined;
      }
    }
  }

  /** What to do when the stream of server messages is not to be had again: true to ask for it later. */
  #mayPass(error: unknown): boolean {
    const isLost = error instanceof UpstreamRefusal && error.status === 404;
    if (isLost || error instanceof SessionLostError) {
      this.#receiver?.closed(new SessionLostError());
      return false;
    }
    if (error instanceof UpstreamRefusal && error.status === 405) {
      // It has no such stream any more, which it need not have.
      this.#receiver?.missed();
      return false;
    }
    if (error instanceof UpstreamRefusal) return true;
    if (error instanceof GatewayError && error.code === "timed_out") return true;
    this.#receiver?.closed(this.#toFailure(error));
    return false;
  }

  #toFailure(error: unknown): GatewayError {
    if (error instanceof GatewayError) return error;
    return new GatewayError("upstream_failed", `The connection to ${this.#endpoint.host} failed.`, {
      cause: error,
    });
  }
}

/**
 * True for a refusal of the session, which comes before anybody looked at the message. An error with an id answers a request:
 * such servers write HTTP 404 where what a tool was asked for does not exist.
 */
function isOfSession({ status, rpc, id }: UpstreamRefusal): boolean {
  return status === 404 && (rpc === undefined || id === null || rpc.code === rpcCodes.sessionNotFound);
}

/** Most bytes of a stream that brings one answer: those of the answer, and as many beside it. */
function streamBytes(messageBytes: number): number {
  return 2 * messageBytes;
}

/** The rest of such an answer would be too much as well. */
function isTooMuch(failure: unknown): boolean {
  return failure instanceof GatewayError && failure.details["limit"] !== undefined;
}

/** True for what stays open without an end (MCP 2026-07-28). */
function isSubscription(message: Message): boolean {
  return message.kind === "request" && message.method === "subscriptions/listen";
}

function isAnswerTo({ id }: RequestMessage, message: Message): boolean {
  return (message.kind === "result" || message.kind === "error") && message.id === id;
}

function retryPause(asked: number | undefined): number {
  return Math.min(Math.max(asked ?? retryMilliseconds, shortestRetryMilliseconds), longestRetryMilliseconds);
}
