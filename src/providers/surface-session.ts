import type { Executor } from "../broker/executor.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { GatewayError } from "../errors.ts";
import type { ProviderConfig, SurfaceConfig } from "../model/config.ts";
import { type GivenCredential, isCredentialGone } from "./credential-source.ts";
import { exposeOpen } from "./expose-open.ts";
import { openedWith } from "./opening-of.ts";
import type { OpenSurface, ProviderContext, SurfaceChange } from "./provider-kind.ts";
import type { Exposed, SurfaceStatus } from "./surface-status.ts";
import { createUses } from "./uses.ts";
import { settledWithin, waitFor } from "./wait.ts";

/** First and longest pause between two attempts to reach an upstream, in ms. */
export interface RetryPauses {
  readonly first: number;
  readonly longest: number;
}

/** What the session of a surface needs of the outside. */
export interface SurfaceSessionParts {
  readonly openSurface: (
    surface: SurfaceConfig,
    provider: ProviderConfig,
    context: ProviderContext,
  ) => Promise<OpenSurface>;
  readonly context: Omit<ProviderContext, "signal">;
  /** Called whenever its status is another. */
  readonly onChange: () => void;
  /** `undefined`: one attempt. */
  readonly retry: RetryPauses | undefined;
  /** What the log calls it, besides its kind; default nothing. */
  readonly label?: string;
  /** Gives what is kept already in place of equal tools, so that they are kept once. */
  readonly share?: (exposed: Exposed) => Exposed;
  /** How long what it last had is shown while its upstream is away, in ms; default an hour. */
  readonly staleMilliseconds?: number | undefined;
  /** Called when its credential can't be used any more. */
  readonly onGone?: (error: GatewayError) => void;
}

/** How long calls may go on with a session whose credential is gone, in ms: what they asked for was asked while it was there. */
const finishMilliseconds = 5_000;
const usualStaleMilliseconds = 3_600_000;

/**
 * The life of one surface with one credential: opens it, tries again where its upstream is away, follows what that changes, closes it.
 * What it had stays shown while nothing is open because nobody needs it, and for a limited time while its upstream is away.
 */
export class SurfaceSession {
  readonly surface: SurfaceConfig;
  readonly #provider: ProviderConfig;
  readonly #parts: SurfaceSessionParts;
  readonly #uses = createUses();
  /** Work in the background, which closing waits for. */
  readonly #running = new Set<Promise<unknown>>();
  #status: SurfaceStatus = { state: "starting" };
  /** Ends what was begun by the last opening. */
  #life = new AbortController();
  #opening: Promise<void> | undefined;
  #lost: GatewayError | undefined;
  #isResting = false;
  #isRetrying = false;
  /** Runs while what is shown is what an upstream that is away last had. */
  #staleTimer: NodeJS.Timeout | undefined;
  readonly #closing = new AbortController();

  constructor(surface: SurfaceConfig, provider: ProviderConfig, parts: SurfaceSessionParts) {
    this.surface = surface;
    this.#provider = provider;
    this.#parts = parts;
  }

  get status(): SurfaceStatus {
    return this.#status;
  }

  /** Why its credential can't be used any more; `undefined`: it can, as far as known. */
  get lost(): GatewayError | undefined {
    return this.#lost;
  }

  /** True while nothing is open because nobody needed it. */
  get isResting(): boolean {
    return this.#isResting;
  }

  /** True while a call or a subscription is under way, or it is being opened, which somebody may wait for. */
  get isBusy(): boolean {
    return this.#uses.isBusy || this.#opening !== undefined;
  }

  /**
   * Does not open it, because it can't be opened now or by itself.
   *
   * @param awaits see `SurfaceSummary.awaits`.
   */
  disable(reason: string, awaits?: string): void {
    this.#status = { state: "disabled", reason, awaits };
  }

  /**
   * Opens it unless it is open; resolves once that was tried, whether it came up or not. One that waits for its next attempt is left to
   * wait.
   */
  ensure(): Promise<void> {
    if (this.#closing.signal.aborted || this.#isRetrying || "open" in this.#status) return Promise.resolve();
    this.#opening ??= this.#begin();
    return this.#opening;
  }

  /** Closes what is open, and ends attempts; what it had stays shown. Calls that run may finish for a while. */
  rest(): void {
    const status = this.#status;
    this.#end();
    this.#isResting = true;
    if (!("exposed" in status)) return;
    const { state, exposed } = status;
    this.#set({ state, exposed, reason: "reason" in status ? status.reason : undefined });
    if ("open" in status) this.#retire(status.open);
  }

  /** The executor of what is open; `undefined` while nothing is. */
  executor(): Executor | undefined {
    return "open" in this.#status ? this.#uses.count(this.#status.open.executor) : undefined;
  }

  /** Lets calls that run finish for at most `graceMilliseconds`, then ends attempts, connections and processes. */
  async close(graceMilliseconds: number): Promise<void> {
    const { calls } = this.#uses;
    if (calls.length > 0) await settledWithin(calls, graceMilliseconds);
    this.#closing.abort();
    this.#end();
    this.#uses.endSubscriptions();
    clearTimeout(this.#staleTimer);
    const status = this.#status;
    await Promise.allSettled([...("open" in status ? [status.open.close()] : []), ...this.#running]);
  }

  #end(): void {
    this.#life.abort();
    this.#opening = undefined;
    this.#isRetrying = false;
  }

  #begin(): Promise<void> {
    this.#life = new AbortController();
    this.#isResting = false;
    const { signal } = this.#life;
    const first = this.#attempt(signal).then((retryable) => {
      if (signal.aborted) return;
      this.#opening = undefined;
      if (!retryable || this.#parts.retry === undefined) return;
      this.#isRetrying = true;
      this.#track(this.#keepTrying(this.#parts.retry, signal));
    });
    this.#track(first);
    return first;
  }

  async #keepTrying(retry: RetryPauses, signal: AbortSignal): Promise<void> {
    let pause = retry.first;
    while (await waitFor(pause, signal)) {
      if (!(await this.#attempt(signal))) break;
      pause = Math.min(pause * 2, retry.longest);
    }
    if (!signal.aborted) this.#isRetrying = false;
  }

  /** Opens the surface once; true when it is worth another attempt. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { context } = this.#parts;
    let open: OpenSurface;
    try {
      open = await this.#parts.openSurface(this.surface, this.#provider, {
        ...context,
        credential: (connection) => this.#guard(context.credential(connection), signal),
        signal,
      });
    } catch (error) {
      if (signal.aborted) return false;
      if (isCredentialGone(error)) {
        this.#loseCredential(error);
        return false;
      }
      this.#fail(describe(error), error);
      return error instanceof GatewayError;
    }
    if (signal.aborted) {
      await open.close();
      return false;
    }
    try {
      await this.#arrive(open, signal);
    } catch (error) {
      await open.close();
      this.#fail(describe(error), error);
    }
    return false;
  }

  /** The same credential; that it is gone is noticed wherever it is asked for. */
  #guard(given: GivenCredential, signal: AbortSignal): GivenCredential {
    if (!("current" in given)) return given;
    const notice = <Value>(asked: Promise<Value>): Promise<Value> =>
      asked.catch((error: unknown) => {
        if (!signal.aborted && isCredentialGone(error) && "open" in this.#status) this.#loseCredential(error);
        throw error;
      });
    return {
      current: (asked) => notice(given.current(asked)),
      renew: (...refused) => notice(given.renew(...refused)),
    };
  }

  /** Nothing is asked of the upstream any more. Where somebody has to connect anew, its tools stay, so that calls can say so. */
  #loseCredential(error: GatewayError): void {
    const status = this.#status;
    this.#end();
    this.#lost = error;
    const reason = error.message;
    const isKept = error.code === "reconnect_required" && "exposed" in status;
    this.#set(
      isKept
        ? { state: "stale", exposed: status.exposed, reason }
        : { state: "disabled", reason, awaits: openedWith(this.surface) },
    );
    if ("open" in status) {
      this.#log(`is closed: ${reason}`);
      this.#retire(status.open);
    }
    this.#parts.onGone?.(error);
  }

  #retire(open: OpenSurface): void {
    this.#uses.endSubscriptions();
    const finished = settledWithin(this.#uses.calls, finishMilliseconds, this.#closing.signal);
    this.#track(finished.then(() => open.close()));
  }

  async #arrive(open: OpenSurface, signal: AbortSignal): Promise<void> {
    const broken = open.diagnostics.find((diagnostic) => diagnostic.severity === "error");
    if (broken !== undefined && open.operations.length === 0) {
      this.#set({
        state: "unavailable",
        reason: broken.message,
        diagnostics: open.diagnostics,
        files: open.files ?? [],
      });
      await open.close();
      return;
    }
    const wasAway = this.#status.state === "unavailable" || this.#status.state === "stale";
    const exposed = await this.#expose(open);
    if (signal.aborted) {
      await open.close();
      return;
    }
    this.#lost = undefined;
    this.#set({ state: "ready", open, exposed });
    if (wasAway) this.#log(`is here, with ${exposed.tools.length} tools.`);
    this.#follow(open, signal);
  }

  /** Takes over what the upstream changes: one change after the other, because exposing a large one takes several turns. */
  #follow(open: OpenSurface, signal: AbortSignal): void {
    let last = Promise.resolve();
    open.watch?.((change) => {
      last = last
        .then(() => this.#take(open, change, signal))
        .catch((error: unknown) =>
          this.#log("has changed, which an internal error kept from being shown.", error),
        );
    });
  }

  async #take(open: OpenSurface, change: SurfaceChange, signal: AbortSignal): Promise<void> {
    const status = this.#status;
    if (signal.aborted || !("open" in status)) return;
    if (change.kind === "lost") {
      this.#set({ ...status, state: "stale", reason: change.reason });
      if (status.state !== "stale") this.#log(`is away: ${change.reason}`);
      return;
    }
    const { operations, diagnostics, features = status.open.features } = change;
    const current = { ...open, operations, diagnostics, ...(features && { features }) };
    const exposed = await this.#expose(current);
    if (signal.aborted) return;
    this.#set({ state: "ready", open: current, exposed });
    if (status.state === "stale") this.#log("is back.");
  }

  /** An upstream that can't be reached. Attempts that fail alike are told once. */
  #fail(reason: string, cause: unknown): void {
    const before = this.#status;
    if ("reason" in before && before.reason === reason && before.state !== "disabled") return;
    this.#log(`is not available: ${reason}`, cause);
    if ("exposed" in before) {
      this.#set({ state: "stale", exposed: before.exposed, reason });
      return;
    }
    this.#set({ state: "unavailable", reason, diagnostics: [this.#describeAbsence(reason)] });
  }

  #describeAbsence(reason: string): Diagnostic {
    const message = `Provider \`${this.#provider.name}\` (${this.surface.kind}) is not available: ${reason}`;
    return { severity: "error", code: "provider-unavailable", message, place: this.surface.place };
  }

  async #expose(open: OpenSurface): Promise<Exposed> {
    const exposed = await exposeOpen(this.#provider, this.surface, open);
    return this.#parts.share?.(exposed) ?? exposed;
  }

  #set(status: SurfaceStatus): void {
    this.#status = status;
    if (status.state !== "stale" || this.#lost !== undefined) {
      clearTimeout(this.#staleTimer);
      this.#staleTimer = undefined;
    } else {
      const limit = this.#parts.staleMilliseconds ?? usualStaleMilliseconds;
      this.#staleTimer ??= setTimeout(() => this.#giveUpStale(), limit).unref();
    }
    this.#parts.onChange();
  }

  /** What an upstream had that has been away for so long is shown no more; it is looked for like one that was never there. */
  #giveUpStale(): void {
    const status = this.#status;
    this.#staleTimer = undefined;
    if (status.state !== "stale") return;
    this.#log("has been away for so long that its tools are not offered any more.");
    const { reason = "its upstream is away." } = status;
    this.#set({ state: "unavailable", reason, diagnostics: [this.#describeAbsence(reason)] });
    if (!("open" in status)) return;
    this.#end();
    this.#retire(status.open);
    void this.ensure();
  }

  #track(work: Promise<unknown>): void {
    const tracked: Promise<unknown> = work.then(
      () => this.#running.delete(tracked),
      () => this.#running.delete(tracked),
    );
    this.#running.add(tracked);
  }

  #log(message: string, cause?: unknown): void {
    const { label } = this.#parts;
    const name = label === undefined ? this.surface.kind : `${this.surface.kind}, ${label}`;
    this.#parts.context.log(`Provider ${this.#provider.name} (${name}) ${message}`, cause);
  }
}

function describe(error: unknown): string {
  return error instanceof GatewayError
    ? error.message
    : "An internal error occurred; its cause is in the log.";
}
