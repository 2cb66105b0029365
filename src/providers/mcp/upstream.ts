import { GatewayError } from "../../errors.ts";
import type { McpSurface } from "../../model/config.ts";
import type { SurfaceChange } from "../provider-kind.ts";
import { waitFor, withJitter } from "../wait.ts";
import { CallDeadline, type CallLimits } from "./call-deadline.ts";
import { isRefusedByHttp } from "./judge-failure.ts";
import { ListKeeper } from "./list-keeper.ts";
import { type ListKind, listsOf } from "./list-kinds.ts";
import type { Listing, Offer } from "./offered-lists.ts";
import type { RefreshTimings } from "./refresh-schedule.ts";
import type { ChangedList, SessionEvents } from "./session-events.ts";
import { SessionLostError, UpstreamRefusal } from "./transport.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/** How long things may take, and how long to wait before doing them again; all in ms. */
export interface UpstreamTimings extends RefreshTimings {
  readonly call: Pick<CallLimits, "longest">;
  /** For the handshake, and again for the lists. */
  readonly opening: number;
  /** Pauses between attempts to reach an upstream that has gone away: each is twice the one before. */
  readonly reconnect: { readonly first: number; readonly longest: number };
}

/** What an upstream is opened with. */
export interface UpstreamParts {
  readonly provider: string;
  readonly surface: McpSurface;
  readonly timings: UpstreamTimings;
  /** Opens a new session that is ready for requests, and declares everything that clients may be asked. */
  readonly connect: (events: SessionEvents, signal: AbortSignal) => Promise<UpstreamSession>;
  /** The error of a failed opening, as the operator should read it. */
  readonly describe: (error: unknown) => GatewayError;
  readonly log: (message: string, cause?: unknown) => void;
}

/** The session that lists, and where the server has no sessions, carries calls too. */
export interface BaseSession {
  readonly session: UpstreamSession;
  /** Aborts when another one takes its place, or none. */
  readonly over: AbortSignal;
}

/** A session and what lives as long as it. */
interface Link {
  readonly session: UpstreamSession;
  readonly over: AbortController;
  readonly since: number;
  /** It was opened in place of one that had gone. */
  readonly replaces: boolean;
}

/**
 * The life of one upstream MCP server, by its base session: what it lists, what it says of changes, a new session when the old one is
 * gone.
 *
 * While the server is away what it offers stays as it was, and calls fail at once. Whether it is away is found out by asking for
 * its tools, whatever it was that made one doubt.
 */
export class McpUpstream {
  readonly #parts: UpstreamParts;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(change: SurfaceChange) => void>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #lists: ListKeeper;
  #link: Link | undefined;
  #lostReason = "it was not opened yet.";
  #replacing: Promise<Link> | undefined;
  #pause: number;

  constructor(parts: UpstreamParts) {
    const { surface, describe, log, timings } = parts;
    this.#parts = parts;
    this.#pause = timings.reconnect.first;
    this.#lists = new ListKeeper({
      surface,
      timings,
      patience: timings.opening,
      refresh: (kinds) => this.#run(this.#refresh(kinds)),
      describe,
      log,
    });
  }

  /** What the server offers, as last known. */
  get offer(): Offer {
    return this.#lists.offer;
  }

  /** The base session; throws `provider_unavailable` while the server is away. */
  get base(): BaseSession {
    if (this.#link === undefined) throw this.#unavailable();
    const { session, over } = this.#link;
    return { session, over: over.signal };
  }

  /** Connects and lists for the first time; fails with `provider_unavailable`. */
  async start(signal: AbortSignal): Promise<void> {
    const giveUp = (): void => this.#closing.abort(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      await this.#establish(false);
    } catch (error) {
      await this.close();
      throw this.#parts.describe(error);
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  watch(listener: (change: SurfaceChange) => void): void {
    this.#listeners.add(listener);
  }

  /** The session in place of a base session that the server has forgotten; throws `provider_unavailable` where there is none. */
  async renew(stale: UpstreamSession): Promise<UpstreamSession> {
    const link = this.#link;
    if (link === undefined) throw this.#unavailable();
    return link.session === stale
      ? (await this.#replace(link, new SessionLostError())).session
      : link.session;
  }

  /** Something makes one doubt whether the server is there: it is asked. */
  doubt(): void {
    this.#refreshSoon(["tools"]);
  }

  /** The server says in another session that its lists are others. */
  changed(list: ChangedList): void {
    this.#refreshSoon(listsOf(list));
  }

  /** Ends session, process and attempts. */
  async close(): Promise<void> {
    this.#closing.abort(new GatewayError("cancelled", "The provider was closed."));
    this.#lostReason = "it was closed.";
    this.#lists.close();
    const link = this.#link;
    this.#link = undefined;
    link?.over.abort();
    await Promise.allSettled([link?.session.close(), ...this.#running]);
  }

  async #establish(replaces: boolean): Promise<void> {
    const { link, changed } = await this.#open(replaces);
    let listing: Listing;
    try {
      listing = await this.#lists.fetch(link.session, this.#lists.kinds, this.#closing.signal);
    } catch (error) {
      link.over.abort();
      await link.session.close();
      throw error;
    }
    if (link.over.signal.aborted) throw link.over.signal.reason;
    this.#adopt(link);
    this.#lists.adopt(link.session, this.#lists.kinds, listing);
    // It may have changed after it was read.
    this.#refreshSoon([...changed]);
  }

  /** Opens a session. Its end is noticed from the first moment on, also before the link is the current one. */
  async #open(replaces: boolean): Promise<{ readonly link: Link; readonly changed: ReadonlySet<ListKind> }> {
    const over = new AbortController();
    using deadline = this.#openingDeadline();
    let link: Link | undefined;
    const changed = new Set<ListKind>();
    const mayHaveChanged = (kinds: readonly ListKind[]): void => {
      for (const kind of kinds) changed.add(kind);
      if (link !== undefined && this.#link === link) this.#refreshSoon(kinds);
    };
    const session = await this.#parts.connect(
      {
        changed: (list) => mayHaveChanged(listsOf(list)),
        missed: () => mayHaveChanged(this.#lists.kinds),
        // Who wants to hear of resources says so in a session of its own, or on a stream of its own.
        updated: () => {},
        told: () => {},
        asked: async (method) => {
          // Some servers ask before they list; there is nobody here who has any.
          if (method === "roots/list") return { roots: [] };
          throw new GatewayError("unsupported", "There is no client here that could be asked.");
        },
        closed: (reason) => {
          over.abort(reason);
          if (link !== undefined && this.#link === link) this.#leave(link, reason);
        },
      },
      deadline.signal,
    );
    link = { session, over, since: performance.now(), replaces };
    return { link, changed };
  }

  #adopt(link: Link): void {
    this.#link = link;
    void this.#run(this.#lists.follow(link.session, link.over.signal));
  }

  #openingDeadline(): CallDeadline {
    const { opening } = this.#parts.timings;
    return new CallDeadline(this.#closing.signal, { idle: opening, longest: opening }, "It is tried again.");
  }

  /** A session that the server has forgotten is replaced in silence; any other end is a loss. */
  #leave(link: Link, reason: Error): void {
    if (reason instanceof SessionLostError) void this.#run(this.#replace(link, reason));
    else this.#lose(link, reason);
  }

  /** A new session in place of `stale`; all who find it stale, for whatever reason, share one attempt. */
  #replace(stale: Link, reason: unknown): Promise<Link> {
    const current = this.#link;
    if (current !== undefined && current !== stale) return Promise.resolve(current);
    if (current === undefined) return Promise.reject(this.#unavailable());
    // A server that forgets one session after the other is not given them faster and faster.
    if (stale.replaces && !this.#hasLasted(stale)) this.#lose(stale, reason);
    if (this.#link === undefined) return Promise.reject(this.#unavailable());
    if (this.#replacing === undefined) {
      this.#replacing = this.#reopen(stale).finally(() => {
        this.#replacing = undefined;
      });
      void this.#run(this.#replacing);
    }
    return this.#replacing;
  }

  async #reopen(stale: Link): Promise<Link> {
    let link: Link;
    try {
      ({ link } = await this.#open(true));
    } catch (error) {
      this.#lose(stale, error);
      throw this.#unavailable();
    }
    if (this.#closing.signal.aborted || this.#link !== stale) {
      link.over.abort();
      await link.session.close();
      throw this.#unavailable();
    }
    void this.#run(this.#retire(stale));
    this.#adopt(link);
    this.#refreshSoon(this.#lists.kinds);
    return link;
  }

  /** Closes a session that was replaced, once the calls that it still carries have ended. */
  async #retire({ session, over }: Link): Promise<void> {
    over.abort();
    const idle = new AbortController();
    void session.idle().then(() => idle.abort());
    await waitFor(this.#parts.timings.call.longest, AbortSignal.any([idle.signal, this.#closing.signal]));
    await session.close();
  }

  #hasLasted({ since }: Link): boolean {
    return performance.now() - since > this.#parts.timings.reconnect.longest;
  }

  #lose(link: Link, reason: unknown): void {
    if (this.#link !== link || this.#closing.signal.aborted) return;
    this.#link = undefined;
    link.over.abort();
    // A server that ends right after each start is not started over and over at the shortest pace.
    if (this.#hasLasted(link)) this.#pause = this.#parts.timings.reconnect.first;
    const described = this.#parts.describe(reason);
    this.#lostReason = described.message;
    this.#tell({ kind: "lost", reason: described.message });
    void this.#run(link.session.close().then(() => this.#reconnect()));
  }

  async #reconnect(): Promise<void> {
    const { longest } = this.#parts.timings.reconnect;
    while (await waitFor(withJitter(this.#pause), this.#closing.signal)) {
      this.#pause = Math.min(this.#pause * 2, longest);
      try {
        await this.#establish(true);
        this.#tell({ kind: "operations", ...this.offer });
        return;
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        const { message } = this.#parts.describe(error);
        // Once for each reason, not once for each attempt.
        if (message !== this.#lostReason) this.#parts.log(message, error);
        this.#lostReason = message;
      }
    }
  }

  /** Lists again, after a moment in which further changes may come. */
  #refreshSoon(kinds: readonly ListKind[]): void {
    if (this.#closing.signal.aborted || this.#link === undefined) return;
    this.#lists.soon(kinds);
  }

  async #refresh(kinds: ReadonlySet<ListKind>): Promise<void> {
    const link = this.#link;
    if (link === undefined) return;
    try {
      if (kinds.has("tools") && !("tools" in link.session.agreement.capabilities))
        await this.#probe(link.session);
      const listing = await this.#lists.fetch(link.session, kinds, this.#closing.signal);
      if (this.#link !== link) return;
      if (this.#lists.adopt(link.session, kinds, listing)) this.#tell({ kind: "operations", ...this.offer });
    } catch (error) {
      if (this.#link !== link || this.#closing.signal.aborted) return;
      if (error instanceof SessionLostError || isRefusedByHttp(error)) {
        void this.#run(this.#replace(link, error));
      } else if (error instanceof GatewayError) this.#lose(link, error);
      else {
        this.#parts.log(`The tools could not be listed again: ${this.#parts.describe(error).message}`, error);
        this.#lists.adopt(link.session, kinds, {});
      }
    }
  }

  /** Asks a server that has no tools to list whether it is there. */
  async #probe(session: UpstreamSession): Promise<void> {
    using deadline = this.#openingDeadline();
    const method = session.agreement.era === "modern" ? "server/discover" : "ping";
    try {
      await session.request(method, {}, { signal: deadline.signal });
    } catch (error) {
      // An answer in the session, whatever it says, shows that both are there.
      if (!(error instanceof UpstreamRefusal) || error.status !== undefined) throw error;
    }
  }

  #tell(change: SurfaceChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #unavailable(): GatewayError {
    return new GatewayError(
      "provider_unavailable",
      `Provider \`${this.#parts.provider}\` is not available at the moment: ${this.#lostReason} Try again later.`,
      { retryable: true },
    );
  }

  /** Work in the background, which closing waits for. What it fails with was told where it failed. */
  #run(work: Promise<unknown>): Promise<void> {
    const tracked = work.then(
      () => {},
      () => {},
    );
    this.#running.add(tracked);
    return tracked.finally(() => this.#running.delete(tracked));
  }
}
