import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StoredCredential } from "../../src/credentials/credential-store.ts";
import { fitnessOf } from "../../src/credentials/refresh/fitness.ts";
import { factsFor, referenceOf } from "./refreshing.ts";

const now = 1_700_000_000_000;
const tokens = { access_token: "a", refresh_token: "r", expires_in: 0 };

function credential(life: number, user = "ada", version = 1): StoredCredential {
  const facts = factsFor(tokens, now, "https://issuer.test/token", { expiresAt: now + life });
  return { ...facts, reference: referenceOf(user), version, recordVersion: 1 };
}

/** The first millisecond at which a credential is due. */
function dueAt(of: StoredCredential, seed: number): number {
  let [fit, due] = [of.obtainedAt, of.expiresAt ?? 0];
  while (due - fit > 1) {
    const middle = Math.floor((fit + due) / 2);
    if (fitnessOf(of, middle, seed) === "fit") fit = middle;
    else due = middle;
  }
  return due;
}

describe("fitnessOf", () => {
  test.each([
    [3_600_000, 300_000, "an hour: 5 minutes before"],
    [600_000, 60_000, "10 minutes: a tenth"],
    [86_400_000, 300_000, "a day: 5 minutes"],
    [20_000, 5_000, "20 seconds: 5 seconds"],
    [4_000, 2_000, "4 seconds: half of them"],
  ])("a life of %i ms is refreshed %i ms or a quarter more before its end (%#: %s)", (life, window) => {
    for (const seed of [0, 1, 12_345]) {
      const before = life - (dueAt(credential(life), seed) - now);
      expect(before).toBeGreaterThanOrEqual(window);
      expect(before).toBeLessThanOrEqual(window * 1.25 + 1);
    }
  });

  test("credentials that were given out together are not due together, nor in two processes", () => {
    const times = Array.from({ length: 1_000 }, (_, index) =>
      dueAt(credential(3_600_000, `user-${index}`), 7),
    );
    const quarters = times.map((time) => Math.floor((now + 3_300_000 - time) / 18_751));
    for (const quarter of [0, 1, 2, 3]) {
      expect(quarters.filter((each) => each === quarter).length).toBeGreaterThan(150);
    }
    const others = Array.from({ length: 1_000 }, (_, index) =>
      dueAt(credential(3_600_000, `user-${index}`), 8),
    );
    expect(others.filter((time, index) => time === times[index]).length).toBeLessThan(50);
  });

  test("is fit, then due, then over, and never goes back", () => {
    const order = ["fit", "due", "over"];
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.array(fc.integer({ min: 0, max: 10_000_000 }), { minLength: 2 }),
        fc.nat(),
        (life, times, seed) => {
          const seen = times
            .toSorted((one, other) => one - other)
            .map((time) => order.indexOf(fitnessOf(credential(life), now + time, seed)));
          expect(seen).toEqual(seen.toSorted());
          expect(fitnessOf(credential(life), now + life, seed)).toBe("over");
        },
      ),
    );
  });

  test("what was just given out is fit, however short it lives", () => {
    for (const life of [1, 100, 1_000, 5_000]) expect(fitnessOf(credential(life), now, 1)).toBe("fit");
  });

  test("what can't be refreshed is used to the end", () => {
    const alone = { ...credential(10_000), oauth: undefined };
    expect(fitnessOf(alone, now + 9_999, 1)).toBe("fit");
    expect(fitnessOf(alone, now + 10_000, 1)).toBe("over");
  });
});
