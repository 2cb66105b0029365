import { randomUUID } from "node:crypto";
import type { CredentialLease, CredentialStore, StoredCredential } from "../credential-store.ts";
import { refreshFailed } from "./failures.ts";
import { pause } from "./flights.ts";
import { checkOwner, isSameGrant } from "./same-grant.ts";
import type { RefreshTimings } from "./timings.ts";

/** A lease that is put off until it is released. */
export interface HeldLease {
  release(): Promise<void>;
}

/** Either the lease, or what another process has made of the credential meanwhile. */
export type LeaseOrOutcome =
  | { readonly lease: HeldLease }
  | { readonly lease: undefined; readonly outcome: StoredCredential | undefined };

/**
 * Takes the lease of a credential. While another process holds it, looks what that does: until the credential is another one than was
 * seen, is gone or has to be connected anew, or the lease is free.
 *
 * @throws `upstream_failed`, retryable, when the patience is over; the signal's reason; what the store throws.
 */
export async function takeLease(
  credentials: CredentialStore,
  seen: StoredCredential,
  options: { readonly timings: RefreshTimings; readonly signal: AbortSignal },
): Promise<LeaseOrOutcome> {
  const { timings, signal } = options;
  const { reference } = seen;
  // Of this very attempt: what is released late must not end the lease of the next one.
  const holder = randomUUID();
  const until = performance.now() + timings.patience;
  for (let look = timings.firstLook; ; look = Math.min(look * 2, timings.longestLook)) {
    signal.throwIfAborted();
    const lease = await credentials.lease(reference, holder, timings.lease);
    if (lease !== undefined) return { lease: keep(lease, timings) };
    // Looking is cheap, nothing is read while nothing changes; trying for the lease is a write.
    for (const unit of [1, 1, 2]) {
      await pause(look * unit, signal);
      const current = checkOwner(await credentials.get(reference), reference);
      if (current === undefined || current.state.kind !== "ready" || !isSameGrant(current, seen)) {
        return { lease: undefined, outcome: current };
      }
    }
    if (performance.now() >= until) {
      throw refreshFailed(reference, "another process of the gateway is still at it. Try again.");
    }
  }
}

function keep(lease: CredentialLease, timings: RefreshTimings): HeldLease {
  // One that is lost or can't be put off changes nothing here: what is written stands or falls by compare-and-swap.
  const renewal = setInterval(() => {
    lease.renew(timings.lease).catch(() => undefined);
  }, timings.leaseRenewal);
  return {
    async release() {
      clearInterval(renewal);
      const until = performance.now() + timings.lease;
      const attempt = (): Promise<boolean> =>
        lease.release().then(
          () => true,
          () => performance.now() >= until,
        );
      if (await attempt()) return;
      // It ends by itself, but others would wait for that.
      const again = setInterval(async () => {
        if (await attempt()) clearInterval(again);
      }, timings.longestLook).unref();
    },
  };
}
