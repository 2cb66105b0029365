import { expect, test } from "vitest";
import { TurnPace } from "../../src/limits/turn-pace.ts";

/** Begins so many turns, each as long as what it began and what it had to do besides; returns how much each began. */
function turns(pace: TurnPace, count: number, each: number, besides = 0): readonly number[] {
  let time = 0;
  return Array.from({ length: count }, () => {
    const batch = pace.begin(time);
    time += batch * each + besides;
    return batch;
  });
}

test("turns that are short again begin more and more, up to a bound", () => {
  const pace = new TurnPace();
  turns(pace, 50, 1, 1_000);
  pace.rest();
  const batches = turns(pace, 50, 0.01);
  expect(batches[0]).toBe(1);
  expect(batches.at(-1)).toBe(16);
  expect(batches).toEqual(batches.toSorted((one, other) => one - other));
});

test.each([0.1, 0.5, 1, 3])("turns settle at about five milliseconds where a request takes %f", (each) => {
  const last = turns(new TurnPace(), 500, each).slice(-100);
  const mean = last.reduce((sum, batch) => sum + batch * each, 0) / last.length;
  expect(mean).toBeGreaterThan(Math.min(16 * each, 2.5) - 0.01);
  expect(mean).toBeLessThanOrEqual(6);
});

test("however long turns are, each begins something", () => {
  expect(turns(new TurnPace(), 100, 1, 1_000).at(-1)).toBe(1);
});

test("the time between two crowds says nothing", () => {
  const pace = new TurnPace();
  const before = pace.begin(0);
  pace.rest();
  expect(pace.begin(60_000)).toBe(before);
});
