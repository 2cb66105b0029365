import fc from "fast-check";
import { expect, test } from "vitest";
import { fromKey, toKey } from "../../src/store/sqlite/text-key.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.array(fc.integer({ min: 0xd7fe, max: 0xe002 })).map((units) => String.fromCharCode(...units)),
);

test("every text comes back, and its key is one that UTF-8 can hold", () => {
  fc.assert(
    fc.property(text, (value) => {
      expect(toKey(value).isWellFormed()).toBe(true);
      expect(fromKey(toKey(value))).toBe(value);
    }),
    { numRuns: 2_000 },
  );
});

test("the bytes of keys are in the order of the texts by code unit", () => {
  fc.assert(
    fc.property(text, text, (first, second) => {
      const order = first < second ? -1 : first > second ? 1 : 0;
      expect(Buffer.compare(Buffer.from(toKey(first)), Buffer.from(toKey(second)))).toBe(order);
    }),
    { numRuns: 5_000 },
  );
});

test("nearly all texts are their own keys", () => {
  expect(toKey("Zoë (東京) 1\0")).toBe("Zoë (東京) 1\0");
});
