import type { RequestObserver } from "./session-events.ts";

/** Most notifications, or questions, that are passed on in one period, which is far more than a client shows anybody. */
const mostPerPeriod = 1_000;
const periodMilliseconds = 10_000;

/** Makes the count of what one upstream may say: true for the first 1,000 in each 10 s. */
export function createQuota(): () => boolean {
  let since = Number.NEGATIVE_INFINITY;
  let count = 0;
  return () => {
    const now = performance.now();
    if (now - since >= periodMilliseconds) {
      since = now;
      count = 0;
    }
    count += 1;
    return count <= mostPerPeriod;
  };
}

/** Passes as many on as there may be, and drops the rest: an upstream must not flood its caller. */
export function limit<Parts extends readonly unknown[]>(
  listener: (...parts: Parts) => void,
): (...parts: Parts) => void {
  const mayPass = createQuota();
  return (...parts) => {
    if (mayPass()) listener(...parts);
  };
}

/** An observer that hears of so much progress and so many log messages, and no more. */
export function limitObserver(observer: RequestObserver): RequestObserver {
  return {
    progress: limit((params) => observer.progress(params)),
    log: limit((params) => observer.log(params)),
    ask: (method, params, signal) => observer.ask(method, params, signal),
    pause: (milliseconds) => observer.pause?.(milliseconds),
  };
}
