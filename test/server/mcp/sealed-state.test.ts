import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import { createSealedState, digestOfValue } from "../../../src/server/mcp/sealed-state.ts";

const json = fc.jsonValue({ noUnicodeString: false }) as fc.Arbitrary<JsonValue>;

describe("sealed state", () => {
  test("opens as it was, and differs each time", () => {
    const box = createSealedState();
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json, { noNullPrototype: true }), (value) => {
        const state = JSON.parse(JSON.stringify(value)) as JsonObject;
        const sealed = box.seal(state);
        expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(box.open(sealed)).toEqual(state);
        expect(box.seal(state)).not.toBe(sealed);
      }),
    );
  });

  test("does not open after any change, in another process, or in another spelling", () => {
    const box = createSealedState();
    const sealed = box.seal({ principal: "ada" });
    const bytes = Buffer.from(sealed, "base64url");
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(box.open(changed.toString("base64url"))).toBeUndefined();
      expect(box.open(bytes.subarray(0, index).toString("base64url"))).toBeUndefined();
    }
    expect(createSealedState().open(sealed)).toBeUndefined();
    for (const other of [
      ` ${sealed}`,
      `${sealed}=`,
      `${sealed}\n`,
      sealed + sealed,
      bytes.toString("base64"),
    ])
      expect(other === sealed ? undefined : box.open(other)).toBeUndefined();
  });

  test("takes whatever text", () => {
    const box = createSealedState();
    fc.assert(fc.property(fc.string(), (text) => box.open(text) === undefined));
    expect(box.open("A".repeat(1_000_000))).toBeUndefined();
  });
});

describe("the digest of arguments", () => {
  test("does not depend on the order of members, and on everything else", () => {
    expect(digestOfValue({ a: 1, b: { c: [1, 2], d: null } })).toBe(
      digestOfValue({ b: { d: null, c: [1, 2] }, a: 1 }),
    );
    const values: JsonValue[] = [
      {},
      [],
      null,
      "",
      { a: [] },
      { a: {} },
      [["a", []]],
      { object: [["a", []]] },
      [1, 2],
      [2, 1],
    ];
    values.push(JSON.parse('{"__proto__":1}') as JsonValue);
    expect(new Set(values.map(digestOfValue)).size).toBe(values.length);
  });

  test("is equal for equal values only", () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        const same = digestOfValue(one) === digestOfValue(other);
        const normal = (value: JsonValue): unknown => JSON.parse(JSON.stringify(value));
        let isEqual = true;
        try {
          expect(normal(one)).toEqual(normal(other));
        } catch {
          isEqual = false;
        }
        expect(same).toBe(isEqual);
      }),
    );
  });
});
