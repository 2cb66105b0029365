import { GatewayError } from "../errors.ts";
import type { Derive } from "./password-hash.ts";

/** Each takes 19 MiB and one of the four threads that Node has for files too. */
const atOnce = 2;
const mostWaiting = 32;

/**
 * Lets so many hashes be made at once and so many wait; more of them reject with `overloaded`, so that a storm of sign-ins takes
 * neither memory nor threads from calls.
 */
export function limitHashing(derive: Derive): Derive {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (...work) => {
    if (running >= atOnce) {
      if (waiting.length >= mostWaiting) {
        throw new GatewayError(
          "overloaded",
          "Too many sign-ins wait at the moment. Try again in a few seconds.",
          {
            retryable: true,
          },
        );
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await derive(...work);
    } finally {
      // The place is handed on, so that nobody who comes meanwhile takes it from who waits.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
