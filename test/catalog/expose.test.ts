import { describe, expect, test } from "vitest";
import { exposeSurface, findUnmatchedSelections } from "../../src/catalog/expose.ts";
import type { Operation } from "../../src/model/catalog.ts";
import type { ProviderConfig } from "../../src/model/config.ts";
import { makeOperation, makeProvider, placeAt, restSurface } from "./fixtures.ts";

const operations: readonly Operation[] = [
  makeOperation("list-books", { path: "/books", tags: ["books"] }),
  makeOperation("get-book", { path: "/books/{id}", tags: ["books"] }),
  makeOperation("delete-book", { path: "/books/{id}", method: "DELETE", tags: ["books", "admin"] }),
  makeOperation("list-orders", { path: "/shops/{shop}/orders", tags: ["orders"] }),
];

function expose(provider: Partial<ProviderConfig>, from: readonly Operation[] = operations) {
  return exposeSurface(makeProvider("shop", provider), {
    surface: restSurface,
    operations: from,
    origin: "declared",
  });
}

function names(provider: Partial<ProviderConfig>): readonly string[] {
  return expose(provider).map(({ name }) => name);
}

function select(include: readonly string[], exclude: readonly string[]): ProviderConfig["select"] {
  const entries = (patterns: readonly string[]) =>
    patterns.map((pattern) => ({ pattern, place: placeAt(12) }));
  return { include: entries(include), exclude: entries(exclude) };
}

describe("select", () => {
  test.each([
    [[], [], ["list-books", "get-book", "delete-book", "list-orders"]],
    [["list-*"], [], ["list-books", "list-orders"]],
    [["list-books", "get-book"], [], ["list-books", "get-book"]],
    [[], ["delete-*"], ["list-books", "get-book", "list-orders"]],
    [["GET /books/*"], [], ["get-book"]],
    [["GET /books/**", "GET /books"], [], ["list-books", "get-book"]],
    [["* /**"], ["DELETE /**"], ["list-books", "get-book", "list-orders"]],
    [["GET /*"], [], ["list-books"]],
    [["tag:books"], ["tag:admin"], ["list-books", "get-book"]],
    [["*"], ["*"], []],
    [["?et-book"], [], ["get-book"]],
  ])("include %j, exclude %j", (include, exclude, expected) => {
    expect(names({ select: select(include, exclude) })).toEqual(expected.map((name) => `shop_${name}`));
  });

  test("a pattern of wildcards costs no time", () => {
    const evil = `${"*a".repeat(30)}!`;
    expect(expose({ select: select([evil], []) }, [makeOperation("a".repeat(60))])).toEqual([]);
  });
});

describe("allowed_operations", () => {
  const allowedOperations = {
    "list-books": { alias: "browse", description: "Look around.", place: placeAt(9) },
    "get-book": { alias: undefined, description: undefined, place: placeAt(10) },
  };

  test("means exactly these, renamed and described", () => {
    expect(
      expose({ allowedOperations }).map(({ name, operation, description }) => [name, operation, description]),
    ).toEqual([
      ["shop_browse", "browse", "Look around."],
      ["shop_get-book", "get-book", "Does get-book."],
    ]);
  });

  test("an empty one means none", () => {
    expect(expose({ allowedOperations: {} })).toEqual([]);
  });

  test("an entry that matches nothing is reported at its place, with a suggestion", () => {
    const provider = makeProvider("shop", {
      allowedOperations: { "get-bok": { alias: undefined, description: undefined, place: placeAt(9) } },
      select: { include: [{ pattern: "lists-*", place: placeAt(12) }], exclude: [] },
    });
    expect(
      findUnmatchedSelections(provider, [{ surface: restSurface, operations, origin: "declared" }]),
    ).toMatchObject([
      {
        severity: "error",
        code: "unmatched-selection",
        place: { line: 9 },
        message: expect.stringContaining("`get-book`"),
      },
      { severity: "warning", code: "unmatched-selection", place: { line: 12 } },
    ]);
  });
});

test("operations of one id get names that tell them apart, in any order", () => {
  const twins = [makeOperation("same", { path: "/one" }), makeOperation("Same", { path: "/two" })];
  const named = (order: readonly Operation[]): Map<string, string> =>
    new Map(expose({}, order).map(({ path, name }) => [path, name]));
  const forward = named(twins);
  expect(new Set(forward.values()).size).toBe(2);
  expect(named(twins.toReversed())).toEqual(forward);
  expect([...forward.values()].every((name) => /^shop_[sS]ame_[0-9a-f]{8}$/.test(name))).toBe(true);
});
