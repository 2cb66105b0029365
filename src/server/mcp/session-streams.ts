import type { SessionEvents } from "./event-store.ts";
import type { EventReply, Reply } from "./face.ts";
import type { McpLimits } from "./limits.ts";
import { SessionStream } from "./session-stream.ts";

/** Streams whose answer was sent, and that their client may yet take up again; the oldest makes room. */
const finishedStreams = 100;

/** What the streams of a session stand on, the same for many sessions. */
export interface StreamTerms {
  /** Whether streams begin with an event without data. */
  readonly begins: boolean;
  readonly limits: Pick<
    McpLimits,
    "streamMilliseconds" | "retryMilliseconds" | "resumeMilliseconds" | "askMilliseconds"
  >;
}

/** The streams to the client of one session: its own, which a GET opens, and one for each call. */
export class SessionStreams {
  readonly #terms: StreamTerms;
  readonly #events: SessionEvents | undefined;
  #standing: SessionStream | undefined;
  #standingNumber: number | undefined;
  /** Those of calls by the numbers of their events: running ones, and finished ones that are kept. */
  #calls: Map<number, SessionStream> | undefined;
  #running = 0;
  #waiting: Set<() => void> | undefined;
  /** For those that have no events. */
  #begun = 0;

  /** @param events where events are kept; `undefined`: the client can't take streams up again. */
  constructor(terms: StreamTerms, events: SessionEvents | undefined) {
    this.#terms = terms;
    this.#events = events;
  }

  /** The session's own. */
  get standing(): SessionStream {
    if (this.#standing === undefined) {
      const events = this.#events?.begin();
      this.#standingNumber = events?.stream;
      this.#standing = new SessionStream("standing", this.#terms, events);
    }
    return this.#standing;
  }

  /** Whether there is nothing that a client has or may come back for. */
  get isUnused(): boolean {
    return this.#standing === undefined && this.#calls === undefined && this.#waiting === undefined;
  }

  /**
   * Begins the stream of a call.
   *
   * @param holder stands for who makes the call, with all that it may do.
   * @param begins false where its request says that it does not know an event without data.
   */
  begin(connection: Reply, holder: string, begins = true): SessionStream {
    const events = this.#events?.begin();
    const terms = begins || !this.#terms.begins ? this.#terms : { ...this.#terms, begins };
    const stream = new SessionStream("call", terms, events, holder);
    this.#begun -= 1;
    const number = events?.stream ?? this.#begun;
    stream.connect(connection);
    this.#running += 1;
    this.#calls ??= new Map();
    this.#calls.set(number, stream);
    stream.onClose(() => {
      this.#running -= 1;
      this.#forget(number);
      if (events === undefined) return;
      // Of what was too large to be kept nothing is left to come for.
      if (!stream.isResumable || events.isEmpty) return stream.forget();
      // Behind all others: the next to be forgotten is the one that ended first.
      this.#calls ??= new Map();
      this.#calls.set(number, stream);
      events.onForget = () => this.#forget(number);
      this.#forgetOldest();
    });
    this.#arrived();
    return stream;
  }

  /** Opens the session's own stream, in place of the one before. */
  connect(connection: Reply, holder: string): void {
    this.standing.holder = holder;
    this.standing.connect(connection);
    connection.open();
    this.#arrived();
  }

  /**
   * Takes a stream up again after an event.
   *
   * @param connect opens the way back; `isStanding` says whether it is for the session's own stream.
   * Returns false for an event that is not known, or not any more, and for one that was not meant for such a holder.
   */
  resume(id: string, holder: string, connect: (isStanding: boolean) => EventReply): boolean {
    const number = this.#events?.streamOf(id);
    const isStanding = number !== undefined && number === this.#standingNumber;
    const stream = isStanding ? this.standing : this.#calls?.get(number ?? 0);
    if (stream === undefined || stream.holder !== holder) return false;
    const isResumed = stream.resume(id, () => connect(isStanding));
    if (isResumed) this.#arrived();
    return isResumed;
  }

  /** A stream that reaches the client now: the session's own, or else that of any call. */
  find(): SessionStream | undefined {
    if (this.#standing?.isConnected === true) return this.#standing;
    // One that has ended is connected no more.
    return [...(this.#calls?.values() ?? [])].findLast((stream) => stream.isConnected);
  }

  /** The same, and waits a little where there is none. */
  async waitFor(signal: AbortSignal): Promise<SessionStream | undefined> {
    const found = this.find();
    if (found !== undefined || signal.aborted) return found;
    await new Promise<void>((resolve) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#waiting?.delete(stop);
        if (this.#waiting?.size === 0) this.#waiting = undefined;
        signal.removeEventListener("abort", stop);
        resolve();
      };
      const timer = setTimeout(stop, this.#terms.limits.askMilliseconds);
      this.#waiting ??= new Set();
      this.#waiting.add(stop);
      signal.addEventListener("abort", stop, { once: true });
    });
    return signal.aborted ? undefined : this.find();
  }

  /** Ends the session's own stream, and forgets what was sent on all. */
  close(): void {
    this.#standing?.close();
    this.#calls = undefined;
    this.#events?.forget();
  }

  #arrived(): void {
    for (const look of [...(this.#waiting ?? [])]) look();
  }

  #forget(number: number): void {
    this.#calls?.delete(number);
    if (this.#calls?.size === 0) this.#calls = undefined;
  }

  #forgetOldest(): void {
    if (this.#calls === undefined || this.#calls.size - this.#running <= finishedStreams) return;
    for (const [number, stream] of this.#calls) {
      if (!stream.hasEnded) continue;
      this.#forget(number);
      stream.forget();
      return;
    }
  }
}
