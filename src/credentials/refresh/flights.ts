/** Work under way, at most one piece of it per key, whoever asks. */
export class Flights<Result> {
  readonly #flights = new Map<string, Promise<Result>>();
  readonly #tails = new Set<Promise<void>>();

  /** How many there are. */
  get size(): number {
    return this.#flights.size;
  }

  /** Joins the one that is under way, or begins it. Who joins and leaves ends nothing. */
  join(key: string, begin: () => Promise<Result>): Promise<Result> {
    const known = this.#flights.get(key);
    if (known !== undefined) return known;
    const flight = begin().finally(() => this.#flights.delete(key));
    // Everybody who waits may have left; what went wrong is told by the work itself then.
    flight.catch(() => undefined);
    this.#flights.set(key, flight);
    return flight;
  }

  /** Has {@link Flights.settled} wait for something that outlives its flight. */
  follow(tail: Promise<void>): void {
    const followed = tail.finally(() => this.#tails.delete(followed));
    this.#tails.add(followed);
  }

  /** Once nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.#flights.size + this.#tails.size > 0) {
      await Promise.allSettled([...this.#flights.values(), ...this.#tails]);
    }
  }
}

/** Waits for a promise as long as the signal allows; the work behind it goes on. Throws the signal's reason. */
export async function waitFor<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Milliseconds of rest; throws the signal's reason when it is cut short. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, milliseconds);
  try {
    await waitFor(over.promise, signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for a promise that never fails, so many milliseconds at most. */
export async function within(milliseconds: number, promise: Promise<void>): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, milliseconds);
  await Promise.race([promise, over.promise]);
  clearTimeout(timer);
}
