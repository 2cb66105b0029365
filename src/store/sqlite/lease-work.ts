import { type Lease, StoreError } from "../store.ts";
import type { Transaction } from "./group-commit.ts";
import { toKey } from "./text-key.ts";

/** Takes a lease that is free, has ended, or is held by the same holder, who keeps its fence then. */
export function acquireLease(
  { statements, counters, now }: Transaction,
  tenant: string,
  {
    name,
    holder,
    milliseconds,
  }: { readonly name: string; readonly holder: string; readonly milliseconds: number },
): Lease | undefined {
  const endsAt = endAfter(now, milliseconds);
  const row = statements("acquireLease").get(
    tenant,
    toKey(name),
    toKey(holder),
    counters.next("lease"),
    endsAt,
    now,
  );
  const fence = row?.["fence"];
  return typeof fence === "number" ? { name, holder, fence, endsAt } : undefined;
}

/** Puts the end of a lease off that has not ended yet. */
export function renewLease(
  { statements, now }: Transaction,
  tenant: string,
  { name, holder, fence }: Lease,
  milliseconds: number,
): Lease | undefined {
  const endsAt = endAfter(now, milliseconds);
  const row = statements("renewLease").get(tenant, toKey(name), toKey(holder), fence, endsAt, now);
  return row === undefined ? undefined : { name, holder, fence, endsAt };
}

/** Ends a lease, if it is still this one. */
export function releaseLease(
  { statements }: Transaction,
  tenant: string,
  { name, holder, fence }: Lease,
): void {
  statements("releaseLease").run(tenant, toKey(name), toKey(holder), fence);
}

function endAfter(now: number, milliseconds: number): number {
  const endsAt = now + milliseconds;
  if (!Number.isSafeInteger(endsAt)) {
    throw new StoreError("unavailable", `A lease can't last ${milliseconds} ms: that is no whole number.`);
  }
  return endsAt;
}
