import { expect, test } from "vitest";
import { createUsedOnce } from "../../../src/server/mcp/used-once.ts";

test("each thing counts once, for whoever it is", () => {
  const used = createUsedOnce(10, 10, () => 100);
  expect(used.use("a", "ada", 90, 200)).toBe(true);
  expect(used.use("a", "ada", 90, 200)).toBe(false);
  expect(used.use("b", "ada", 90, 200)).toBe(true);
  expect(used.use("c", "bob", 90, 200)).toBe(true);
});

test("what was forgotten for want of room counts no more, nor what is older; others are not concerned", () => {
  const used = createUsedOnce(3, 10, () => 100);
  for (const since of [50, 60, 70]) expect(used.use(`a${since}`, "ada", since, 200)).toBe(true);
  expect(used.use("a80", "ada", 80, 200)).toBe(true);
  expect(used.use("a50", "ada", 50, 200)).toBe(false);
  expect(used.use("a40", "ada", 40, 200)).toBe(false);
  expect(used.use("b40", "bob", 40, 200)).toBe(true);
  expect(used.use("a60", "ada", 60, 200)).toBe(false);
});

test("nothing is kept beyond its time", () => {
  let now = 0;
  const used = createUsedOnce(2, 2, () => now);
  for (let round = 0; round < 1_000; round += 1) {
    now += 100;
    expect(used.use(`${round}`, `owner ${round % 5}`, now, now + 99)).toBe(true);
  }
});

test("with too many owners the one that rested longest is forgotten, which makes nothing count twice", () => {
  const used = createUsedOnce(2, 2, () => 100);
  expect(used.use("a", "ada", 50, 200)).toBe(true);
  expect(used.use("b", "bob", 60, 200)).toBe(true);
  expect(used.use("c", "cyd", 70, 200)).toBe(true);
  expect(used.use("a", "ada", 50, 200)).toBe(false);
  expect(used.use("c", "cyd", 70, 200)).toBe(false);
  expect(used.use("d", "dan", 90, 200)).toBe(true);
});
