import { GatewayError } from "../../errors.ts";
import { Backoff, type Pauses } from "./backoff.ts";
import { CallDeadline } from "./call-deadline.ts";
import { type Caller, CallerLink, type CallerSession } from "./caller-session.ts";
import type { ChangedList, SessionEvents } from "./session-events.ts";
import { SessionLostError } from "./transport.ts";
import { unlessAborted } from "./unless-aborted.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/** Callers whose sessions broke lately, and what is remembered of them. */
const maxRemembered = 1_000;
/** So much of all sessions one principal may have at work, so that others still get in. */
const largestShare = 0.75;

/** How many sessions there may be, and how long things may take. */
export interface CallerSessionLimits {
  /** At one time: those that are closing count. */
  readonly sessions: number;
  /** In ms without use, after which a session is closed. */
  readonly idle: number;
  /** In ms, for the handshake. */
  readonly opening: number;
  /** Before a session is opened again where opening failed, or the session ended right away. */
  readonly pauses: Pauses;
}

/** What a session is wanted for: to call, to hear of changes, or to hear of them again where that has broken off. */
export type SessionUse = "call" | "subscription" | "renewal";

/** What a pool is made with. */
export interface CallerSessionParts {
  readonly provider: string;
  readonly limits: CallerSessionLimits;
  /** Opens a session that declares the capabilities and is ready for calls. */
  readonly connect: (
    events: SessionEvents,
    capabilities: Caller["capabilities"],
    signal: AbortSignal,
  ) => Promise<UpstreamSession>;
  /** The error of a failed opening, as the operator should read it; one with another code than `provider_unavailable` goes to the caller. */
  readonly describe: (error: unknown) => GatewayError;
  /** A caller's session has ended by itself: the server may be gone. */
  readonly broke?: (reason: GatewayError) => void;
  /** The upstream says in a caller's session that a list is another. */
  readonly changed?: (list: ChangedList) => void;
  /** Milliseconds of a clock that never goes back; default: that of the process. */
  readonly now?: () => number;
}

/** What is remembered of a caller whose session broke. */
interface Past {
  readonly backoff: Backoff;
  /** When the upstream last forgot a session of the caller. */
  lostAt: number;
}

/** A link in the pool. */
interface Pooled {
  readonly link: CallerLink;
  readonly since: number;
  readonly ready: Promise<UpstreamSession>;
  idle: NodeJS.Timeout | undefined;
}

/**
 * The sessions in which calls are made at one upstream, with one credential: each belongs to one caller, so that whatever a server
 * keeps or asks in a session concerns nobody else.
 *
 * Opened when first needed, closed when not used for a while, when the client is gone, and to make room for others.
 */
export class CallerSessions {
  readonly #parts: CallerSessionParts;
  readonly #now: () => number;
  /** By the caller's key, least recently used first; only what new calls may use. */
  readonly #pooled = new Map<string, Pooled>();
  /** All that are not closed yet. */
  readonly #all = new Set<Pooled>();
  readonly #endings = new Map<Pooled, Promise<void>>();
  readonly #past = new Map<string, Past>();
  readonly #backoff: Backoff;
  #closed = false;
  #reason = "It could not be reached.";

  constructor(parts: CallerSessionParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
    this.#backoff = new Backoff(parts.limits.pauses, this.#now);
  }

  /**
   * The caller's session, opened if need be; those who ask at one time share one. Throws `provider_unavailable` where it can't be opened
   * or was tried in vain a moment ago, `overloaded` when all sessions are at work, and the reason of `signal`.
   *
   * What is only held to hear of changes is ended where calls and new subscriptions need the room; what is set up again after that waits
   * until there is some.
   */
  async obtain(caller: Caller, signal: AbortSignal, use: SessionUse = "call"): Promise<CallerSession> {
    signal.throwIfAborted();
    const pooled = this.#find(caller) ?? this.#add(caller, use);
    const { link } = pooled;
    link.uses += 1;
    if (use !== "call") link.watches += 1;
    clearTimeout(pooled.idle);
    try {
      return this.#lend(pooled, use, await unlessAborted(signal, pooled.ready));
    } catch (error) {
      this.#release(pooled, use);
      throw error;
    }
  }

  /** Ends all sessions, and what is still being opened. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const pooled of [...this.#all]) this.#end(pooled, cancelled("The provider was closed."));
    while (this.#endings.size > 0) await Promise.all(this.#endings.values());
  }

  #find(caller: Caller): Pooled | undefined {
    const pooled = this.#pooled.get(caller.key);
    if (pooled === undefined) return undefined;
    this.#pooled.delete(caller.key);
    this.#pooled.set(caller.key, pooled);
    return pooled;
  }

  #add(caller: Caller, use: SessionUse): Pooled {
    const { home, key } = caller;
    if (this.#closed) throw cancelled("The provider was closed.");
    if (home?.gone.aborted === true) throw cancelled("The client is gone.");
    if (this.#backoff.pauses || this.#past.get(key)?.backoff.pauses === true) throw this.#unavailable();
    this.#makeRoom(caller, use);
    const link: CallerLink = new CallerLink(caller, {
      changed: (list) => this.#parts.changed?.(list),
      closed: (reason) => this.#broke(pooled, reason),
    });
    const ready = Promise.resolve().then(() => this.#open(pooled));
    const pooled: Pooled = { link, since: this.#now(), ready, idle: undefined };
    // Whoever waits for it hears of the failure; maybe nobody waits any more.
    ready.catch(() => {});
    const gone = (): void => this.#end(pooled, cancelled("The client is gone."));
    home?.gone.addEventListener("abort", gone, { once: true });
    link.over.signal.addEventListener("abort", () => home?.gone.removeEventListener("abort", gone), {
      once: true,
    });
    this.#all.add(pooled);
    this.#pooled.set(key, pooled);
    return pooled;
  }

  /**
   * Closes the session that was not used for the longest time, where there are as many as there may be; else one that is only held to
   * hear of changes.
   */
  #makeRoom({ principal }: Caller, use: SessionUse): void {
    const { sessions } = this.#parts.limits;
    const isIdle = (link: CallerLink): boolean => link.uses === 0;
    const isWatching = (link: CallerLink): boolean => use !== "renewal" && link.uses === link.watches;
    if (principal !== undefined && this.#atWork(principal) >= Math.ceil(sessions * largestShare)) {
      const isOwn = (link: CallerLink): boolean => !isIdle(link) && link.caller.principal === principal;
      if (!this.#displace((link) => isOwn(link) && isWatching(link))) {
        throw this.#overloaded("As many sessions as one caller may have");
      }
    }
    if (this.#all.size - this.#endings.size < sessions) return;
    if (this.#displace(isIdle) || this.#displace(isWatching)) return;
    throw this.#overloaded(`All ${sessions} sessions`);
  }

  /** Ends the session that was asked for the longest time ago, of those that will do. */
  #displace(willDo: (link: CallerLink) => boolean): boolean {
    for (const pooled of this.#pooled.values()) {
      if (!willDo(pooled.link)) continue;
      this.#end(pooled, cancelled("The session made room for others."));
      return true;
    }
    return false;
  }

  #atWork(principal: string): number {
    let count = 0;
    for (const { link } of this.#all) if (link.uses > 0 && link.caller.principal === principal) count += 1;
    return count;
  }

  async #open(pooled: Pooled): Promise<UpstreamSession> {
    const { limits, connect } = this.#parts;
    const { link } = pooled;
    const { signal: over } = link.over;
    const { opening } = limits;
    try {
      if (this.#all.size > limits.sessions) {
        await unlessAborted(over, Promise.all(this.#endings.values()));
      }
      using deadline = new CallDeadline(over, { idle: opening, longest: opening }, "It is tried again.");
      const session = await connect(link.events, link.caller.capabilities, deadline.signal);
      await link.begin(session, deadline.signal);
      if (!over.aborted) return session;
      await session.close();
      throw over.reason;
    } catch (error) {
      if (over.aborted) throw over.reason;
      this.#end(pooled, cancelled("The session could not be opened."));
      const described = this.#parts.describe(error);
      if (described.code !== "provider_unavailable") throw described;
      this.#fail(described);
      throw this.#unavailable(error);
    }
  }

  #lend(pooled: Pooled, use: SessionUse, session: UpstreamSession): CallerSession {
    const { link } = pooled;
    let isOver = false;
    return {
      session,
      over: link.over.signal,
      wantLogs: (level, signal) => link.wantLogs(level, signal),
      follow: (listener) => link.follow(listener),
      lost: () => this.#lose(pooled),
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        if (!link.over.signal.aborted) this.#succeed(link);
        this.#release(pooled, use);
      },
    };
  }

  #release(pooled: Pooled, use: SessionUse): void {
    const { link } = pooled;
    link.uses -= 1;
    if (use !== "call") link.watches -= 1;
    if (link.uses > 0) return;
    if (link.over.signal.aborted) {
      this.#close(pooled);
      return;
    }
    clearTimeout(pooled.idle);
    pooled.idle = setTimeout(
      () => this.#end(pooled, cancelled("The session was not used any more.")),
      this.#parts.limits.idle,
    );
    pooled.idle.unref();
  }

  /** The upstream has forgotten the session: nobody else gets it, and the calls that it took may still be answered. */
  #lose(pooled: Pooled): void {
    const { link } = pooled;
    if (link.over.signal.aborted) return;
    const past = this.#remember(link.caller.key);
    // A server that forgets one session after the other is not given them faster and faster.
    if (this.#now() - past.lostAt < this.#parts.limits.pauses.longest) {
      this.#reason = "The MCP server ends its sessions as soon as they begin.";
      past.backoff.failed();
    }
    past.lostAt = this.#now();
    this.#retire(pooled, new SessionLostError());
    if (link.uses === 0) this.#close(pooled);
  }

  #broke(pooled: Pooled, reason: GatewayError | SessionLostError): void {
    const { link, since } = pooled;
    if (reason instanceof SessionLostError) {
      this.#lose(pooled);
      return;
    }
    if (link.over.signal.aborted) return;
    const described = this.#parts.describe(reason);
    if (!link.hasCarried) this.#fail(described);
    else if (this.#now() - since < this.#parts.limits.pauses.longest) {
      // Maybe it is the calls of this one caller that end it: that is no reason to refuse the others.
      this.#reason = described.message;
      this.#remember(link.caller.key).backoff.failed();
    }
    this.#end(pooled, reason);
    this.#parts.broke?.(reason);
  }

  #fail({ message }: GatewayError): void {
    this.#reason = message;
    this.#backoff.failed();
  }

  #succeed(link: CallerLink): void {
    if (link.hasCarried) return;
    link.hasCarried = true;
    this.#backoff.succeeded();
  }

  #remember(key: string): Past {
    let past = this.#past.get(key);
    if (past === undefined) {
      past = {
        backoff: new Backoff(this.#parts.limits.pauses, this.#now),
        lostAt: Number.NEGATIVE_INFINITY,
      };
    }
    this.#past.delete(key);
    this.#past.set(key, past);
    const [oldest] = this.#past.keys();
    if (this.#past.size > maxRemembered && oldest !== undefined) this.#past.delete(oldest);
    return past;
  }

  #unavailable(cause?: unknown): GatewayError {
    return new GatewayError(
      "provider_unavailable",
      `Provider \`${this.#parts.provider}\` is not available at the moment: ${this.#reason} Try again later.`,
      { cause, retryable: true },
    );
  }

  #overloaded(which: string): GatewayError {
    return new GatewayError(
      "overloaded",
      `${which} with the MCP server of provider \`${this.#parts.provider}\` are at work. Try again later.`,
      { retryable: true },
    );
  }

  /** Ends a session with all that is under way in it. */
  #end(pooled: Pooled, reason: Error): void {
    this.#retire(pooled, reason);
    this.#close(pooled);
  }

  /** Gives a session to nobody any more. */
  #retire(pooled: Pooled, reason: Error): void {
    clearTimeout(pooled.idle);
    const { link } = pooled;
    if (this.#pooled.get(link.caller.key) === pooled) this.#pooled.delete(link.caller.key);
    link.end(reason);
  }

  #close(pooled: Pooled): void {
    if (!this.#all.has(pooled) || this.#endings.has(pooled)) return;
    const close = async (): Promise<void> => {
      // What is still being opened closes itself, since its link has ended.
      const session = await pooled.ready.catch(() => pooled.link.session);
      await session?.close().catch(() => {});
      this.#endings.delete(pooled);
      this.#all.delete(pooled);
    };
    this.#endings.set(pooled, close());
  }
}

function cancelled(message: string): GatewayError {
  return new GatewayError("cancelled", message);
}
