import { describe, expect, test } from "vitest";
import { compileSchema } from "../../src/json-schema/compile-schema.ts";
import { inspectSchema } from "../../src/json-schema/inspect-schema.ts";
import { hostileCases } from "./hostile-cases.ts";

// Without the bounds these do not end within the life of a test run. bench/hostile-schemas.ts prints what they cost.
describe("a hostile schema or value", () => {
  for (const { name, schema, value, end } of hostileCases()) {
    test(name, () => {
      const checker = compileSchema(schema);
      for (let round = 0; round < 2; round += 1) {
        const mistakes = checker.check(value);
        expect(mistakes.length).toBeLessThanOrEqual(20);
        const [first] = mistakes;
        expect(first === undefined ? "fits" : first.keyword === "limit" ? "limit" : "refused").toBe(end);
      }
      expect(inspectSchema(schema).length).toBeLessThanOrEqual(21);
    });
  }

  test("names that every object inherits are names like others", () => {
    const schema = JSON.parse(
      '{"properties": {"__proto__": {"type": "string"}}, "required": ["constructor", "toString"], "additionalProperties": false}',
    );
    const messages = compileSchema(schema)
      .check(JSON.parse('{"__proto__": 1, "hasOwnProperty": 2}'))
      .map(({ message }) => message);
    expect(messages).toEqual([
      "`constructor` is missing.",
      "`toString` is missing.",
      "`__proto__` must be a string, but is a number.",
      "`hasOwnProperty` is not an argument; known is `__proto__`.",
    ]);
  });
});
