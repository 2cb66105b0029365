import { isDeepStrictEqual } from "node:util";
import { GatewayError } from "../../errors.ts";
import { asObject } from "../../json-object.ts";
import type { JsonObject } from "../../model/json.ts";
import type { SurfaceChange } from "../provider-kind.ts";
import { waitFor, withJitter } from "../wait.ts";
import { CallDeadline, type CallLimits } from "./call-deadline.ts";
import { callUpstreamTool, type ToolCall, unlessAborted } from "./call-upstream-tool.ts";
import type { CompiledTools } from "./compile.ts";
import { fetchTools, type ListedTools } from "./fetch-tools.ts";
import { followChanges } from "./follow-changes.ts";
import { SessionLostError, UpstreamRefusal } from "./transport.ts";
import type { SessionEvents, UpstreamSession } from "./upstream-session.ts";

/** How long things may take, and how long to wait before doing them again; all in ms. */
export interface UpstreamTimings {
  readonly call: CallLimits;
  /** For the handshake, and again for the list of tools. */
  readonly opening: number;
  /** Pauses between attempts to reach an upstream that has gone away: each is twice the one before. */
  readonly reconnect: { readonly first: number; readonly longest: number };
  /**
   * How long to wait for further changes before the tools are listed again: each time twice as long, until an upstream has
   * been quiet for `quiet`.
   */
  readonly settle: { readonly first: number; readonly longest: number; readonly quiet: number };
}

/** What an upstream is opened with. */
export interface UpstreamParts {
  readonly provider: string;
  readonly timings: UpstreamTimings;
  /** Opens a new session that is ready for calls. */
  readonly connect: (events: SessionEvents, signal: AbortSignal) => Promise<UpstreamSession>;
  readonly compile: (list: ListedTools) => CompiledTools;
  /** The error of a failed opening, as the operator should read it. */
  readonly describe: (error: unknown) => GatewayError;
  readonly log: (message: string, cause?: unknown) => void;
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
 * The life of one upstream MCP server: a session, the tools it lists, a new session when the old one is gone.
 *
 * While the server is away its tools stay as they were, and calls fail at once. Whether it is away is found out by asking for
 * its tools, whatever it was that made one doubt.
 */
export class McpUpstream {
  readonly #parts: UpstreamParts;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(change: SurfaceChange) => void>();
  readonly #running = new Set<Promise<unknown>>();
  #link: Link | undefined;
  #compiled: CompiledTools = { operations: [], diagnostics: [] };
  #lostReason = "it was not opened yet.";
  #replacing: Promise<Link> | undefined;
  #pause: number;
  #settle: number;
  #refreshed = Number.NEGATIVE_INFINITY;
  #refreshTimer: NodeJS.Timeout | undefined;
  #refreshing = false;
  #refreshAgain = false;

  constructor(parts: UpstreamParts) {
    this.#parts = parts;
    this.#pause = parts.timings.reconnect.first;
    this.#settle = parts.timings.settle.first;
  }

  /** What the server offers, as last known. */
  get compiled(): CompiledTools {
    return this.#compiled;
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

  /**
   * Calls a tool. When the server has forgotten the session, which it says before it looks at the call, the call is made once
   * more in a new one.
   */
  async callTool(call: ToolCall): Promise<JsonObject> {
    const link = this.#link;
    if (link === undefined) throw this.#unavailable();
    try {
      return await callUpstreamTool(link.session, call, this.#parts.timings.call);
    } catch (error) {
      if (error instanceof SessionLostError) {
        const fresh = await unlessAborted(call.signal, this.#replace(link));
        return await callUpstreamTool(fresh.session, call, this.#parts.timings.call);
      }
      if (isDoubtful(error)) this.#refreshSoon();
      throw error;
    }
  }

  /** True when calls are made in the modern era over HTTP, where some arguments travel as headers too. */
  get mirrorsParameters(): boolean {
    const session = this.#link?.session;
    return session?.transport === "streamable-http" && session.agreement.era === "modern";
  }

  /** Ends session, process and attempts. */
  async close(): Promise<void> {
    this.#closing.abort(new GatewayError("cancelled", "The provider was closed."));
    this.#lostReason = "it was closed.";
    clearTimeout(this.#refreshTimer);
    const link = this.#link;
    this.#link = undefined;
    link?.over.abort();
    await Promise.allSettled([link?.session.close(), ...this.#running]);
  }

  async #establish(replaces: boolean): Promise<void> {
    const { link, hasChanged } = await this.#open(replaces);
    try {
      this.#compiled = await this.#list(link.session);
    } catch (error) {
      link.over.abort();
      await link.session.close();
      throw error;
    }
    if (link.over.signal.aborted) throw link.over.signal.reason;
    this.#adopt(link);
    // It may have changed after it was read.
    if (hasChanged()) this.#refreshSoon();
  }

  /** Opens a session. Its end is noticed from the first moment on, also before the link is the current one. */
  async #open(replaces: boolean): Promise<{ readonly link: Link; readonly hasChanged: () => boolean }> {
    const over = new AbortController();
    using deadline = this.#openingDeadline();
    let link: Link | undefined;
    let changed = false;
    const session = await this.#parts.connect(
      {
        toolsChanged: () => {
          changed = true;
          if (link !== undefined && this.#link === link) this.#refreshSoon();
        },
        closed: (reason) => {
          over.abort(reason);
          if (link !== undefined && this.#link === link) this.#leave(link, reason);
        },
      },
      deadline.signal,
    );
    link = { session, over, since: performance.now(), replaces };
    return { link, hasChanged: () => changed };
  }

  #adopt(link: Link): void {
    this.#link = link;
    const { agreement } = link.session;
    if (agreement.era === "modern" && asObject(agreement.capabilities["tools"])?.["listChanged"] === true) {
      this.#run(followChanges(link.session, () => this.#refreshSoon(), link.over.signal));
    }
  }

  async #list(session: UpstreamSession): Promise<CompiledTools> {
    using deadline = this.#openingDeadline();
    return this.#parts.compile(await fetchTools(session, deadline.signal));
  }

  #openingDeadline(): CallDeadline {
    const { opening } = this.#parts.timings;
    return new CallDeadline(this.#closing.signal, { idle: opening, longest: opening }, "It is tried again.");
  }

  /** A session that the server has forgotten is replaced in silence; any other end is a loss. */
  #leave(link: Link, reason: Error): void {
    if (reason instanceof SessionLostError) this.#run(this.#replace(link));
    else this.#lose(link, reason);
  }

  /** A new session in place of `stale`; all who find it stale share one attempt. */
  #replace(stale: Link): Promise<Link> {
    const current = this.#link;
    if (current !== undefined && current !== stale) return Promise.resolve(current);
    if (current === undefined) return Promise.reject(this.#unavailable());
    // A server that forgets one session after the other is not given them faster and faster.
    if (stale.replaces && !this.#hasLasted(stale)) this.#lose(stale, new SessionLostError());
    if (this.#link === undefined) return Promise.reject(this.#unavailable());
    if (this.#replacing === undefined) {
      this.#replacing = this.#reopen(stale).finally(() => {
        this.#replacing = undefined;
      });
      this.#run(this.#replacing);
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
    this.#run(this.#retire(stale));
    this.#adopt(link);
    this.#refreshSoon();
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
    this.#run(link.session.close().then(() => this.#reconnect()));
  }

  async #reconnect(): Promise<void> {
    const { longest } = this.#parts.timings.reconnect;
    while (await waitFor(withJitter(this.#pause), this.#closing.signal)) {
      this.#pause = Math.min(this.#pause * 2, longest);
      try {
        await this.#establish(true);
        this.#tell({ kind: "operations", ...this.#compiled });
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

  /** Lists the tools again, after a moment in which further changes may come; one list at a time. */
  #refreshSoon(): void {
    if (this.#closing.signal.aborted || this.#link === undefined) return;
    if (this.#refreshing) {
      this.#refreshAgain = true;
      return;
    }
    this.#refreshTimer ??= setTimeout(() => {
      this.#refreshTimer = undefined;
      this.#refreshed = performance.now();
      this.#run(this.#refresh());
    }, this.#nextSettle());
  }

  /** An upstream whose list changes all the time is listed ever more seldom: everybody is told of each change. */
  #nextSettle(): number {
    const { first, longest, quiet } = this.#parts.timings.settle;
    const isQuiet = performance.now() - this.#refreshed > quiet;
    this.#settle = isQuiet ? first : Math.min(this.#settle * 2, longest);
    return this.#settle;
  }

  async #refresh(): Promise<void> {
    const link = this.#link;
    if (link === undefined) return;
    this.#refreshing = true;
    try {
      const compiled = await this.#list(link.session);
      if (this.#link === link) this.#update(compiled);
    } catch (error) {
      if (this.#link !== link || this.#closing.signal.aborted) return;
      if (error instanceof SessionLostError || isRefusedByHttp(error)) this.#run(this.#replace(link));
      else if (error instanceof GatewayError) this.#lose(link, error);
      else
        this.#parts.log(`The tools could not be listed again: ${this.#parts.describe(error).message}`, error);
    } finally {
      this.#refreshing = false;
      if (this.#refreshAgain) {
        this.#refreshAgain = false;
        this.#refreshSoon();
      }
    }
  }

  #update(compiled: CompiledTools): void {
    const same = isDeepStrictEqual(compiled, this.#compiled);
    this.#compiled = compiled;
    if (!same) this.#tell({ kind: "operations", ...compiled });
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
  #run(work: Promise<unknown>): void {
    const tracked: Promise<unknown> = work.then(
      () => this.#running.delete(tracked),
      () => this.#running.delete(tracked),
    );
    this.#running.add(tracked);
  }
}

/** After such a failure of a call the server, or the session, may be gone. */
function isDoubtful(error: unknown): boolean {
  if (error instanceof GatewayError) return error.code === "upstream_failed" || error.code === "timed_out";
  return isRefusedByHttp(error);
}

/** Some servers answer 400 where a session is unknown; a new one shows whether it is that. Being asked too often is not. */
function isRefusedByHttp(error: unknown): boolean {
  return error instanceof UpstreamRefusal && error.status !== undefined && error.status !== 429;
}
