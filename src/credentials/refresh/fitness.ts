import type { StoredCredential } from "../credential-store.ts";
import { keyOfReference } from "../owner.ts";

/** `due`: good still, and to be refreshed meanwhile. `over`: not to be used any more. */
export type Fitness = "fit" | "due" | "over";

const longestWindow = 300_000;
const shortestWindow = 5_000;
const margin = 2_000;
/** The jitter begins a refresh earlier by up to this part of the window. */
const mostJitter = 0.25;

/**
 * How an access token stands. It is refreshed within the last tenth of its life, at most 5 minutes and at least 5 seconds but never more
 * than half of it, and counts as over 2 seconds before its end, so that it does not end on the way. Without a refresh token it is used
 * to the end. One whose end is not known is fit until an upstream refuses it.
 *
 * @param seed of the process: together with the credential it makes the jitter, so that neither credentials nor processes march in step.
 */
export function fitnessOf(credential: StoredCredential, now: number, seed: number): Fitness {
  const { expiresAt, obtainedAt } = credential;
  if (expiresAt === undefined) return "fit";
  const left = expiresAt - now;
  const life = Math.max(0, expiresAt - obtainedAt);
  if (!isRefreshable(credential)) return left > 0 ? "fit" : "over";
  if (left <= Math.min(margin, life / 4)) return "over";
  const window = Math.min(Math.max(Math.min(longestWindow, life / 10), shortestWindow), life / 2);
  if (left > window * (1 + mostJitter)) return "fit";
  return left > window * (1 + mostJitter * shareOf(credential, seed)) ? "fit" : "due";
}

/** Whether new tokens can be had without anybody. */
export function isRefreshable({ oauth, secrets }: StoredCredential): boolean {
  return oauth !== undefined && secrets["refresh_token"] !== undefined;
}

/** A number from 0 to 1 that stays the same for a version of a credential (FNV-1a), so that nothing has to be kept per credential. */
function shareOf({ reference, version }: StoredCredential, seed: number): number {
  let hash = 0x811c9dc5;
  for (const character of `${seed} ${version} ${keyOfReference(reference)}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  // The low bits mix best; the high ones of short texts hardly differ.
  return (hash % 65_536) / 65_536;
}
