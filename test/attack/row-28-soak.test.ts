import { expect, test } from "vitest";
import { growthOf, runSoak } from "../load/run-soak.ts";

const isFull = process.env["ATTACK_FULL"] === "1";
const milliseconds = isFull ? 600_000 : 15_000;
/** What a short one has not yet filled counts, too. */
const mostGrowth = (isFull ? 2 : 6) * 1024 * 1024;

test(`a soak of ${milliseconds / 1_000} s: nothing fails, and the heap does not grow`, {
  timeout: milliseconds + 120_000,
}, async () => {
  const soak = await runSoak(milliseconds);
  const { heaps, answered, failures } = soak;
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(milliseconds / 100);
  expect(heaps).toHaveLength(5);
  expect(growthOf(soak), `heaps: ${heaps.join(", ")}`).toBeLessThan(mostGrowth);
});
