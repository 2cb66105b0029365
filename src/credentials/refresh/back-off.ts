import { BoundedMap } from "../../limits/bounded-map.ts";
import type { StoredCredential } from "../credential-store.ts";
import { keyOfReference } from "../owner.ts";
import type { RefreshTimings } from "./timings.ts";

/** An attempt that failed, and what callers are told until the next one. */
export interface FailedAttempt {
  readonly reason: string;
  readonly retryable: boolean;
}

/** Remembers which credentials are not to be refreshed again yet. */
export interface BackOff {
  /** The last failure while its pause lasts; `undefined`: an attempt may be made. */
  pausing(credential: StoredCredential): FailedAttempt | undefined;
  /** Whether an attempt with this very grant has failed in this process, however long ago. */
  hasFailed(credential: StoredCredential): boolean;
  failed(credential: StoredCredential, failure: FailedAttempt, retryAfter: number | undefined): void;
  succeeded(credential: StoredCredential): void;
}

interface Entry {
  readonly version: number;
  readonly obtainedAt: number;
  readonly failure: FailedAttempt;
  readonly attempts: number;
  readonly since: number;
  readonly until: number;
}

const mostRemembered = 10_000;

/** Pauses that double, each shortened by up to half at random; a pause that the server asks for is kept to, within bounds. */
export function createBackOff(options: {
  readonly now: () => number;
  readonly random: () => number;
  readonly timings: RefreshTimings;
}): BackOff {
  const { now, random, timings } = options;
  const entries = new BoundedMap<Entry>(mostRemembered);

  const find = (credential: StoredCredential): Entry | undefined => {
    const entry = entries.get(keyOfReference(credential.reference));
    const { version, obtainedAt } = credential;
    return entry?.version === version && entry.obtainedAt === obtainedAt ? entry : undefined;
  };

  return {
    pausing(credential) {
      const entry = find(credential);
      // A clock that was set back to before the failure would make the pause as long as the step.
      const isPausing = entry !== undefined && now() >= entry.since && now() < entry.until;
      return isPausing ? entry.failure : undefined;
    },
    hasFailed: (credential) => find(credential) !== undefined,
    failed(credential, failure, retryAfter) {
      const { firstBackOff, longestBackOff, longestRetryAfter } = timings;
      const attempts = (find(credential)?.attempts ?? 0) + 1;
      const doubled = Math.min(firstBackOff * 2 ** Math.min(attempts - 1, 30), longestBackOff);
      const asked = Math.min(Math.max(retryAfter ?? 0, 0), longestRetryAfter);
      const since = now();
      const until = since + Math.max(doubled * (1 - random() / 2), asked);
      const { version, obtainedAt } = credential;
      const entry = { version, obtainedAt, failure, attempts, since, until };
      entries.set(keyOfReference(credential.reference), entry);
    },
    succeeded: ({ reference }) => entries.delete(keyOfReference(reference)),
  };
}
