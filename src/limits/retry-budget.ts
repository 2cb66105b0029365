/** How often the calls of one provider may be repeated. */
export interface RetryBudget {
  /** Counts a call of a tenant. */
  called(tenant: string): void;
  /** Takes a repetition of a tenant's call; false: there is none left for it. */
  take(tenant: string): boolean;
}

/** What one tenant has done in a window. */
interface Counts {
  calls: number;
  repetitions: number;
}

/** The time that is counted over, in ms. */
const windowMilliseconds = 10_000;
/** Repetitions in that time that are there for a tenant with few calls, as long as all such tenants together do not take more than that. */
const alwaysAllowed = { tenant: 10, all: 20 };
/** Tenants that are counted apart in a window; further ones count as one. */
const mostTenants = 10_000;

/**
 * Makes the budget of one provider: repetitions may be a part of its calls, and ten in ten seconds at any rate. An upstream in trouble
 * is then asked little more often than one that is well.
 *
 * Each tenant's repetitions come out of its own calls, so that one whose calls fail takes none from another; what tenants with few calls
 * have beyond that is bounded for all of them together.
 *
 * What was ten to twenty seconds ago counts less and less: two windows stand for the one that slides.
 *
 * @param share 0 to 1.
 * @param now milliseconds of a clock that never goes back.
 */
export function createRetryBudget(share: number, now: () => number): RetryBudget {
  let begun = now();
  let before = new Map<string, Counts>();
  let current = new Map<string, Counts>();
  /** Repetitions that came out of nobody's calls. */
  let beyond = { before: 0, now: 0 };

  const slide = (): number => {
    const passed = Math.floor((now() - begun) / windowMilliseconds);
    if (passed > 0) {
      begun += passed * windowMilliseconds;
      before = passed === 1 ? current : new Map();
      beyond = { before: passed === 1 ? beyond.now : 0, now: 0 };
      current = new Map();
    }
    return 1 - (now() - begun) / windowMilliseconds;
  };

  const keyOf = (tenant: string): string => (current.size < mostTenants || current.has(tenant) ? tenant : "");

  const countsOf = (key: string): Counts => {
    let counts = current.get(key);
    if (counts === undefined) {
      counts = { calls: 0, repetitions: 0 };
      current.set(key, counts);
    }
    return counts;
  };

  return {
    called(tenant) {
      slide();
      countsOf(keyOf(tenant)).calls += 1;
    },
    take(tenant) {
      const weight = slide();
      const key = keyOf(tenant);
      const own = countsOf(key);
      const was = before.get(key);
      const repeated = (was?.repetitions ?? 0) * weight + own.repetitions;
      const calls = (was?.calls ?? 0) * weight + own.calls;
      if (repeated + 1 > share * calls) {
        if (repeated + 1 > alwaysAllowed.tenant) return false;
        if (beyond.before * weight + beyond.now + 1 > alwaysAllowed.all) return false;
        beyond.now += 1;
      }
      own.repetitions += 1;
      return true;
    },
  };
}
