import { describe, expect, test } from "vitest";
import type { Problem } from "../../../src/providers/openapi/model.ts";
import { noRelatedDocuments } from "../../../src/providers/openapi/related-documents.ts";
import { createReferenceResolver } from "../../../src/providers/openapi/resolve-reference.ts";

const root = {
  components: { schemas: { "a/b": 1, "c~d": 2, "e f": 3, "g%h": 4, list: [10, 20], "with#hash": 5 } },
  chain: {
    one: { $ref: "#/chain/two", description: "nearest" },
    two: { $ref: "#/chain/three", summary: "kept" },
    three: { x: 1, description: "far" },
  },
  circle: { one: { $ref: "#/circle/two" }, two: { $ref: "#/circle/one" } },
};

function setUp() {
  const problems: Problem[] = [];
  const self = ["https://example.com/api.yaml"];
  const resolver = createReferenceResolver(root, self, noRelatedDocuments, (problem) =>
    problems.push(problem),
  );
  return { resolver, problems };
}

describe("references", () => {
  test.each([
    ["#/components/schemas/a~1b", 1],
    ["#/components/schemas/a%7E1b", 1],
    ["#/components/schemas/c~0d", 2],
    ["#/components/schemas/e%20f", 3],
    ["#/components/schemas/e f", 3],
    ["#/components/schemas/g%h", 4],
    ["#/components/schemas/g%25h", 4],
    ["#/components/schemas/list/1", 20],
    ["#/components/schemas/with#hash", 5],
    ["https://example.com/api.yaml#/components/schemas/a~1b", 1],
  ])("%s is found", (reference, value) => {
    expect(setUp().resolver.resolve(reference, [])?.value).toBe(value);
  });

  test.each([
    "#/nope",
    "#/components/schemas/list/01",
    "#/components/schemas/list/2",
    "#/toString",
    "#anchor",
    "x.yaml#/a",
    "https://evil.example/#/components",
    "",
  ])("%j points nowhere", (reference) => {
    expect(setUp().resolver.resolve(reference, [])).toBeUndefined();
  });

  test("other spellings of one target have one pointer", () => {
    const { resolver } = setUp();
    const pointers = ["#/components/schemas/a~1b", "#/components/schemas/a%7E1b"].map(
      (text) => resolver.resolve(text, [])?.pointer,
    );
    expect(pointers).toEqual(["#/components/schemas/a~1b", "#/components/schemas/a~1b"]);
  });

  test("chains are followed, and what stands beside the first reference counts", () => {
    const { resolver } = setUp();
    expect(resolver.follow({ $ref: "#/chain/one" }, ["start"])).toEqual({
      value: { x: 1, description: "nearest", summary: "kept" },
      at: ["chain", "three"],
      isTarget: false,
    });
  });

  test("a chain with nothing beside its references leads to the very value", () => {
    const { resolver } = setUp();
    const [first, second] = [["start"], ["again"]].map((at) =>
      resolver.follow({ $ref: "#/chain/three" }, at),
    );
    expect(first).toMatchObject({ value: { x: 1 }, at: ["chain", "three"], isTarget: true });
    expect(second?.value).toBe(first?.value);
  });

  test("a circle gives an empty object and one report", () => {
    const { resolver, problems } = setUp();
    expect(resolver.follow({ $ref: "#/circle/one" }, ["start"]).value).toEqual({});
    expect(resolver.follow({ $ref: "#/circle/one" }, ["again"]).value).toEqual({});
    expect(problems).toMatchObject([{ code: "unresolved-reference" }]);
  });
});
