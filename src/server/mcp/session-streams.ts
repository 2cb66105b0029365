import type { SessionEvents } from "./event-store.ts";
import type { EventReply, Reply } from "./face.ts";
import type { McpLimits } from "./limits.ts";
import { SessionStream } from "./session-stream.ts";

/** Streams whose answer was sent, and that their client may yet take up again; the oldest makes room. */
const finishedStreams = 100;

/** What the streams of a session stand on. */
export interface StreamParts {
  /** Whether streams begin with an event without data. */
  readonly begins: boolean;
  /** Where events are kept; `undefined`: the client can't take streams up again. */
  readonly events: SessionEvents | undefined;
  readonly limits: Pick<
    McpLimits,
    "streamMilliseconds" | "retryMilliseconds" | "resumeMilliseconds" | "askMilliseconds"
  >;
}

/** The streams to the client of one session: its own, which a GET opens, and one for each call. */
export class SessionStreams {
  /** The session's own. */
  readonly standing: SessionStream;
  readonly #parts: StreamParts;
  /** Those of calls, running and finished, by the numbers of their events. */
  readonly #calls = new Map<number, SessionStream>();
  readonly #running = new Set<SessionStream>();
  readonly #waiting = new Set<() => void>();
  readonly #standingNumber: number | undefined;
  /** Who may take each stream up again: whoever may do the same as the one for whom it was begun. */
  readonly #holders = new WeakMap<SessionStream, string>();

  constructor(parts: StreamParts) {
    this.#parts = parts;
    const events = parts.events?.begin();
    this.#standingNumber = events?.stream;
    this.standing = new SessionStream(parts, events);
  }

  /**
   * Begins the stream of a call.
   *
   * @param holder stands for who makes the call, with all that it may do.
   * @param begins false where its request says that it does not know an event without data.
   */
  begin(connection: Reply, holder: string, begins = true): SessionStream {
    const events = this.#parts.events?.begin();
    const stream = new SessionStream({ ...this.#parts, begins: this.#parts.begins && begins }, events);
    this.#holders.set(stream, holder);
    stream.connect(connection);
    this.#running.add(stream);
    if (events !== undefined) this.#calls.set(events.stream, stream);
    stream.onClose(() => {
      this.#running.delete(stream);
      if (events === undefined) return;
      this.#calls.delete(events.stream);
      if (!stream.isResumable) return stream.forget();
      // Behind all others: the next to be forgotten is the one that ended first.
      this.#calls.set(events.stream, stream);
      this.#forgetOldest();
    });
    this.#arrived();
    return stream;
  }

  /** Opens the session's own stream, in place of the one before. */
  connect(connection: Reply, holder: string): void {
    this.#holders.set(this.standing, holder);
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
    const number = this.#parts.events?.streamOf(id);
    const isStanding = number !== undefined && number === this.#standingNumber;
    const stream = isStanding ? this.standing : this.#calls.get(number ?? -1);
    if (stream === undefined || this.#holders.get(stream) !== holder) return false;
    const isResumed = stream.resume(id, () => connect(isStanding));
    if (isResumed) this.#arrived();
    return isResumed;
  }

  /** A stream that reaches the client now: the session's own, or else that of any call. */
  find(): SessionStream | undefined {
    if (this.standing.isConnected) return this.standing;
    return [...this.#running].findLast((stream) => stream.isConnected);
  }

  /** The same, and waits a little where there is none. */
  async waitFor(signal: AbortSignal): Promise<SessionStream | undefined> {
    const found = this.find();
    if (found !== undefined || signal.aborted) return found;
    await new Promise<void>((resolve) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(stop);
        signal.removeEventListener("abort", stop);
        resolve();
      };
      const timer = setTimeout(stop, this.#parts.limits.askMilliseconds);
      this.#waiting.add(stop);
      signal.addEventListener("abort", stop, { once: true });
    });
    return signal.aborted ? undefined : this.find();
  }

  /** Ends the session's own stream, and forgets what was sent on all. */
  close(): void {
    this.standing.close();
    this.#calls.clear();
    this.#parts.events?.forget();
  }

  #arrived(): void {
    for (const look of [...this.#waiting]) look();
  }

  #forgetOldest(): void {
    if (this.#calls.size - this.#running.size <= finishedStreams) return;
    for (const [number, stream] of this.#calls) {
      if (this.#running.has(stream)) continue;
      this.#calls.delete(number);
      stream.forget();
      return;
    }
  }
}
