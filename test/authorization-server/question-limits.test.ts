import { expect, test } from "vitest";
import { createQuestionLimits } from "../../src/authorization-server/question-limits.ts";

test("questions of all networks together are bounded, and what stored nothing does not count", () => {
  let time = 1_000_000;
  const limits = createQuestionLimits(() => time);
  const fromEverywhere = (count: number): number =>
    Array.from({ length: count }, (_, index) => limits.take(`10.${index >> 8}.${index & 255}.1`)).filter(
      (wait) => wait === undefined,
    ).length;
  for (let count = 0; count < 500; count += 1) {
    limits.take("192.0.2.1");
    limits.giveBack();
  }
  expect(fromEverywhere(12_000)).toBe(10_000);
  expect(limits.take("192.0.2.2")).toBeGreaterThan(0);
  time += 60_000;
  expect(fromEverywhere(2_000)).toBe(1_000);
});
