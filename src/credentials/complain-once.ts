import { BoundedMap } from "./bounded-map.ts";

/** The same complaint is told once in this time: whatever fails may fail at every call, and for everybody. */
const quietMilliseconds = 300_000;
const mostComplaints = 100;

/** A log that does not say the same thing with the same cause again and again. */
export function complainOnce(
  log: (message: string, cause?: unknown) => void,
  now: () => number,
): (message: string, cause: unknown) => void {
  const told = new BoundedMap<number>(mostComplaints);
  return (message, cause) => {
    const key = `${message} ${String(cause)}`;
    const before = told.get(key);
    // The clock may be set back.
    if (before !== undefined && Math.abs(now() - before) < quietMilliseconds) return;
    told.set(key, now());
    log(message, cause);
  };
}
