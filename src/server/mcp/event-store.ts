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
  /** Whether nothing is kept of it. */
  readonly isEmpty: boolean;
  /** Forgets them. */
  forget(): void;
  /** Hears when what was kept is forgotten, whatever the reason. */
  onForget: (() => void) | undefined;
}

/** What is kept at most. */
type EventLimits = Pick<
  McpLimits,
  "eventsPerSession" | "eventBytesPerSession" | "eventBytes" | "eventMilliseconds"
>;

/** An event with its number in its stream. */
interface Kept {
  readonly number: number;
  readonly event: StoredEvent;
  readonly bytes: number;
}

/** What keeps the logs of all sessions. */
interface Keeper {
  /** Tells its ids from those of other processes: 8 hexadecimal digits. */
  readonly tag: string;
  keep(log: StreamLog, kept: Kept): void;
  forget(log: StreamLog): void;
}

/** What is kept of one stream, and in which session. Sessions live long and have few events, so that there is little of each. */
class StreamLog implements StreamEvents {
  readonly stream: number;
  readonly session: SessionLog;
  readonly #keeper: Keeper;
  events: Kept[] | undefined;
  usedAt = 0;
  onForget: (() => void) | undefined;
  #given = 0;

  constructor(session: SessionLog, stream: number, keeper: Keeper) {
    this.session = session;
    this.stream = stream;
    this.#keeper = keeper;
  }

  get isEmpty(): boolean {
    return this.events === undefined;
  }

  get lastId(): string {
    return `${this.session.tag}-${this.stream}-${this.#given}`;
  }

  nextId(): string {
    this.#given += 1;
    return this.lastId;
  }

  keep(event: StoredEvent): void {
    const bytes = Buffer.byteLength(event.message) + overheadBytes;
    this.#keeper.keep(this, { number: this.#given, event, bytes });
  }

  after(id: string): readonly StoredEvent[] | undefined {
    const [, owner, of, text] = idForm.exec(id) ?? [];
    const last = Number(text);
    if (owner !== this.session.tag || Number(of) !== this.stream || last > this.#given) return undefined;
    return (this.events ?? []).filter(({ number }) => number > last).map(({ event }) => event);
  }

  forget(): void {
    this.#keeper.forget(this);
  }
}

/** How much is kept of one session. */
class SessionLog implements SessionEvents {
  readonly #number: number;
  readonly #keeper: Keeper;
  /** Those with events, the one that was silent for longest first. */
  logs: Set<StreamLog> | undefined;
  events = 0;
  bytes = 0;
  #streams = 0;

  constructor(number: number, keeper: Keeper) {
    this.#number = number;
    this.#keeper = keeper;
  }

  /** Tells its ids from those of other sessions. */
  get tag(): string {
    return this.#keeper.tag + this.#number.toString(16).padStart(8, "0");
  }

  begin(): StreamEvents {
    this.#streams += 1;
    return new StreamLog(this, this.#streams, this.#keeper);
  }

  streamOf(id: string): number | undefined {
    const [, owner, stream] = idForm.exec(id) ?? [];
    return owner === this.tag ? Number(stream) : undefined;
  }

  forget(): void {
    for (const log of [...(this.logs ?? [])]) this.#keeper.forget(log);
  }
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
  #sessions = 0;
  readonly #keeper: Keeper = {
    tag: randomBytes(4).toString("hex"),
    keep: (...kept) => this.#keep(...kept),
    forget: (log) => this.#forget(log),
  };

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
    this.#sessions = (this.#sessions + 1) % 0x1_0000_0000;
    return new SessionLog(this.#sessions, this.#keeper);
  }

  #keep(log: StreamLog, kept: Kept): void {
    const { session } = log;
    const { bytes } = kept;
    const { eventsPerSession, eventBytesPerSession, eventBytes } = this.#limits;
    if (bytes > Math.min(eventBytesPerSession, eventBytes)) return;
    log.events ??= [];
    log.events.push(kept);
    session.logs ??= new Set();
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
      this.#dropOldest(session.logs ?? []);
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
  #dropOldest(logs: Iterable<StreamLog>): void {
    const [log] = logs;
    const dropped = log?.events?.shift();
    if (log === undefined || dropped === undefined) throw new Error("A log without events is kept.");
    this.#account(log.session, dropped.bytes);
    if (log.events?.length === 0) this.#forget(log);
  }

  #forget(log: StreamLog): void {
    const { session } = log;
    for (const { bytes } of log.events ?? []) this.#account(session, bytes);
    log.events = undefined;
    this.#logs.delete(log);
    session.logs?.delete(log);
    if (session.logs?.size === 0) session.logs = undefined;
    log.onForget?.();
  }

  #account(session: SessionLog, bytes: number): void {
    session.events -= 1;
    session.bytes -= bytes;
    this.#bytes -= bytes;
  }
}
