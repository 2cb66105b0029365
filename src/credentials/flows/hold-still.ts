import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { CredentialReference } from "../../model/credential.ts";
import type { FlowParts } from "./flow-parts.ts";

/** Longer than revoking takes. */
const leaseMilliseconds = 45_000;
/** How long a refresh that is under way is waited for; after that it loses by compare-and-swap. */
const patienceMilliseconds = 10_000;
const lookMilliseconds = 100;

/** Does something while no process refreshes a credential. A refresh whose end nobody waits for could bring tokens that nobody revokes. */
export async function holdStill<Result>(
  { credentials }: Pick<FlowParts, "credentials">,
  reference: CredentialReference,
  work: () => Promise<Result>,
): Promise<Result> {
  const holder = `change ${randomUUID()}`;
  const until = performance.now() + patienceMilliseconds;
  let lease = await credentials.lease(reference, holder, leaseMilliseconds);
  while (lease === undefined && performance.now() < until) {
    await pause(lookMilliseconds);
    lease = await credentials.lease(reference, holder, leaseMilliseconds);
  }
  try {
    return await work();
  } finally {
    // Where that fails the lease ends by itself.
    await lease?.release().catch(() => undefined);
  }
}
