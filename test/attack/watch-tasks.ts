import { PerformanceObserver, performance } from "node:perf_hooks";

/** A task of this thread: what ran between two turns of its event loop. */
export interface LongestTask {
  /** CPU time in ms, pauses of the garbage collector included. */
  readonly milliseconds: number;
  /** The same without them: they come when memory is full, whoever is at work just then. */
  readonly withoutPauses: number;
}

interface Slice {
  readonly begin: number;
  readonly end: number;
  readonly milliseconds: number;
}

/** Shorter ones are of no interest. */
const leastNoted = 5;

/** Follows the tasks of this thread; `take` gives the longest one since it was last asked. */
export function watchTasks(): { readonly take: () => Promise<LongestTask> } {
  let slices: Slice[] = [];
  let pauses: { readonly startTime: number; readonly duration: number }[] = [];
  const observer = new PerformanceObserver((list) => pauses.push(...list.getEntries()));
  observer.observe({ entryTypes: ["gc"] });
  let begin = performance.now();
  let spent = threadMilliseconds();
  const turn = (): void => {
    const end = performance.now();
    const now = threadMilliseconds();
    if (now - spent >= leastNoted) slices.push({ begin, end, milliseconds: now - spent });
    spent = now;
    begin = end;
    setImmediate(turn);
  };
  setImmediate(turn);
  return {
    take: async () => {
      // What the observer is told comes a turn or two later.
      for (let waited = 0; waited < 3; waited += 1) await new Promise((resolve) => setImmediate(resolve));
      pauses.push(...observer.takeRecords());
      const taken = slices.map((slice) => ({
        milliseconds: slice.milliseconds,
        withoutPauses: slice.milliseconds - pausesWithin(slice, pauses),
      }));
      slices = [];
      pauses = [];
      return {
        milliseconds: Math.max(0, ...taken.map(({ milliseconds }) => milliseconds)),
        withoutPauses: Math.max(0, ...taken.map(({ withoutPauses }) => withoutPauses)),
      };
    },
  };
}

function pausesWithin(
  { begin, end }: Slice,
  pauses: readonly { readonly startTime: number; readonly duration: number }[],
): number {
  return pauses
    .filter(({ startTime }) => startTime >= begin && startTime < end)
    .reduce((sum, { duration }) => sum + duration, 0);
}

function threadMilliseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
