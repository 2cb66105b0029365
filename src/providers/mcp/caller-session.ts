import { GatewayError } from "../../errors.ts";
import { isWanted } from "../../mcp/log-level.ts";
import type { ClientHome, LogLevel } from "../../model/invocation.ts";
import type { JsonObject } from "../../model/json.ts";
import type { ChangedList, SessionEvents } from "./session-events.ts";
import { unlessAborted } from "./unless-aborted.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/** How long an upstream may take to receive what no call depends on. */
const noteMilliseconds = 10_000;
/** Whose session it is. */
export interface Caller {
  /** `ClientHome.key`; of callers without a home, one for each principal. */
  readonly key: string;
  /** What the session declares: exactly what the client can be asked. */
  readonly capabilities: JsonObject;
  readonly home?: ClientHome | undefined;
  /** On whose behalf: one of these can't have all sessions at work. Absent: nobody in particular. */
  readonly principal?: string;
}

/** Who hears what the upstream says of resources. */
export interface ResourceListener {
  /** `notifications/resources/updated`, with the upstream's URI. */
  updated(params: JsonObject): void;
  /** Some of it may have been lost in a break. */
  missed(): void;
}

/** A caller's session in the hands of one call or one subscription, for as long as that lasts: dispose of it in every case. */
export interface CallerSession extends Disposable {
  readonly session: UpstreamSession;
  /** Aborts when the session takes nothing new any more, for whatever reason; what was sent may still be answered. */
  readonly over: AbortSignal;
  /** Lowers the session's log level where that is too high for a call; calls filter for themselves. Fails only when `signal` aborts. */
  wantLogs(level: LogLevel, signal: AbortSignal): Promise<void>;
  /** Returns the way to stop that. */
  follow(listener: ResourceListener): () => void;
  /** Says that the upstream has forgotten the session (`SessionLostError`): whoever asks next gets a new one. */
  lost(): void;
}

/** What a link tells its pool. */
export interface LinkEvents {
  /** See {@link SessionEvents}. */
  readonly changed: (list: ChangedList) => void;
  readonly closed: SessionEvents["closed"];
}

/** The session of one caller, and what goes back and forth between it and the client besides calls. */
export class CallerLink {
  readonly caller: Caller;
  /** Aborted when the link takes nothing new any more. */
  readonly over = new AbortController();
  /** What the upstream says, from the first moment on. */
  readonly events: SessionEvents;
  /** Calls and subscriptions that have it, those that wait for it to open included. */
  uses = 0;
  /** Those of them that only want to hear of changes. */
  watches = 0;
  /** A call has used it, and it was still there afterwards. */
  hasCarried = false;
  readonly #listeners = new Set<ResourceListener>();
  #session: UpstreamSession | undefined;
  #level: LogLevel | undefined;
  #sentLevel: LogLevel | undefined;
  #sending: Promise<void> = Promise.resolve();
  #isTellingRoots = false;
  #haveRootsChanged = false;
  #unfollow: (() => void) | undefined;

  constructor(caller: Caller, { changed, closed }: LinkEvents) {
    this.caller = caller;
    const { home } = caller;
    this.events = {
      changed,
      closed,
      updated: (params) => {
        for (const listener of [...this.#listeners]) listener.updated(params);
      },
      missed: () => {
        for (const listener of [...this.#listeners]) listener.missed();
      },
      asked: async (method, params, signal) => {
        if (home !== undefined) return home.ask(method, params, signal);
        throw new GatewayError("unsupported", "no client is there that could answer.");
      },
      told: (method, params) => {
        if (method !== "notifications/message" || isWanted(params["level"], home?.logLevel())) {
          home?.notify(method, params);
        }
      },
    };
  }

  /** Ready for calls; absent: not yet. */
  get session(): UpstreamSession | undefined {
    return this.#session;
  }

  /** Takes the session up: the upstream hears what the client wants, now and whenever that changes. */
  async begin(session: UpstreamSession, signal: AbortSignal): Promise<void> {
    this.#session = session;
    const { home, capabilities } = this.caller;
    const level = home?.logLevel();
    if (level !== undefined) await this.#setLevel(level, signal);
    this.#unfollow = home?.follow((change) => {
      if (change === "log-level") {
        const wanted = home.logLevel();
        if (wanted !== undefined) void this.#setLevel(wanted, this.over.signal).catch(() => {});
      } else if (capabilities["roots"] !== undefined && session.agreement.era === "legacy") {
        this.#haveRootsChanged = true;
        void this.#tellRoots(session);
      }
    });
    // It may have ended before.
    if (this.over.signal.aborted) this.end(this.over.signal.reason);
  }

  /** Nobody is given it any more. Call it once or more. */
  end(reason: unknown): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
    if (!this.over.signal.aborted) this.over.abort(reason);
  }

  follow(listener: ResourceListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async wantLogs(level: LogLevel, signal: AbortSignal): Promise<void> {
    if (this.#level !== undefined && isWanted(level, this.#level)) await unlessAborted(signal, this.#sending);
    else await this.#setLevel(level, signal);
  }

  /** One after the other, so that the last one that was wanted is the one that holds. */
  async #setLevel(level: LogLevel, signal: AbortSignal): Promise<void> {
    const session = this.#session;
    if (session?.agreement.era !== "legacy" || !("logging" in session.agreement.capabilities)) return;
    if (this.#level !== level) {
      this.#level = level;
      this.#sending = this.#sending.then(() => this.#sendLevel(session));
    }
    await unlessAborted(signal, this.#sending);
  }

  /** What was wanted before the last one is not sent any more: a client may change its mind faster than an upstream takes that. */
  async #sendLevel(session: UpstreamSession): Promise<void> {
    const level = this.#level;
    if (level === undefined || level === this.#sentLevel) return;
    this.#sentLevel = level;
    await this.#note((within) => session.request("logging/setLevel", { level }, { signal: within }));
  }

  /** Once at a time: what changes meanwhile is told once more. */
  async #tellRoots(session: UpstreamSession): Promise<void> {
    if (this.#isTellingRoots) return;
    this.#isTellingRoots = true;
    while (this.#haveRootsChanged) {
      this.#haveRootsChanged = false;
      await this.#note((within) => session.notify("notifications/roots/list_changed", {}, within));
    }
    this.#isTellingRoots = false;
  }

  /** What no call depends on: an upstream that refuses it or is away shows that at the next call. */
  async #note(send: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const within = AbortSignal.any([this.over.signal, AbortSignal.timeout(noteMilliseconds)]);
    await send(within).catch(() => {});
  }
}
