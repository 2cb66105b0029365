import { describe, expect, test } from "vitest";
import { inspectSchema } from "../../src/json-schema/inspect-schema.ts";
import type { JsonSchema } from "../../src/model/json.ts";

describe("inspection", () => {
  test("a sound schema has no problems", () => {
    const schema: JsonSchema = {
      type: "object",
      properties: {
        pattern: { type: "string", pattern: "^a" },
        $ref: { $ref: "#/$defs/a" },
        b: { $ref: "#b" },
        c: { $ref: "other" },
      },
      default: { $ref: "#/gone", pattern: "(" },
      enum: [{ $ref: "https://example.com" }],
      $defs: { a: {}, b: { $anchor: "b" }, other: { $id: "other" } },
    };
    expect(inspectSchema(schema)).toEqual([]);
  });

  test("what can't be enforced is named with its place", () => {
    const schema: JsonSchema = {
      properties: {
        "a/b": { pattern: "^(?!x)" },
        c: { patternProperties: { "(?=y)": true } },
        d: { items: { $ref: "#/$defs/gone" } },
        e: { anyOf: [true, { $ref: "https://example.com/schema.json#/a" }] },
      },
    };
    const problems = inspectSchema(schema).toSorted((left, right) => (left.path < right.path ? -1 : 1));
    expect(problems).toEqual([
      {
        path: "/properties/a~1b/pattern",
        kind: "pattern-refused",
        message: expect.stringMatching(/^The regular expression is not enforced: .+\.$/),
      },
      {
        path: "/properties/c/patternProperties/(?=y)",
        kind: "pattern-refused",
        message: expect.stringMatching(/^The regular expression is not enforced: .+\.$/),
      },
      {
        path: "/properties/d/items/$ref",
        kind: "reference-unresolved",
        message: "The reference `#/$defs/gone` leads nowhere, so any value is allowed in its place.",
      },
      {
        path: "/properties/e/anyOf/1/$ref",
        kind: "reference-remote",
        message:
          "The reference `https://example.com/schema.json#/a` leads out of the schema and is not followed, so any value is allowed in its place.",
      },
    ]);
  });

  test("a schema that is nested too deeply", () => {
    let schema: JsonSchema = {};
    for (let level = 0; level < 201; level += 1) schema = { items: schema };
    expect(inspectSchema(schema).map(({ kind }) => kind)).toEqual(["too-deep"]);
  });

  test("a schema that is too large", () => {
    const properties = Object.fromEntries(
      Array.from({ length: 100_000 }, (_unused, index) => [`p${index}`, {}]),
    );
    expect(inspectSchema({ properties }).map(({ kind }) => kind)).toEqual(["too-large"]);
  });

  test("parts that a compiled schema shares are visited once", () => {
    let schema: JsonSchema = { pattern: "(" };
    for (let level = 0; level < 100; level += 1) schema = { properties: { a: schema, b: schema } };
    expect(inspectSchema(schema).map(({ kind }) => kind)).toEqual(["pattern-refused"]);
  });

  test("the list of problems is bounded", () => {
    const allOf = Array.from({ length: 100 }, (_unused, index) => ({ $ref: `#/gone${index}` }));
    expect(inspectSchema({ allOf })).toHaveLength(20);
  });
});
