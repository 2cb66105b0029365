import { networkOf } from "../identity/sign-in-limits.ts";
import { createAttemptLimiter } from "../limits/attempt-limiter.ts";

/** How many questions may begin: each is stored for minutes, and anybody can begin one. */
export interface QuestionLimits {
  /** Counts one more of an address. `undefined`: it may begin; else the milliseconds until the next one may. */
  take(address: string): number | undefined;
  /** Nothing was stored in the end, so that it takes no place from others. */
  giveBack(): void;
}

/** Authorization requests of one network: so many at once, five more each second. */
const perNetwork = { attempts: 600, refill: 200 };
/** Questions of all together: so many at once, and as many again in the ten minutes that each is kept. */
const together = { attempts: 10_000, refill: 60 };

/** Makes them. What they remember is bounded. */
export function createQuestionLimits(now: () => number): QuestionLimits {
  const networks = createAttemptLimiter(perNetwork, now);
  const all = createAttemptLimiter(together, now);
  return {
    take: (address) => networks.take(networkOf(address)) ?? all.take(""),
    giveBack: () => all.giveBack(""),
  };
}
