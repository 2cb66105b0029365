import { describe, expect, test } from "vitest";
import { bearer, codeOf, cookie, createHarness, hour, minute, signedIn } from "../identity/harness.ts";

/** What a clock may do between two looks at it. */
const steps = { "an hour on": hour, "an hour back": -hour, "a leap second back": -1_000 } as const;

describe.each(Object.entries(steps))("the clock goes %s", (_name, step) => {
  test("a session in use goes on", async () => {
    const harness = await createHarness();
    const { session } = await signedIn(harness, "ada");
    for (let round = 0; round < 5; round += 1) {
      harness.time += step;
      expect((await harness.identity.authenticate(cookie(session), undefined)).name).toBe("ada");
      harness.time -= step;
    }
  });

  test("a session that has ended stays ended", async () => {
    const harness = await createHarness();
    const { session } = await signedIn(harness, "ada");
    harness.time += 13 * hour + 1;
    expect(await codeOf(harness.identity.authenticate(cookie(session), undefined))).toBe("unauthenticated");
    harness.time += step;
    expect(await codeOf(harness.identity.authenticate(cookie(session), undefined))).toBe("unauthenticated");
  });

  test("a token keeps its end", async () => {
    const harness = await createHarness();
    const administration = harness.identity.administration(harness.operator);
    const { secret } = await administration.createToken({
      name: "ci",
      service: true,
      expiresIn: 90 * minute,
    });
    harness.time += step;
    expect((await harness.identity.authenticate(bearer(secret), undefined)).name).toBe("ci");
    harness.time += 90 * minute - step + 1;
    expect(await codeOf(harness.identity.authenticate(bearer(secret), undefined))).toBe("unauthenticated");
  });

  test("a lease has one holder", async () => {
    const harness = await createHarness();
    const store = harness.store.tenant("default");
    const lease = await store.acquireLease("refresh", "one", minute);
    if (lease === undefined) throw new Error("There is no lease.");
    harness.time += step;
    const next = await store.acquireLease("refresh", "two", minute);
    if (step < 0) {
      expect(next).toBeUndefined();
      return;
    }
    // Over for everybody: the next holder has a higher number, and what the first one holds counts no more.
    expect(next?.fence).toBeGreaterThan(lease.fence);
    expect(await store.renewLease(lease, minute)).toBeUndefined();
  });
});
