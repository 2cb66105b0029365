import type { StreamEvents } from "./event-store.ts";
import { type EventReply, type Reply, type StreamEvent, sendsEvents } from "./face.ts";
import type { McpLimits } from "./limits.ts";

/** How a client takes up streams again. */
export interface ResumeTerms {
  /** Whether streams begin with an event without data: clients since 2025-11-25 know it. */
  readonly begins: boolean;
  readonly limits: Pick<McpLimits, "streamMilliseconds" | "retryMilliseconds" | "resumeMilliseconds">;
}

/**
 * A stream to the client of a session, beyond the connection that it goes over: that of one call, or that of the session itself. What
 * is sent while the client has lost its connection is kept, and comes when it takes the stream up again (MCP 2025-11-25, Streamable
 * HTTP, resumability and redelivery).
 */
export class SessionStream implements Reply {
  readonly #isCall: boolean;
  readonly #terms: ResumeTerms;
  readonly #events: StreamEvents | undefined;
  /** Who may take it up again: whoever may do the same as the one for whom it was begun. */
  holder: string;
  /** Made when asked for, which few calls do. */
  #lost: AbortController | undefined;
  #isLost = false;
  #listeners: (() => void)[] | undefined;
  #connection: Reply | undefined;
  #silence: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  /** Whether the client has an id from which it can go on. */
  #isResumable = false;
  #end: "none" | "answered" | "closed" = "none";
  #answerId: string | undefined;
  /** The last event before its connection was ended for the client to make another. */
  #restingSince: string | undefined;

  /**
   * @param kind that of one call, or the session's own, which is never lost for good.
   * @param events where its events are kept; `undefined`: the client can't take it up again.
   */
  constructor(kind: "standing" | "call", terms: ResumeTerms, events: StreamEvents | undefined, holder = "") {
    this.#isCall = kind === "call";
    this.#terms = terms;
    this.#events = events;
    this.holder = holder;
  }

  /** Whether a message would reach the client now. */
  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** Whether its answer was sent, or it was closed. */
  get hasEnded(): boolean {
    return this.#end !== "none";
  }

  /** Whether the client may come for what it has missed. */
  get isResumable(): boolean {
    return (this.#isResumable || this.#restingSince !== undefined) && this.#end !== "closed";
  }

  /** Aborts when the client has lost it, and either can't take it up again or has not in a while. */
  get lost(): AbortSignal {
    this.#lost ??= new AbortController();
    if (this.#isLost) this.#lost.abort();
    return this.#lost.signal;
  }

  /** Begins to use a connection, in place of the one before. */
  connect(connection: Reply): void {
    const restingSince = this.#restingSince;
    this.#use(connection);
    const events = this.#events;
    if (events === undefined || !sendsEvents(connection)) return;
    if (this.#terms.begins) {
      const { retryMilliseconds: retry, streamMilliseconds } = this.#terms.limits;
      connection.beginWith({ id: restingSince ?? events.lastId, message: "", retry }, () => {
        this.#isResumable = true;
      });
      // As soon as it is a stream, the client can lose the connection without losing the answer.
      this.#silence = setTimeout(() => connection.open(), streamMilliseconds).unref();
    }
    if (restingSince === undefined) return;
    for (const event of events.after(restingSince) ?? []) connection.sendEvent(event);
  }

  /**
   * Takes the stream up again: sends what came after an event, and goes on if there is more to come. False for an id that it has not
   * given out, and where what the client waits for is not there any more.
   */
  resume(id: string, connect: () => EventReply): boolean {
    const missed = this.#events?.after(id);
    if (missed === undefined || this.#end === "closed") return false;
    const answer = this.#end === "answered" ? missed.at(-1) : undefined;
    if (this.#end === "answered" && id !== this.#answerId && answer?.id !== this.#answerId) return false;
    const connection = connect();
    connection.open();
    // A client that reads slowly gets a part, and comes again for the rest.
    const isWhole = missed.every((event) => event === answer || connection.sendEvent(event));
    if (isWhole && this.#end === "none") this.#use(connection);
    else if (isWhole && answer !== undefined) connection.answerEvent(answer);
    else connection.close();
    return true;
  }

  open(): void {
    this.#connection?.open();
  }

  send(message: string): boolean {
    if (this.#end !== "none") return false;
    const connection = this.#connection;
    if (connection === undefined) {
      if (this.isResumable) this.#keep(message);
      return this.isResumable;
    }
    if (this.#events === undefined || !sendsEvents(connection)) return connection.send(message);
    const event = { id: this.#events.nextId(), message };
    // What a slow client is not sent is not kept for it either.
    if (!connection.sendEvent(event)) return false;
    this.#isResumable = true;
    this.#events.keep(event);
    return true;
  }

  answer(message: string, status?: number, headers?: Readonly<Record<string, string>>): void {
    if (this.#end !== "none") return;
    const connection = this.#connection;
    if (connection === undefined) {
      if (this.#isResumable) this.#answerId = this.#keep(message).id;
    } else if (this.#events === undefined || !sendsEvents(connection) || !connection.isStreaming) {
      connection.answer(message, status, headers);
    } else {
      const event = this.#keep(message);
      this.#isResumable = true;
      this.#answerId = event.id;
      connection.answerEvent(event);
    }
    this.#finish("answered");
  }

  close(): void {
    if (this.#end !== "none") return;
    this.#connection?.close();
    this.#events?.forget();
    this.#finish("closed");
  }

  destroy(): void {
    this.#connection?.destroy();
  }

  onClose(listener: () => void): void {
    if (this.#end === "none") {
      this.#listeners ??= [];
      this.#listeners.push(listener);
    } else listener();
  }

  /** Forgets what was sent: nobody can take it up again. */
  forget(): void {
    this.#events?.forget();
    this.#isResumable = false;
  }

  /** Ends the connection and not the stream, where the client will come for the rest by itself. */
  pause(milliseconds: number | undefined): void {
    const connection = this.#connection;
    if (connection === undefined || this.#events === undefined || !sendsEvents(connection)) return;
    if (!this.#terms.begins) return;
    connection.open();
    if (milliseconds !== undefined) connection.sendRetry(milliseconds);
    this.disconnect();
  }

  /**
   * Ends the connection and not the stream, for a client that makes another one by itself: what is sent until then comes with that,
   * however it is made.
   */
  rest(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (this.#events !== undefined && sendsEvents(connection)) {
      connection.sendRetry(this.#terms.limits.retryMilliseconds);
      this.#restingSince = this.#events.lastId;
    }
    this.disconnect();
  }

  /** Ends the connection and not the stream. */
  disconnect(): void {
    const connection = this.#connection;
    this.#disconnected();
    connection?.close();
  }

  #keep(message: string): StreamEvent {
    const event = { id: this.#events?.nextId() ?? "", message };
    this.#events?.keep(event);
    return event;
  }

  #use(connection: Reply): void {
    clearTimeout(this.#grace);
    this.#clearSilence();
    this.#restingSince = undefined;
    const before = this.#connection;
    this.#connection = connection;
    before?.close();
    connection.onClose(() => {
      if (this.#connection === connection) this.#disconnected();
    });
  }

  #disconnected(): void {
    this.#clearSilence();
    clearTimeout(this.#grace);
    this.#connection = undefined;
    if (!this.#isCall) return;
    const patience = this.#isResumable ? this.#terms.limits.resumeMilliseconds : 0;
    this.#grace = setTimeout(() => {
      this.#isLost = true;
      this.#lost?.abort();
    }, patience).unref();
  }

  /** A timer that has run keeps what it was for, which is the connection, and sessions outlive their connections by far. */
  #clearSilence(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  #finish(end: "answered" | "closed"): void {
    this.#end = end;
    this.#connection = undefined;
    this.#clearSilence();
    clearTimeout(this.#grace);
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) listener();
  }
}
