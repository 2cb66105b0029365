import { setImmediate } from "node:timers/promises";

/** Milliseconds after which long work lets calls in progress have their turn. */
const longestTurn = 10;

/** Makes the function that long work awaits between its steps: it lets other work of the thread go first, when it is time. */
export function shareThread(): () => Promise<void> {
  let start = performance.now();
  return async () => {
    if (performance.now() - start < longestTurn) return;
    await setImmediate();
    start = performance.now();
  };
}
