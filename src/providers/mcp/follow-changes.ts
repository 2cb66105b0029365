import { asObject } from "../../json-object.ts";
import type { JsonObject } from "../../model/json.ts";
import { waitFor, withJitter } from "../wait.ts";
import { SessionLostError, UpstreamRefusal } from "./transport.ts";
import type { UpstreamSession } from "./upstream-session.ts";

const shortestPauseMilliseconds = 1_000;
const longestPauseMilliseconds = 60_000;

/** What a stream of changes is opened for. */
export interface FollowParts<Wish> {
  /** What the stream is asked for: the `notifications` of the request. */
  readonly notifications: JsonObject;
  /** Those of the wishes that the upstream grants, by the `notifications` of its acknowledgement. */
  readonly granted: (notifications: JsonObject) => readonly Wish[];
  readonly wishes: readonly Wish[];
  /** Hears, for each stream that is taken, what the upstream does not grant; the stream ends where that is all. */
  readonly refused: (wishes: readonly Wish[]) => void;
  /** The stream stands. */
  readonly opened?: () => void;
  /** Hears of changed resources, where they are what it is about. */
  readonly updated?: (params: JsonObject) => void;
  /** What the upstream said meanwhile is lost: called after each break, when the stream stands again. */
  readonly mayHaveChanged: () => void;
  readonly signal: AbortSignal;
}

/**
 * Keeps a `subscriptions/listen` stream open (MCP 2026-07-28) as long as its signal lets it; the session tells of what comes on it. An
 * upstream that refuses the stream, or grants none of the wishes, is left in peace.
 */
export async function followChanges<Wish>(session: UpstreamSession, parts: FollowParts<Wish>): Promise<void> {
  const { signal, wishes } = parts;
  let pause = shortestPauseMilliseconds;
  let broken = false;
  const ended = new AbortController();
  const acknowledged = (params: JsonObject): void => {
    const granted = parts.granted(asObject(params["notifications"]) ?? {});
    const refused = wishes.filter((wish) => !granted.includes(wish));
    if (refused.length > 0) parts.refused(refused);
    if (granted.length === 0) {
      ended.abort();
      return;
    }
    parts.opened?.();
    if (broken) parts.mayHaveChanged();
  };
  const options = {
    signal: AbortSignal.any([signal, ended.signal]),
    acknowledged,
    ...(parts.updated && { updated: parts.updated }),
  };
  for (;;) {
    const started = performance.now();
    try {
      await session.request("subscriptions/listen", { notifications: parts.notifications }, options);
    } catch (error) {
      if (options.signal.aborted) return;
      if (error instanceof UpstreamRefusal || error instanceof SessionLostError) {
        parts.refused(wishes);
        if (broken) parts.mayHaveChanged();
        return;
      }
    }
    broken = true;
    const lasted = performance.now() - started;
    pause = lasted > longestPauseMilliseconds ? shortestPauseMilliseconds : pause * 2;
    if (!(await waitFor(withJitter(Math.min(pause, longestPauseMilliseconds)), signal))) return;
  }
}
