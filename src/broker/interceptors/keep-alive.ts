import type { Interceptor } from "../interceptor.ts";

/** Progress of a call of which nothing is known grows by so little that no upstream's own progress is ahead of it. */
const step = 0.001;

/**
 * Tells the client every `milliseconds` that its call is still under way, by a `notifications/progress` without token: clients
 * that asked for progress, and whatever is in between, then go on waiting. Never after the call's end.
 */
export function keepAlive(milliseconds: number): Interceptor {
  return async (invocation, tool, next) => {
    const name = invocation.method === undefined ? tool.name : tool.provider;
    let told = 0;
    const timer = setInterval(() => {
      if (invocation.signal.aborted) return;
      told += 1;
      invocation.peer.notify("notifications/progress", {
        progress: told * step,
        message: `Still waiting for \`${name}\`.`,
      });
    }, milliseconds);
    timer.unref();
    try {
      return await next(invocation);
    } finally {
      clearInterval(timer);
    }
  };
}
