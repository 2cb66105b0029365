/** When a breaker opens, and for how long. */
export interface BreakerSettings {
  /** Failures in a row; 0: it never opens. */
  readonly failures: number;
  /** Until one call may try again; twice as long after that has failed, which is a minute at most. */
  readonly pauseMilliseconds: number;
}

/** A call that may not be made now. */
export interface BreakerRefusal {
  readonly kind: "open";
  /** Until one may try. */
  readonly milliseconds: number;
  /** How the last one failed. */
  readonly reason: string;
}

/** What a call came to: `nothing` says neither that the upstream is there nor that it is not. */
export type BreakerOutcome = "answered" | "nothing" | { readonly failed: string };

/** Keeps calls from upstreams that fail one after the other. */
export interface CircuitBreakers {
  /** Asks to make a call; of one that is let through, `settle` has to be told what it came to. `trial`: it tries whether all is well again. */
  enter(key: string, settings: BreakerSettings): "closed" | "trial" | BreakerRefusal;
  /** The refusal that a call would meet now, without asking to make one; `undefined`: none. */
  look(key: string, settings: BreakerSettings): BreakerRefusal | undefined;
  settle(key: string, settings: BreakerSettings, entered: "closed" | "trial", outcome: BreakerOutcome): void;
}

/** One upstream whose last call has failed. */
interface Breaker {
  failures: number;
  reason: string;
  /** When it may be tried again; `undefined`: it is closed. */
  until: number | undefined;
  pause: number;
}

const longestPause = 60_000;
const mostBreakers = 10_000;

/**
 * Makes breakers, each with a name. Of an upstream that answers nothing is kept, so that calls to it cost nothing; of more than 10,000
 * that fail, those that failed first are forgotten.
 *
 * A trial that takes longer than the pause does not keep another one from trying.
 *
 * @param now milliseconds of a clock that never goes back.
 */
export function createCircuitBreakers(now: () => number): CircuitBreakers {
  const breakers = new Map<string, Breaker>();

  const look = (key: string, { failures }: BreakerSettings): BreakerRefusal | undefined => {
    if (breakers.size === 0 || failures === 0) return undefined;
    const breaker = breakers.get(key);
    if (breaker?.until === undefined) return undefined;
    const milliseconds = breaker.until - now();
    return milliseconds > 0 ? { kind: "open", milliseconds, reason: breaker.reason } : undefined;
  };

  /** Failures of calls that began before it opened say nothing new. */
  const fail = (
    key: string,
    settings: BreakerSettings,
    entered: "closed" | "trial",
    reason: string,
  ): void => {
    const breaker = breakers.get(key) ?? { failures: 0, reason, until: undefined, pause: 0 };
    breaker.reason = reason;
    breaker.failures += 1;
    if (breaker.until === undefined) {
      if (breaker.failures >= settings.failures) {
        breaker.pause = settings.pauseMilliseconds;
        breaker.until = now() + breaker.pause;
      }
    } else if (entered === "trial") {
      breaker.pause = nextPause(settings);
      breaker.until = now() + breaker.pause;
    }
    breakers.set(key, breaker);
    if (breakers.size > mostBreakers) {
      const [oldest] = breakers.keys();
      if (oldest !== undefined) breakers.delete(oldest);
    }
  };

  return {
    look,
    enter(key, settings) {
      if (breakers.size === 0 || settings.failures === 0) return "closed";
      const refusal = look(key, settings);
      if (refusal !== undefined) return refusal;
      const breaker = breakers.get(key);
      if (breaker?.until === undefined) return "closed";
      breaker.until = now() + breaker.pause;
      return "trial";
    },
    settle(key, settings, entered, outcome) {
      if (outcome === "answered") {
        if (breakers.size > 0) breakers.delete(key);
        return;
      }
      if (settings.failures === 0) return;
      if (outcome !== "nothing") return fail(key, settings, entered, outcome.failed);
      const breaker = breakers.get(key);
      // Whoever comes next may try in its place.
      if (entered === "trial" && breaker?.until !== undefined) breaker.until = now();
    },
  };
}

/** An upstream that is well again is found out within twice the usual pause. */
function nextPause({ pauseMilliseconds }: BreakerSettings): number {
  return Math.max(pauseMilliseconds, Math.min(pauseMilliseconds * 2, longestPause));
}
