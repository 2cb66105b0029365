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

/** A bucket by what it lacks of being full, in the milliseconds that filling it takes: those are added and taken without rounding. */
interface Bucket {
  lacking: number;
  at: number;
}

/** Sums of intervals that are no whole milliseconds are a little off. */
const tolerance = 1e-6;

/** Makes a limiter. `now` in milliseconds; steps of the clock backwards give nobody anything. */
export function createAttemptLimiter(limits: AttemptLimits, now: () => number): AttemptLimiter {
  const { attempts, refill, keys = 10_000 } = limits;
  const most = attempts * refill + tolerance;
  const buckets = new Map<string, Bucket>();

  function bucketOf(key: string): Bucket {
    const time = now();
    const bucket = buckets.get(key) ?? { lacking: 0, at: time };
    bucket.lacking = Math.max(0, bucket.lacking - Math.max(0, time - bucket.at));
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
      const wait = bucket.lacking + refill - most;
      if (wait > 0) return Math.ceil(wait);
      bucket.lacking += refill;
      return undefined;
    },
    giveBack(key) {
      const bucket = bucketOf(key);
      bucket.lacking -= refill;
      // A full one is as good as none, and takes no place from those that say something.
      if (bucket.lacking <= tolerance) buckets.delete(key);
    },
  };
}
