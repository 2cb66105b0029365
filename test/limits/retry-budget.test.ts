import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRetryBudget } from "../../src/limits/retry-budget.ts";

function make(share: number) {
  let time = 0;
  const budget = createRetryBudget(share, () => time);
  return {
    wait: (milliseconds: number) => {
      time += milliseconds;
    },
    call: (count: number, tenant = "t") => {
      for (let made = 0; made < count; made += 1) budget.called(tenant);
    },
    /** As many repetitions as there are. */
    takeAll: (tenant = "t") => {
      let taken = 0;
      while (taken < 10_000 && budget.take(tenant)) taken += 1;
      return taken;
    },
  };
}

describe("in ten seconds", () => {
  test.each([
    [0, 1_000, 10],
    [0.2, 0, 10],
    [0.2, 49, 10],
    [0.2, 50, 10],
    [0.2, 55, 11],
    [0.2, 1_000, 200],
    [1, 1_000, 1_000],
  ])("%d of %i calls: %i repetitions", (share, calls, repetitions) => {
    const { call, takeAll } = make(share);
    call(calls);
    expect(takeAll()).toBe(repetitions);
    expect(takeAll()).toBe(0);
  });
});

test("what was is forgotten little by little", () => {
  const { wait, takeAll } = make(0.2);
  expect(takeAll()).toBe(10);
  wait(10_000);
  expect(takeAll()).toBe(0);
  wait(5_000);
  expect(takeAll()).toBe(5);
  wait(20_000);
  expect(takeAll()).toBe(10);
});

test("calls of a while ago allow nothing any more", () => {
  const { call, wait, takeAll } = make(0.5);
  call(1_000);
  wait(20_000);
  expect(takeAll()).toBe(10);
});

describe("a tenant whose calls all fail", () => {
  test("takes no repetition from another, however many calls it makes", () => {
    const { call, takeAll } = make(0.2);
    call(1_000, "noisy");
    call(100, "quiet");
    expect(takeAll("noisy")).toBe(200);
    expect(takeAll("quiet")).toBe(20);
  });

  test("leaves those with few calls what is always allowed", () => {
    const { call, takeAll } = make(0.2);
    call(1_000, "noisy");
    expect(takeAll("noisy")).toBe(200);
    call(1, "quiet");
    expect(takeAll("quiet")).toBe(10);
  });
});

test.each([1, 2, 3, 500])(
  "%i tenants with few calls get no more than twenty beyond them together",
  (count) => {
    const { call, takeAll } = make(0);
    let taken = 0;
    for (let tenant = 0; tenant < count; tenant += 1) {
      call(1, `t${tenant}`);
      taken += takeAll(`t${tenant}`);
    }
    expect(taken).toBe(Math.min(count * 10, 20));
  },
);

test("tenants beyond ten thousand count as one, and the next window has room again", () => {
  const { call, takeAll, wait } = make(1);
  for (let tenant = 0; tenant < 10_005; tenant += 1) call(20, `t${tenant}`);
  expect(takeAll("t0")).toBe(20);
  expect(takeAll("t10004")).toBe(100);
  expect(takeAll("t10003")).toBe(0);
  wait(20_000);
  call(30, "t10003");
  expect(takeAll("t10003")).toBe(30);
});

test("never much more than its part of the calls, whenever they come", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.tuple(fc.nat(2_000), fc.nat(100)), { minLength: 1, maxLength: 60 }),
      (share, steps) => {
        const { call, wait, takeAll } = make(share);
        let calls = 0;
        let taken = 0;
        let time = 0;
        for (const [pause, count] of steps) {
          wait(pause);
          time += pause;
          call(count);
          calls += count;
          taken += takeAll();
        }
        const windows = Math.floor(time / 10_000) + 1;
        expect(taken).toBeLessThanOrEqual(windows * 20 + share * calls * 2 + 1);
      },
    ),
  );
});
