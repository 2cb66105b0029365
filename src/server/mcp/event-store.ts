import { randomBytes } from "node:crypto";
import type { McpLimits } from "./limits.ts";

/** A message that was sent on a stream, under the id that the client knows it by. */
export interface StoredEvent {
  readonly id: string;
  readonly message: string;
}

/** The events of one session, for a client that lost a stream and takes it up again (MCP 2025-11-25, resumability and redelivery). */
export interface SessionEvents {
  /** Begins the log of another stream. */
  begin(): StreamEvents;
  /** The number of the stream that an id is of; `undefined`: no stream of this session has had it. */
  streamOf(id: string): number | undefined;
  /** Forgets all of it, as the session ends. */
  forget(): void;
}

/** The events of one stream, as far as they are kept. */
export interface StreamEvents {
  /** Unique in the session. */
  readonly stream: number;
  /** The id of the last event so far; before the first one, an id of its own. */
  readonly lastId: string;
  /** An id for the next event. */
  nextId(): string;
  /** Keeps an event that has the last id; one that is too large is left out. */
  keep(event: StoredEvent): void;
  /**
   * What is kept of the events after that one; `undefined` for an id that the stream has not given out. What there was no room for is
   * missing, which is no reason to hold the rest back.
   */
  after(id: string): readonly StoredEvent[] | undefined;
  /** Forgets them. */
  forget(): void;
}

/** What is kept at most. */
type EventLimits = Pick<
  McpLimits,
  "eventsPerSession" | "eventBytesPerSession" | "eventBytes" | "eventMilliseconds"
>;

/** What is kept of one stream, and in which session. */
interface StreamLog {
  readonly session: SessionLog;
  readonly events: { readonly number: number; readonly event: StoredEvent; readonly bytes: number }[];
  usedAt: number;
}

/** How much is kept of one session. */
interface SessionLog {
  readonly logs: Set<StreamLog>;
  events: number;
  bytes: number;
}

/** What an event takes besides its message. */
const overheadBytes = 200;

/** The shape of our ids: of the session, of the stream in it, of the event in that. */
const idForm = /^([0-9a-f]{16})-(\d{1,12})-(\d{1,12})$/;

/**
 * Keeps what was sent on event streams, in memory and within bounds: of each session, and of all. Where there is no more room, the
 * streams that have been silent for longest lose what is kept of them, oldest first.
 *
 * @param now milliseconds of a clock that never goes back.
 */
export class EventStore {
  readonly #limits: EventLimits;
  readonly #now: () => number;
  /** Those with events, the one that was silent for longest first; the same order holds in each session. */
  readonly #logs = new Set<StreamLog>();
  #bytes = 0;
  #sweep: NodeJS.Timeout | undefined;

  constructor(limits: EventLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Bytes that are kept, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Begins a session's part. */
  begin(): SessionEvents {
    const tag = randomBytes(8).toString("hex");
    const session: SessionLog = { logs: new Set(), events: 0, bytes: 0 };
    let streams = 0;
    return {
      begin: () => {
        streams += 1;
        return this.#beginStream(session, tag, streams);
      },
      streamOf: (id) => {
        const [, owner, stream] = idForm.exec(id) ?? [];
        return owner === tag ? Number(stream) : undefined;
      },
      forget: () => {
        for (const log of [...session.logs]) this.#forget(log);
      },
    };
  }

  #beginStream(session: SessionLog, tag: string, stream: number): StreamEvents {
    const log: StreamLog = { session, events: [], usedAt: this.#now() };
    const idOf = (number: number): string => `${tag}-${stream}-${number}`;
    let given = 0;
    return {
      stream,
      get lastId() {
        return idOf(given);
      },
      nextId: () => {
        given += 1;
        return idOf(given);
      },
      keep: (event) => this.#keep(log, given, event),
      after: (id) => {
        const [, owner, of, text] = idForm.exec(id) ?? [];
        const last = Number(text);
        if (owner !== tag || Number(of) !== stream || last > given) return undefined;
        return log.events.filter(({ number }) => number > last).map(({ event }) => event);
      },
      forget: () => this.#forget(log),
    };
  }

  #keep(log: StreamLog, number: number, event: StoredEvent): void {
    const { session } = log;
    const bytes = Buffer.byteLength(event.message) + overheadBytes;
    const { eventsPerSession, eventBytesPerSession, eventBytes } = this.#limits;
    if (bytes > Math.min(eventBytesPerSession, eventBytes)) return;
    log.events.push({ number, event, bytes });
    session.events += 1;
    session.bytes += bytes;
    this.#bytes += bytes;
    log.usedAt = this.#now();
    for (const logs of [this.#logs, session.logs]) {
      logs.delete(log);
      logs.add(log);
    }
    this.#forgetExpired();
    this.#sweepLater();
    while (session.events > eventsPerSession || session.bytes > eventBytesPerSession)
      this.#dropOldest(session.logs);
    while (this.#bytes > eventBytes) this.#dropOldest(this.#logs);
  }

  #forgetExpired(): void {
    const oldest = this.#now() - this.#limits.eventMilliseconds;
    for (const log of this.#logs) {
      if (log.usedAt >= oldest) return;
      this.#forget(log);
    }
  }

  /** What nobody comes for must not stay until somebody else sends something. */
  #sweepLater(): void {
    this.#sweep ??= setTimeout(() => {
      this.#sweep = undefined;
      this.#forgetExpired();
      if (this.#logs.size > 0) this.#sweepLater();
    }, this.#limits.eventMilliseconds).unref();
  }

  /** One event of the stream that was silent for longest. */
  #dropOldest(logs: ReadonlySet<StreamLog>): void {
    const [log] = logs;
    const dropped = log?.events.shift();
    if (log === undefined || dropped === undefined) throw new Error("A log without events is kept.");
    this.#account(log.session, dropped.bytes);
    if (log.events.length === 0) this.#forget(log);
  }

  #forget(log: StreamLog): void {
    for (const { bytes } of log.events.splice(0)) this.#account(log.session, bytes);
    this.#logs.delete(log);
    log.session.logs.delete(log);
  }

  #account(session: SessionLog, bytes: number): void {
    session.events -= 1;
    session.bytes -= bytes;
    this.#bytes -= bytes;
  }
}
