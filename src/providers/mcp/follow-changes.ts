import type { Session } from "./session.ts";
import { Refusal } from "./transport.ts";
import { waitFor, withJitter } from "./wait.ts";

const shortestPauseMilliseconds = 1_000;
const longestPauseMilliseconds = 60_000;

/**
 * Keeps a `subscriptions/listen` stream open (MCP 2026-07-28) as long as `signal` lets it; the session tells of what comes
 * on it. After each break `mayHaveChanged` is called, since what the upstream said meanwhile is lost. An upstream that
 * refuses the stream is left in peace.
 */
export async function followChanges(
  session: Session,
  mayHaveChanged: () => void,
  signal: AbortSignal,
): Promise<void> {
  let pause = shortestPauseMilliseconds;
  for (;;) {
    const started = performance.now();
    try {
      await session.request(
        "subscriptions/listen",
        { notifications: { toolsListChanged: true } },
        { signal },
      );
    } catch (error) {
      if (signal.aborted || error instanceof Refusal) return;
    }
    const lasted = performance.now() - started;
    pause = lasted > longestPauseMilliseconds ? shortestPauseMilliseconds : pause * 2;
    if (!(await waitFor(withJitter(Math.min(pause, longestPauseMilliseconds)), signal))) return;
    mayHaveChanged();
  }
}
