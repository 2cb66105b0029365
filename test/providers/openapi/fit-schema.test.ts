import { describe, expect, test } from "vitest";
import type { JsonSchema } from "../../../src/model/json.ts";
import { createSchemaFitter } from "../../../src/providers/openapi/fit-schema.ts";
import { createSchemaMeasure } from "../../../src/providers/openapi/schema-size.ts";

const text = { type: "string" };

function fitter(definitions: Readonly<Record<string, JsonSchema>> = {}) {
  return createSchemaFitter((name) => definitions[name] ?? {}, createSchemaMeasure());
}

/** An object of `width` members on each of `depth` levels. */
function tree(width: number, depth: number): JsonSchema {
  if (depth === 0) return text;
  const child = tree(width, depth - 1);
  const names = Array.from({ length: width }, (_, index) => `member${index}`);
  return {
    type: "object",
    description: "A tree.",
    properties: Object.fromEntries(names.map((name) => [name, child])),
  };
}

describe("properties that have to fit", () => {
  test("what fits stays as it is", () => {
    const properties = { a: text, b: tree(2, 2) };
    expect(fitter().fitProperties(properties, 1_000)).toEqual({ properties, definitions: {}, reduced: [] });
  });

  test("the largest loses its deepest levels, the others nothing", () => {
    const small = tree(2, 2);
    const fitted = fitter().fitProperties({ small, large: tree(10, 5) }, 3_000);
    expect(fitted.reduced).toEqual(["large"]);
    expect(fitted.properties["small"]).toEqual(small);
    expect(JSON.stringify(fitted.properties).length).toBeLessThan(3_000);
    const member = { type: "object", description: "A tree. (Structure not shown.)" };
    expect(fitted.properties["large"]).toMatchObject({
      type: "object",
      properties: { member0: member, member9: member },
    });
  });

  test("definitions come along when they fit, with those that they need", () => {
    const node = {
      type: "object",
      properties: { next: { $ref: "#/$defs/Node" }, leaf: { $ref: "#/$defs/Leaf" } },
    };
    const definitions = { Leaf: text, Node: node };
    const fitted = fitter(definitions).fitProperties({ a: { $ref: "#/$defs/Node" } }, 1_000);
    expect(fitted).toEqual({ properties: { a: { $ref: "#/$defs/Node" } }, definitions, reduced: [] });
  });

  test("when they don't, the recursion is unrolled as deep as there is room", () => {
    const node = {
      type: "object",
      properties: { pad: { type: "string", description: "x".repeat(100) }, next: { $ref: "#/$defs/Node" } },
    };
    const fitted = fitter({ Node: node }).fitProperties({ a: { $ref: "#/$defs/Node" } }, 200);
    expect(fitted.definitions).toEqual({});
    expect(fitted.reduced).toEqual(["a"]);
    expect(JSON.stringify(fitted.properties)).not.toContain("$ref");
  });

  test("hundreds of long descriptions give way too", () => {
    const described = { type: "array", items: text, description: "x".repeat(300) };
    const properties = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`p${index}`, described]),
    );
    const fitted = fitter().fitProperties(properties, 20_000);
    expect(JSON.stringify(fitted.properties).length).toBeLessThan(20_000);
    expect(fitted.properties["p0"]).toMatchObject({ type: "array", items: {} });
  });
});

test("sizes are those of the JSON text", () => {
  const measure = createSchemaMeasure();
  for (const value of [{}, [], { a: [1, "ü", null, true, { b: [] }] }, "x", [[[]]], tree(3, 3)]) {
    expect(measure.sizeOf(value)).toBe(Buffer.byteLength(JSON.stringify(value)));
  }
});
