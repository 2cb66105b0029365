import { asObject } from "../../json-object.ts";
import type { JsonObject } from "../../model/json.ts";
import { waitFor, withJitter } from "../wait.ts";
import { UpstreamRefusal } from "./transport.ts";
import type { UpstreamSession } from "./upstream-session.ts";

const shortestPauseMilliseconds = 1_000;
const longestPauseMilliseconds = 60_000;

/**
 * Keeps a `subscriptions/listen` stream open (MCP 2026-07-28) as long as `signal` lets it; the session tells of what comes
 * on it. After each break `mayHaveChanged` is called, since what the upstream said meanwhile is lost. An upstream that
 * refuses the stream, or grants it without changes of the tools, is left in peace.
 */
export async function followChanges(
  session: UpstreamSession,
  mayHaveChanged: () => void,
  signal: AbortSignal,
): Promise<void> {
  let pause = shortestPauseMilliseconds;
  const refused = new AbortController();
  const acknowledged = (params: JsonObject): void => {
    const { notifications } = params;
    if (asObject(notifications)?.["toolsListChanged"] !== true) refused.abort();
  };
  const options = { signal: AbortSignal.any([signal, refused.signal]), acknowledged };
  for (;;) {
    const started = performance.now();
    try {
      await session.request("subscriptions/listen", { notifications: { toolsListChanged: true } }, options);
    } catch (error) {
      if (options.signal.aborted || error instanceof UpstreamRefusal) return;
    }
    const lasted = performance.now() - started;
    pause = lasted > longestPauseMilliseconds ? shortestPauseMilliseconds : pause * 2;
    if (!(await waitFor(withJitter(Math.min(pause, longestPauseMilliseconds)), signal))) return;
    mayHaveChanged();
  }
}
