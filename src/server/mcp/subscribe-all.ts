import type { Subscription } from "../../broker/executor.ts";

/** So many are under way at a time. */
const lanes = 8;

/**
 * Subscribes to many resources, a few at a time. Gives those that were there in time; what comes too late is ended.
 *
 * @param subscribe `undefined`: it is refused. Never throws.
 */
export async function subscribeAll(
  uris: readonly string[],
  signal: AbortSignal,
  milliseconds: number,
  subscribe: (uri: string, signal: AbortSignal) => Promise<Subscription | undefined>,
): Promise<ReadonlyMap<string, Subscription>> {
  const subscribed = new Map<string, Subscription>();
  if (uris.length === 0) return subscribed;
  const over = new AbortController();
  const stop = (): void => over.abort();
  const timer = setTimeout(stop, milliseconds);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const isOver = new Promise<void>((resolve) => {
    over.signal.addEventListener("abort", () => resolve(), { once: true });
    if (over.signal.aborted) resolve();
  });
  const waiting = [...uris];
  const lane = async (): Promise<void> => {
    for (let uri = waiting.shift(); uri !== undefined && !over.signal.aborted; uri = waiting.shift()) {
      const subscription = await subscribe(uri, over.signal);
      if (subscription === undefined) continue;
      if (over.signal.aborted) subscription.end();
      else subscribed.set(uri, subscription);
    }
  };
  await Promise.race([isOver, Promise.all(Array.from({ length: lanes }, lane))]);
  clearTimeout(timer);
  signal.removeEventListener("abort", stop);
  return subscribed;
}
