/** Waits; false when `signal` ended the wait. */
export function waitFor(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(false);
      return;
    }
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve(true);
    }, milliseconds);
    const stop = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** A pause of between half and all of `milliseconds`, so that many who wait do not come back at one time. */
export function withJitter(milliseconds: number): number {
  return milliseconds * (0.5 + Math.random() / 2);
}

/** Waits until all of `promises` have ended in some way, or the time is over, or `signal` ends the wait. */
export async function settledWithin(
  promises: readonly Promise<unknown>[],
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const either = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  await Promise.race([Promise.allSettled(promises), waitFor(milliseconds, either)]);
  over.abort();
}
