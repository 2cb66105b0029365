import { setTimeout as pause } from "node:timers/promises";
import { isBusy } from "./describe-failure.ts";

const longestPause = 20;

/**
 * Tries again while another connection has the lock, for so many milliseconds. The first attempt is made before this returns.
 *
 * SQLite would wait by itself, but on the thread that serves everybody; it is given {@link lockPatience} for the usual case.
 */
export async function retryWhileBusy<Result>(
  attempt: () => Result | Promise<Result>,
  milliseconds: number,
): Promise<Result> {
  const lastStart = performance.now() + milliseconds;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= lastStart) {
        throw error;
      }
    }
    await pause(Math.random() * longestPause);
  }
}

/** How long SQLite itself waits for a lock, holding the thread, in ms. Most are held for less: one small transaction. */
export const lockPatience = 10;
