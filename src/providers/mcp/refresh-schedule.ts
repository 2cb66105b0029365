import type { ListKind } from "./list-kinds.ts";

/** When lists are asked for again; all in ms. */
export interface RefreshTimings {
  /**
   * How long to wait for further changes before what has changed is listed again: each time twice as long, until an upstream has been
   * quiet for `quiet`.
   */
  readonly settle: { readonly first: number; readonly longest: number; readonly quiet: number };
  /** How long a list keeps of whose changes nobody tells: as long as the upstream says, but at least `least`; else `otherwise`. */
  readonly relist: { readonly least: number; readonly otherwise: number };
}

/** Lists again what has changed, after a moment in which further changes may come; one at a time. */
export class RefreshSchedule {
  readonly #timings: RefreshTimings;
  readonly #refresh: (kinds: ReadonlySet<ListKind>) => Promise<void>;
  readonly #timers = new Map<ListKind, NodeJS.Timeout>();
  #waiting = new Set<ListKind>();
  #settleTimer: NodeJS.Timeout | undefined;
  #settle: number;
  #last = Number.NEGATIVE_INFINITY;
  #refreshing = false;
  #closed = false;

  /** @param refresh lists these again; never rejects. */
  constructor(timings: RefreshTimings, refresh: (kinds: ReadonlySet<ListKind>) => Promise<void>) {
    this.#timings = timings;
    this.#refresh = refresh;
    this.#settle = timings.settle.first;
  }

  /** These may have changed. */
  soon(kinds: readonly ListKind[]): void {
    if (this.#closed) return;
    for (const kind of kinds) this.#waiting.add(kind);
    if (this.#refreshing || this.#waiting.size === 0) return;
    this.#settleTimer ??= setTimeout(() => {
      this.#settleTimer = undefined;
      this.#last = performance.now();
      void this.#run();
    }, this.#nextSettle());
  }

  /** Nobody tells when this list changes, so it is listed again by the clock. Call it after each listing. @param ttlMs see `Freshness`. */
  byClock(kind: ListKind, ttlMs: number): void {
    this.byItself(kind);
    if (this.#closed) return;
    const { least, otherwise } = this.#timings.relist;
    const timer = setTimeout(() => this.soon([kind]), ttlMs > 0 ? Math.max(ttlMs, least) : otherwise);
    // What nobody has asked for keeps no process alive.
    timer.unref();
    this.#timers.set(kind, timer);
  }

  /** The upstream tells when this list changes. */
  byItself(kind: ListKind): void {
    clearTimeout(this.#timers.get(kind));
    this.#timers.delete(kind);
  }

  /** Nothing is listed again any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#settleTimer);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** An upstream whose lists change all the time is listed ever more seldom: everybody is told of each change. */
  #nextSettle(): number {
    const { first, longest, quiet } = this.#timings.settle;
    const isQuiet = performance.now() - this.#last > quiet;
    this.#settle = isQuiet ? first : Math.min(this.#settle * 2, longest);
    return this.#settle;
  }

  async #run(): Promise<void> {
    const kinds = this.#waiting;
    this.#waiting = new Set();
    this.#refreshing = true;
    await this.#refresh(kinds);
    this.#refreshing = false;
    this.soon([]);
  }
}
