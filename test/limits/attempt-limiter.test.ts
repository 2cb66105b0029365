import fc from "fast-check";
import { expect, test } from "vitest";
import { createAttemptLimiter } from "../../src/limits/attempt-limiter.ts";

test("so many at once, then one more each interval", () => {
  let time = 0;
  const limiter = createAttemptLimiter({ attempts: 3, refill: 1_000 }, () => time);
  expect([1, 2, 3, 4].map(() => limiter.take("a"))).toEqual([undefined, undefined, undefined, 1_000]);
  time += 400;
  expect(limiter.take("a")).toBe(600);
  time += 600;
  expect(limiter.take("a")).toBeUndefined();
  expect(limiter.take("b")).toBeUndefined();
  time += 100_000;
  expect([1, 2, 3, 4].map(() => limiter.take("a") === undefined)).toEqual([true, true, true, false]);
});

test("what is given back was never taken, and never more than that", () => {
  const limiter = createAttemptLimiter({ attempts: 2, refill: 1_000 }, () => 0);
  for (let count = 0; count < 10; count += 1) {
    expect(limiter.take("a")).toBeUndefined();
    limiter.giveBack("a");
  }
  for (let count = 0; count < 10; count += 1) limiter.giveBack("a");
  expect([1, 2, 3].map(() => limiter.take("a") === undefined)).toEqual([true, true, false]);
});

test("a clock that steps back gives nothing", () => {
  let time = 1_000_000;
  const limiter = createAttemptLimiter({ attempts: 1, refill: 1_000 }, () => time);
  limiter.take("a");
  time = 0;
  expect(limiter.take("a")).toBe(1_000);
  time = 1_000;
  expect(limiter.take("a")).toBeUndefined();
});

test("forgets the keys that were used longest ago", () => {
  const limiter = createAttemptLimiter({ attempts: 1, refill: 1_000, keys: 2 }, () => 0);
  limiter.take("a");
  limiter.take("b");
  limiter.take("a");
  limiter.take("c");
  expect(limiter.take("a")).toBe(1_000);
  expect(limiter.take("b")).toBeUndefined();
});

test("attempts that were given back push nobody's out", () => {
  const limiter = createAttemptLimiter({ attempts: 1, refill: 1_000, keys: 2 }, () => 0);
  limiter.take("victim");
  for (const key of ["a", "b", "c", "d"]) {
    limiter.take(key);
    limiter.giveBack(key);
  }
  expect(limiter.take("victim")).toBe(1_000);
});

test("whoever asks when: never more than what the time allows", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -500, max: 3_000 }), { maxLength: 200 }), (steps) => {
      let time = 10_000;
      let passed = 0;
      let taken = 0;
      const limiter = createAttemptLimiter({ attempts: 5, refill: 1_000 }, () => time);
      for (const step of steps) {
        passed += Math.max(0, step);
        time += step;
        if (limiter.take("a") === undefined) taken += 1;
        expect(taken).toBeLessThanOrEqual(5 + passed / 1_000);
      }
    }),
  );
});
