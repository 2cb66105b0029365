import fc from "fast-check";
import { expect, test } from "vitest";
import { createSizeCheck } from "../../src/broker/check-size.ts";
import { GatewayError } from "../../src/errors.ts";
import type { JsonObject } from "../../src/model/json.ts";

const isTaken = (given: JsonObject, most: number): boolean => {
  try {
    createSizeCheck(() => most)(given);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ code: "too_large", message: /limits\.requests\.arguments_size/ });
    return false;
  }
};

test.each([99, 100, 101])("arguments may have as many bytes as the limit says (%i of 100)", (bytes) => {
  const padded = { a: "x".repeat(bytes - '{"a":""}'.length) };
  expect(JSON.stringify(padded)).toHaveLength(bytes);
  expect(isTaken(padded, 100)).toBe(bytes <= 100);
});

test("any arguments are measured by what they are as JSON", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()), (given) => {
      // What fast-check makes is JSON.
      const plain = JSON.parse(JSON.stringify(given)) as JsonObject;
      const bytes = Buffer.byteLength(JSON.stringify(plain));
      expect([isTaken(plain, bytes - 1), isTaken(plain, bytes)]).toEqual([false, true]);
    }),
  );
});
