/** How many attempts one key has. */
export interface AttemptLimits {
  /** At once, after a pause. */
  readonly attempts: number;
  /** Milliseconds until there is one more. */
  readonly refill: number;
  /** Keys that are remembered; of more, those that were used longest ago are forgotten. 10,000 by default. */
  readonly keys?: number;
}

/** Counts attempts by key: a bucket of tokens each, full in the beginning. */
export interface AttemptLimiter {
  /** Takes an attempt. `undefined`: it may be made; else the milliseconds until the next one may be. */
  take(key: string): number | undefined;
  /** Gives an attempt back that should not count. */
  giveBack(key: string): void;
}

interface Bucket {
  left: number;
  at: number;
}

/** Makes a limiter. `now` in milliseconds; steps of the clock backwards give nobody anything. */
export function createAttemptLimiter(limits: AttemptLimits, now: () => number): AttemptLimiter {
  const { attempts, refill, keys = 10_000 } = limits;
  const buckets = new Map<string, Bucket>();

  function bucketOf(key: string): Bucket {
    const time = now();
    const known = buckets.get(key);
    const bucket = known ?? { left: attempts, at: time };
    bucket.left = Math.min(attempts, bucket.left + Math.max(0, time - bucket.at) / refill);
    bucket.at = time;
    // The map's order is that of the last use.
    buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size > keys) {
      const [oldest] = buckets.keys();
      if (oldest !== undefined) buckets.delete(oldest);
    }
    return bucket;
  }

  return {
    take(key) {
      const bucket = bucketOf(key);
      if (bucket.left < 1) return Math.ceil((1 - bucket.left) * refill);
      bucket.left -= 1;
      return undefined;
    },
    giveBack(key) {
      const bucket = bucketOf(key);
      bucket.left += 1;
      // A full one is as good as none, and takes no place from those that say something.
      if (bucket.left >= attempts) buckets.delete(key);
    },
  };
}
