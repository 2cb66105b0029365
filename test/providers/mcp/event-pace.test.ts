import { expect, test } from "vitest";
import { EventPace } from "../../../src/providers/mcp/event-pace.ts";

test("2,000 events are taken at once, and one more has to wait for a millisecond", () => {
  const pace = new EventPace(() => 0);
  const waits = Array.from({ length: 2_002 }, () => pace.take());
  expect(waits.slice(0, 2_000).every((wait) => wait === 0)).toBe(true);
  expect(waits.slice(2_000)).toEqual([1, 2]);
});

test("1,000 in a second go on for ever", () => {
  let time = 0;
  const pace = new EventPace(() => time);
  for (let count = 0; count < 2_000; count++) pace.take();
  for (let count = 0; count < 10_000; count++) {
    time += 1;
    expect(pace.take()).toBeLessThan(0.01);
  }
});

test("a pause makes room for 2,000, however long it was", () => {
  let time = 0;
  const pace = new EventPace(() => time);
  for (let count = 0; count < 2_000; count++) pace.take();
  time = 3_600_000;
  const waits = Array.from({ length: 2_001 }, () => pace.take());
  expect(waits.filter((wait) => wait > 0)).toEqual([1]);
});
