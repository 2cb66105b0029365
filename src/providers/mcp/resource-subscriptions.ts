import type { Subscription } from "../../broker/executor.ts";
import { GatewayError } from "../../errors.ts";
import { asObject } from "../../json-object.ts";
import type { JsonObject } from "../../model/json.ts";
import { waitFor, withJitter } from "../wait.ts";
import { CallDeadline } from "./call-deadline.ts";
import type { Caller, CallerSession } from "./caller-session.ts";
import type { CallerSessions } from "./caller-sessions.ts";
import { followChanges } from "./follow-changes.ts";
import { SessionLostError } from "./transport.ts";
import { unlessAborted } from "./unless-aborted.ts";
import type { BaseSession } from "./upstream.ts";
import type { UpstreamSession } from "./upstream-session.ts";

const maxPerCaller = 200;
const maxInAll = 2_000;

/** What subscriptions are made with. */
export interface SubscriptionParts {
  /** The session for all callers; `undefined`: each has its own. Throws while the server is away. */
  readonly base: () => BaseSession | undefined;
  readonly sessions: CallerSessions;
  /** First and longest pause before a broken subscription is set up again, in ms. */
  readonly pauses: { readonly first: number; readonly longest: number };
  /** How long the server may take to answer, in ms. */
  readonly patience: number;
}

type Listener = (params: JsonObject) => void;

/** One resource that one caller wants to hear of, whoever and however many they are that listen. */
interface Watch {
  readonly caller: Caller;
  /** As the upstream knows it. */
  readonly uri: string;
  readonly listeners: Set<Listener>;
  readonly ending: AbortController;
  /** Aborts when nobody listens any more, or the client is gone. */
  readonly over: AbortSignal;
  /** Settles when the upstream has answered for the first time. */
  readonly first: PromiseWithResolvers<void>;
  isBroken: boolean;
}

/**
 * Subscriptions to resources at one upstream, with one credential: one for each caller and resource, however many listen. Those that
 * break are set up again, and who listens is told that something may have changed meanwhile.
 */
export class ResourceSubscriptions {
  readonly #parts: SubscriptionParts;
  readonly #watches = new Map<string, Watch>();
  /** By the same key: what is still being ended, which a new one waits for. */
  readonly #ending = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the upstream has taken the subscription. Throws `unsupported` where it has none, `overloaded` where there are too
   * many (200 of one caller, 2,000 in all), and what the upstream answers. `signal` bounds the wait alone.
   */
  async subscribe(
    caller: Caller,
    uri: string,
    updated: Listener,
    signal: AbortSignal,
  ): Promise<Subscription> {
    signal.throwIfAborted();
    this.#checkRoom(caller);
    const key = JSON.stringify([caller.key, uri]);
    const watch = this.#watches.get(key) ?? this.#begin(key, caller, uri);
    // Each subscription is one of its own, also where two have the same listener.
    const listener: Listener = (params) => updated(params);
    watch.listeners.add(listener);
    const end = (): void => {
      watch.listeners.delete(listener);
      if (watch.listeners.size === 0) this.#end(key, watch);
    };
    try {
      await unlessAborted(signal, watch.first.promise);
    } catch (error) {
      end();
      throw error;
    }
    return { end };
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.#closing.abort(new GatewayError("cancelled", "The provider was closed."));
    for (const [key, watch] of [...this.#watches]) this.#end(key, watch);
    await Promise.all([...this.#ending.values()]);
  }

  #checkRoom(caller: Caller): void {
    if (this.#closing.signal.aborted) throw this.#closing.signal.reason;
    let own = 0;
    let all = 0;
    for (const watch of this.#watches.values()) {
      all += watch.listeners.size;
      if (watch.caller.key === caller.key) own += watch.listeners.size;
    }
    if (own < maxPerCaller && all < maxInAll) return;
    throw new GatewayError(
      "overloaded",
      own < maxPerCaller
        ? "The MCP server's resources have too many subscribers. Try again later."
        : `This client is subscribed to ${own} resources of the MCP server, and that is as many as it may be. End some of them first.`,
      { retryable: own < maxPerCaller },
    );
  }

  #begin(key: string, caller: Caller, uri: string): Watch {
    const ending = new AbortController();
    const gone = caller.home?.gone;
    const watch: Watch = {
      caller,
      uri,
      listeners: new Set(),
      ending,
      over: gone === undefined ? ending.signal : AbortSignal.any([ending.signal, gone]),
      first: Promise.withResolvers(),
      isBroken: false,
    };
    // Whoever waits hears of the failure; maybe nobody waits any more.
    watch.first.promise.catch(() => {});
    this.#watches.set(key, watch);
    const before = this.#ending.get(key) ?? Promise.resolve();
    const running: Promise<void> = before
      .then(() => this.#keep(watch))
      .then(() => {
        if (this.#watches.get(key) === watch) this.#watches.delete(key);
        if (this.#ending.get(key) === running) this.#ending.delete(key);
      });
    this.#ending.set(key, running);
    return watch;
  }

  #end(key: string, watch: Watch): void {
    if (this.#watches.get(key) === watch) this.#watches.delete(key);
    watch.ending.abort(new GatewayError("cancelled", "The subscription was ended."));
  }

  /** Sets the subscription up, and again whenever it breaks. Never rejects. */
  async #keep(watch: Watch): Promise<void> {
    const { first, longest } = this.#parts.pauses;
    const { over } = watch;
    let pause = first;
    while (!over.aborted) {
      const started = performance.now();
      try {
        await this.#hold(watch);
      } catch (error) {
        if (!watch.isBroken) {
          watch.first.reject(error);
          return;
        }
      }
      if (over.aborted) break;
      watch.isBroken = true;
      pause = performance.now() - started > longest ? first : Math.min(pause * 2, longest);
      await waitFor(withJitter(pause), over);
    }
    watch.first.reject(over.reason);
  }

  /** Subscribes, and resolves once the session is over or nobody listens any more. */
  async #hold(watch: Watch): Promise<void> {
    const base = this.#parts.base();
    if (base !== undefined) return this.#listen(base.session, base.over, watch);
    try {
      await this.#holdOwn(watch);
    } catch (error) {
      // The session was forgotten before the upstream looked at the request.
      if (!(error instanceof SessionLostError)) throw error;
      await this.#holdOwn(watch);
    }
  }

  async #holdOwn(watch: Watch): Promise<void> {
    using held = await this.#inTime(watch, (signal) =>
      this.#parts.sessions.obtain(watch.caller, signal, watch.isBroken ? "renewal" : "subscription"),
    );
    const { session, over } = held;
    if (session.agreement.era === "modern") return await this.#listen(session, over, watch);
    if (asObject(session.agreement.capabilities["resources"])?.["subscribe"] !== true) throw unsupported();
    await this.#subscribe(held, watch);
  }

  /** MCP up to 2025-11-25: a request begins it, another one ends it. */
  async #subscribe(held: CallerSession, watch: Watch): Promise<void> {
    const { session } = held;
    const { uri } = watch;
    const unfollow = held.follow({
      updated: (params) => {
        if (concerns(params["uri"], uri)) tell(watch, params);
      },
      missed: () => tell(watch, { uri }),
    });
    try {
      await this.#inTime(watch, (signal) => session.request("resources/subscribe", { uri }, { signal }));
      establish(watch);
      await aborted(AbortSignal.any([held.over, watch.over]));
    } catch (error) {
      if (error instanceof SessionLostError) held.lost();
      throw error;
    } finally {
      unfollow();
    }
    // With the session the subscription ends by itself.
    if (held.over.aborted || this.#closing.signal.aborted) return;
    const signal = AbortSignal.any([AbortSignal.timeout(this.#parts.patience), this.#closing.signal]);
    // Whatever comes of it, nobody waits for it any more.
    await session.request("resources/unsubscribe", { uri }, { signal }).catch(() => {});
  }

  async #inTime<T>({ over }: Watch, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limits = { idle: this.#parts.patience, longest: this.#parts.patience };
    using deadline = new CallDeadline(over, limits, "The resource is not subscribed to.");
    return await work(deadline.signal);
  }

  /** MCP 2026-07-28: a stream of its own, for as long as it is wanted. */
  async #listen(session: UpstreamSession, over: AbortSignal, watch: Watch): Promise<void> {
    const { uri } = watch;
    let isRefused = false;
    const slow = new AbortController();
    const impatience = setTimeout(() => slow.abort(), this.#parts.patience);
    await followChanges(session, {
      notifications: { resourceSubscriptions: [uri] },
      wishes: [uri],
      granted: ({ resourceSubscriptions }) =>
        Array.isArray(resourceSubscriptions) && resourceSubscriptions.includes(uri) ? [uri] : [],
      refused: () => {
        isRefused = true;
      },
      opened: () => {
        clearTimeout(impatience);
        establish(watch);
      },
      updated: (params) => tell(watch, params),
      mayHaveChanged: () => tell(watch, { uri }),
      signal: AbortSignal.any([over, watch.over, slow.signal]),
    });
    clearTimeout(impatience);
    if (isRefused) throw unsupported();
    if (slow.signal.aborted) {
      throw new GatewayError("timed_out", "The MCP server did not take the subscription in time.", {
        retryable: true,
      });
    }
  }
}

function establish(watch: Watch): void {
  watch.first.resolve();
  if (watch.isBroken) tell(watch, { uri: watch.uri });
}

function tell({ listeners }: Watch, params: JsonObject): void {
  for (const listener of [...listeners]) listener(params);
}

/** What is updated may also be a part of the resource (MCP 2025-11-25, `ResourceUpdatedNotification`). */
function concerns(updated: JsonObject[string] | undefined, uri: string): boolean {
  if (typeof updated !== "string" || !updated.startsWith(uri)) return false;
  return updated === uri || uri.endsWith("/") || /^[/?#]/.test(updated.slice(uri.length));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function unsupported(): GatewayError {
  return new GatewayError("unsupported", "The MCP server has no subscriptions to this resource.");
}
