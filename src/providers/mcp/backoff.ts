/** Pauses after failures, in ms: each twice the one before. */
export interface Pauses {
  readonly first: number;
  readonly longest: number;
}

/** After each failure a longer pause, until something has gone well or nothing has gone wrong for a while. */
export class Backoff {
  readonly #pauses: Pauses;
  readonly #now: () => number;
  #pause = 0;
  #until = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds of a clock that never goes back. */
  constructor(pauses: Pauses, now: () => number) {
    this.#pauses = pauses;
    this.#now = now;
  }

  /** True as long as nothing is to be tried again. */
  get pauses(): boolean {
    return this.#now() < this.#until;
  }

  /** Something went wrong; what goes wrong during a pause was begun before it, and does not make it longer. */
  failed(): void {
    if (this.pauses) return;
    const { first, longest } = this.#pauses;
    const isLongAgo = this.#now() > this.#until + longest;
    this.#pause = isLongAgo ? first : Math.min(this.#pause * 2, longest);
    this.#until = this.#now() + this.#pause;
  }

  /** Something went well. */
  succeeded(): void {
    this.#pause = 0;
    this.#until = Number.NEGATIVE_INFINITY;
  }
}
