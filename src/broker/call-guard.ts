import { createCallScheduler } from "../limits/call-scheduler.ts";
import { createCircuitBreakers } from "../limits/circuit-breaker.ts";
import type { LimitsConfig, ProviderLimits } from "../model/limits.ts";
import { type CallCounter, createCallCounter } from "./count-calls.ts";
import type { Interceptor } from "./interceptor.ts";
import { breaker, refuseOpen } from "./interceptors/breaker.ts";
import { deadline } from "./interceptors/deadline.ts";
import { keepAlive } from "./interceptors/keep-alive.ts";
import { places } from "./interceptors/places.ts";

/** What calls are kept within. */
export interface CallGuardParts {
  /** As of now. */
  readonly limits: () => Pick<LimitsConfig, "calls" | "rates">;
  /** Those of a provider, as of now; `undefined`: there is no such provider any more. */
  readonly provider: (name: string) => CallLimitsOfProvider | undefined;
  /** Milliseconds of a clock that never goes back. Default: this machine's. */
  readonly now?: () => number;
}

type CallLimitsOfProvider = Pick<ProviderLimits, "concurrency" | "callMilliseconds" | "breaker">;

/** What the broker needs to keep calls within their limits. */
export interface CallGuard {
  readonly count: CallCounter;
  readonly interceptors: readonly Interceptor[];
}

/** How often callers are told that their call is still under way. */
const keepAliveMilliseconds = 5_000;

/** For calls of a provider that a reload has just taken away. */
const ofNoProvider: CallLimitsOfProvider = {
  concurrency: 1,
  callMilliseconds: 60_000,
  breaker: { failures: 0, pauseMilliseconds: 0 },
};

/**
 * Keeps calls within their limits: counts them, gives each a place for as long as it runs, keeps them from upstreams that fail, and ends
 * those that take too long. The time of a call begins when it has its place; from the beginning on its caller hears that it is under way.
 */
export function createCallGuard(parts: CallGuardParts): CallGuard {
  const { limits, now = () => performance.now() } = parts;
  const of = (provider: string): CallLimitsOfProvider => parts.provider(provider) ?? ofNoProvider;
  const calls = (): LimitsConfig["calls"] => limits().calls;
  const guarded = {
    breakers: createCircuitBreakers(now),
    settings: (provider: string) => of(provider).breaker,
    now,
  };
  return {
    count: createCallCounter(() => limits().rates, now),
    interceptors: [
      keepAlive(keepAliveMilliseconds),
      places({
        scheduler: createCallScheduler(calls),
        limits: calls,
        concurrency: (provider) => of(provider).concurrency,
        checkWorth: refuseOpen(guarded),
      }),
      breaker(guarded),
      deadline((provider) => of(provider).callMilliseconds),
    ],
  };
}
