import { describe, expect, test } from "vitest";
import { Shares, shareOfTenant } from "../../src/limits/shares.ts";

const ada = { tenant: "one", caller: "ada" };
const bob = { tenant: "one", caller: "bob" };
const zoe = { tenant: "two", caller: "zoe" };

describe("shares", () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 3],
    [8, 6],
    [10_000, 7_500],
  ])("of %i a tenant may have %i", (total, share) => {
    expect(shareOfTenant(total)).toBe(share);
  });

  test("a caller has its own part, whatever is left", () => {
    const shares = new Shares(() => ({ total: 100, perCaller: 2 }));
    shares.take(ada);
    expect(shares.lack(ada)).toBeUndefined();
    shares.take(ada);
    expect([shares.lack(ada), shares.lack(bob)]).toEqual(["caller", undefined]);
    shares.giveBack(ada);
    expect(shares.lack(ada)).toBeUndefined();
  });

  test("the callers of a tenant together have three quarters, and others have the rest", () => {
    const shares = new Shares(() => ({ total: 8, perCaller: 5 }));
    shares.take(ada, 5);
    shares.take(bob);
    expect([shares.lack(bob), shares.lack(zoe, 2), shares.lack(zoe, 3)]).toEqual([
      "tenant",
      undefined,
      "all",
    ]);
  });

  test("callers without a name have what there is", () => {
    const shares = new Shares(() => ({ total: 4, perCaller: 1 }));
    shares.take(undefined, 3);
    expect(shares.lack(undefined)).toBeUndefined();
    shares.take(undefined);
    expect([shares.lack(undefined), shares.lack(ada)]).toEqual(["all", "all"]);
  });

  test("what was given back leaves nothing behind", () => {
    const shares = new Shares(() => ({ total: 1_000_000, perCaller: 1 }));
    for (let count = 0; count < 10_000; count += 1) {
      const sharer = { tenant: `t${count}`, caller: `c${count}` };
      shares.take(sharer);
      shares.giveBack(sharer);
    }
    expect(shares.all).toBe(0);
    expect(shares.lack(ada)).toBeUndefined();
  });
});
