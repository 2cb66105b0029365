import { array, assert, constantFrom, integer, oneof, property, record } from "fast-check";
import { expect, test } from "vitest";
import { type Waiting, WaitingLanes } from "../../src/limits/waiting-lanes.ts";

interface Named extends Waiting {
  readonly name: string;
}

function takeAll(lanes: WaitingLanes<Named>): readonly string[] {
  const names: string[] = [];
  for (let item = lanes.take(); item !== undefined; item = lanes.take()) names.push(item.name);
  return names;
}

test("lanes take turns, and within one who came first is first", () => {
  const lanes = new WaitingLanes<Named>();
  for (let index = 0; index < 1_000; index += 1) lanes.add("noisy", { name: `noisy ${index}`, since: index });
  lanes.add("quiet", { name: "quiet 0", since: 1_000 });
  lanes.add("quiet", { name: "quiet 1", since: 1_001 });
  expect(takeAll(lanes).slice(0, 5)).toEqual(["noisy 0", "quiet 0", "noisy 1", "quiet 1", "noisy 2"]);
});

test("takes out who has waited since a time or longer, of every lane", () => {
  const lanes = new WaitingLanes<Named>();
  for (const since of [1, 2, 3])
    for (const key of ["a", "b"]) lanes.add(key, { name: `${key}${since}`, since });
  expect(lanes.takeOlder(2).map(({ name }) => name)).toEqual(["a1", "a2", "b1", "b2"]);
  expect(lanes.size).toBe(2);
  expect(takeAll(lanes)).toEqual(["a3", "b3"]);
});

test("nobody is lost or taken twice, whatever happens in which order", () => {
  const step = oneof(
    record({ kind: constantFrom("add" as const), key: constantFrom("a", "b", "c") }),
    record({ kind: constantFrom("take" as const) }),
    record({ kind: constantFrom("old" as const), age: integer({ min: 0, max: 50 }) }),
  );
  assert(
    property(array(step, { maxLength: 2_000, size: "max" }), (steps) => {
      const lanes = new WaitingLanes<Named>();
      const inside = new Set<string>();
      steps.forEach((one, time) => {
        if (one.kind === "add") {
          inside.add(String(time));
          lanes.add(one.key, { name: String(time), since: time });
        }
        const taken = one.kind === "take" ? lanes.take() : undefined;
        const out = one.kind === "old" ? lanes.takeOlder(time - one.age) : taken === undefined ? [] : [taken];
        for (const { name } of out) expect(inside.delete(name)).toBe(true);
        expect(lanes.size).toBe(inside.size);
      });
      expect(new Set(takeAll(lanes))).toEqual(inside);
    }),
  );
});
