import { BoundedMap } from "../../limits/bounded-map.ts";
import type { CredentialReference } from "../../model/credential.ts";
import type { StoredCredential } from "../credential-store.ts";
import { keyOfReference } from "../owner.ts";

/** Remembers how upstreams have refused credentials since they last took them, in this process. */
export interface Refusals {
  /**
   * Counts one more; how many there are now in a row. Of callers that had the same version one counts where it can be refreshed, and else
   * one in three seconds: many who are refused at one moment tell no more than one of them does.
   */
  count(credential: StoredCredential, oncePerVersion: boolean): number;
  /** Told of what a refresh has brought. */
  refreshed(credential: StoredCredential): void;
  /** Whether this version was brought by a refresh just now, and nobody has taken it since. */
  isUntried(credential: StoredCredential): boolean;
  accepted(reference: CredentialReference): void;
}

/** So many refusals in a row mean that the credential is no good. */
export const mostRefusals = 3;

interface Entry {
  /** Who connects anew begins anew. */
  readonly connectedAt: number;
  readonly count: number;
  readonly counted: number | undefined;
  readonly countedAt: number | undefined;
  readonly refreshed: number | undefined;
}

const mostRemembered = 10_000;
const justNow = 60_000;
/** In ms: what is refused sooner than this after another one may be for the same passing reason. */
const refusalsApart = 3_000;

/** @param now milliseconds since 1970. */
export function createRefusals(now: () => number): Refusals {
  const entries = new BoundedMap<Entry>(mostRemembered);
  const find = ({ reference, connectedAt }: StoredCredential): Entry => {
    const entry = entries.get(keyOfReference(reference));
    if (entry?.connectedAt === connectedAt) return entry;
    return { connectedAt, count: 0, counted: undefined, countedAt: undefined, refreshed: undefined };
  };
  return {
    count(credential, oncePerVersion) {
      const { reference, version } = credential;
      const entry = find(credential);
      const { count, countedAt } = entry;
      // The clock may be set back.
      const isSoon = countedAt !== undefined && Math.abs(now() - countedAt) < refusalsApart;
      if (oncePerVersion ? entry.counted === version : isSoon) return count;
      const counted = { count: count + 1, counted: version, countedAt: now() };
      entries.set(keyOfReference(reference), { ...entry, ...counted });
      return counted.count;
    },
    refreshed(credential) {
      const { reference, version } = credential;
      entries.set(keyOfReference(reference), { ...find(credential), refreshed: version });
    },
    isUntried(credential) {
      const isFresh = Math.abs(now() - credential.obtainedAt) <= justNow;
      return isFresh && find(credential).refreshed === credential.version;
    },
    accepted: (reference) => {
      // Told at every call.
      if (entries.size > 0) entries.delete(keyOfReference(reference));
    },
  };
}
