const quietMilliseconds = 300_000;
/** So many different complaints are remembered. */
const mostKept = 100;

/** A log that takes the same line with the same cause once in five minutes: whatever fails may fail at every request. */
export function complainOnce(
  log: (message: string, cause: unknown) => void,
  now: () => number,
): (message: string, cause: unknown) => void {
  const told = new Map<string, number>();
  return (message, cause) => {
    const key = `${message} ${String(cause)}`;
    const time = now();
    const before = told.get(key);
    // The clock may be set back.
    if (before !== undefined && Math.abs(time - before) < quietMilliseconds) return;
    told.delete(key);
    told.set(key, time);
    const [oldest] = told.keys();
    if (told.size > mostKept && oldest !== undefined) told.delete(oldest);
    log(message, cause);
  };
}
