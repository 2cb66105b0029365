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
    "list-books": {
      alias: "browse",
      description: "Look around.",
      responseMapping: undefined,
      place: placeAt(9),
    },
    "get-book": { alias: undefined, description: undefined, responseMapping: undefined, place: placeAt(10) },
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
      allowedOperations: {
        "get-bok": {
          alias: undefined,
          description: undefined,
          responseMapping: undefined,
          place: placeAt(9),
        },
      },
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

describe("allowed_operations by pattern", () => {
  const entry = { alias: undefined, description: undefined, responseMapping: undefined, place: placeAt(9) };

  function unmatched(provider: Partial<ProviderConfig>) {
    const compiled = [{ surface: restSurface, operations, origin: "declared" }] as const;
    return findUnmatchedSelections(makeProvider("shop", provider), compiled);
  }

  test.each([
    [["list-*"], ["list-books", "list-orders"]],
    [["GET /books/**"], ["get-book"]],
    [
      ["tag:admin", "get-book"],
      ["get-book", "delete-book"],
    ],
    [["*"], ["list-books", "get-book", "delete-book", "list-orders"]],
  ])("%j allows %j", (keys, expected) => {
    const allowedOperations = Object.fromEntries(keys.map((key) => [key, entry]));
    expect(names({ allowedOperations })).toEqual(expected.map((name) => `shop_${name}`));
    expect(unmatched({ allowedOperations })).toEqual([]);
  });

  test("an id goes before patterns, and the first pattern that fits counts", () => {
    const allowedOperations = {
      "tag:books": { ...entry, description: "A book." },
      "*": { ...entry, description: "Anything." },
      "get-book": { ...entry, alias: "read" },
    };
    expect(
      expose({ allowedOperations }).map(({ operation, description }) => [operation, description]),
    ).toEqual([
      ["list-books", "A book."],
      ["read", "Does get-book."],
      ["delete-book", "A book."],
      ["list-orders", "Anything."],
    ]);
  });

  test("an id that reads as a pattern is none", () => {
    const odd = [makeOperation("GET /books"), makeOperation("other", { path: "/books" })];
    expect(expose({ allowedOperations: { "GET /books": entry } }, odd).map(({ id }) => id)).toEqual([
      "GET /books",
    ]);
  });

  test("an alias names the one operation that a pattern matches", () => {
    const allowedOperations = { "GET /books/*": { ...entry, alias: "read" } };
    expect(names({ allowedOperations })).toEqual(["shop_read"]);
    expect(unmatched({ allowedOperations })).toEqual([]);
  });

  test("an alias can't name several operations", () => {
    const allowedOperations = { "tag:books": { ...entry, alias: "book" } };
    expect(names({ allowedOperations })).toEqual(["shop_list-books", "shop_get-book", "shop_delete-book"]);
    expect(unmatched({ allowedOperations })).toMatchObject([
      { severity: "error", code: "duplicate-alias", place: { line: 9 } },
    ]);
  });

  test("a pattern that matches nothing is reported", () => {
    expect(unmatched({ allowedOperations: { "PUT /**": entry } })).toMatchObject([
      { severity: "error", code: "unmatched-selection", place: { line: 9 } },
    ]);
  });
});

test("a response mapping is the operation's own or else the provider's, and the output schema goes", () => {
  const outputSchema = { type: "object" };
  const from = [makeOperation("a", { outputSchema }), makeOperation("b", { outputSchema })];
  const entry = { alias: undefined, description: undefined, place: placeAt(9) };
  const allowedOperations = {
    a: { ...entry, responseMapping: { data: ["own"] } },
    "*": { ...entry, responseMapping: undefined },
  };
  const tools = expose({ responseMapping: { data: ["items"] }, allowedOperations }, from);
  expect(tools.map((tool) => [tool.responseMapping?.data, tool.outputSchema])).toEqual([
    [["own"], undefined],
    [["items"], undefined],
  ]);
});

test("a managed parameter that no operation has is reported, unless every request carries it", () => {
  const { binding } = makeOperation("a");
  if (binding.kind !== "http") throw new Error("No HTTP binding.");
  const place = placeAt(7);
  const filled = {
    argument: undefined,
    name: "id",
    in: "path",
    style: "simple",
    explode: false,
    allowReserved: false,
    required: true,
    content: undefined,
    default: undefined,
  } as const;
  const provider = makeProvider("shop", {
    managedParameters: [
      { name: "id", in: "path", value: "1", place: placeAt(6) },
      { name: "ids", in: "path", value: "1", place },
      { name: "id", in: "cookie", value: "1", place },
      { name: "version", in: "query", value: "1", place: placeAt(8) },
    ],
  });
  const from = [makeOperation("a", { binding: { ...binding, parameters: [filled] } })];
  expect(
    findUnmatchedSelections(provider, [{ surface: restSurface, operations: from, origin: "declared" }]),
  ).toMatchObject([
    { severity: "error", code: "unmatched-parameter", place: { line: 7 } },
    { severity: "error", code: "unmatched-parameter", place: { line: 7 } },
  ]);
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
