import type { Console } from "./console.ts";
import { exitCodes } from "./exit-codes.ts";

/** Aborts on SIGTERM or SIGINT; a second one ends the process at once. SIGHUP reloads. */
export function listenToSignals(reload: () => void, console: Console): AbortSignal {
  const stop = new AbortController();
  const onStop = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(exitCodes.failed);
    console.say(`${signal}: stopping; calls that run may finish (once more to stop at once).`);
    stop.abort();
  };
  process.on("SIGTERM", onStop);
  process.on("SIGINT", onStop);
  process.on("SIGHUP", reload);
  return stop.signal;
}

/** Resolves once the signal has aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
