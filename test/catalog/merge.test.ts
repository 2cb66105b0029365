import { expect, test } from "vitest";
import { mergeCatalog } from "../../src/catalog/merge.ts";
import { CatalogSnapshot } from "../../src/catalog/snapshot.ts";
import { makeProviderCatalog, makeTool, placeAt } from "./fixtures.ts";

const places = new Map([
  ["first", placeAt(3)],
  ["second", placeAt(9)],
]);

test("tools are sorted by name, whatever the order of providers", () => {
  const first = makeProviderCatalog("first", [makeTool("b"), makeTool("Z")]);
  const second = makeProviderCatalog("second", [makeTool("a")]);
  const forward = mergeCatalog([first, second], places).catalog;
  const backward = mergeCatalog([second, first], places).catalog;
  expect(forward.tools.map(({ name }) => name)).toEqual(["Z", "a", "b"]);
  expect(backward.tools).toEqual(forward.tools);
});

test("two declared tools of one name are both withheld, with both places", () => {
  const { catalog, diagnostics } = mergeCatalog(
    [
      makeProviderCatalog("first", [makeTool("same"), makeTool("other")]),
      makeProviderCatalog("second", [makeTool("Same")]),
    ],
    places,
  );
  expect(catalog.tools.map(({ name }) => name)).toEqual(["other"]);
  expect(diagnostics).toMatchObject([
    { severity: "error", code: "name-collision", place: { line: 3 }, related: [{ place: { line: 9 } }] },
  ]);
});

test("a declared tool beats one that an upstream supplies", () => {
  const { catalog, diagnostics } = mergeCatalog(
    [
      makeProviderCatalog("first", [makeTool("same", { origin: "upstream" })]),
      makeProviderCatalog("second", [makeTool("same")]),
    ],
    places,
  );
  expect(catalog.tools.map(({ provider }) => provider)).toEqual(["second"]);
  expect(diagnostics).toMatchObject([{ severity: "warning", code: "name-collision" }]);
});

test("two that upstreams supply are both withheld, never first come", () => {
  const tool = makeTool("same", { origin: "upstream" });
  const { catalog } = mergeCatalog(
    [makeProviderCatalog("first", [tool]), makeProviderCatalog("second", [tool])],
    places,
  );
  expect(catalog.tools).toEqual([]);
});

test("a snapshot tells of a swap only when something changed", () => {
  const snapshot = new CatalogSnapshot();
  const told: string[] = [];
  const stop = snapshot.subscribe(({ version }) => told.push(version));
  const build = (name: string) =>
    mergeCatalog([makeProviderCatalog("first", [makeTool(name)])], places).catalog;
  snapshot.swap(build("one"));
  snapshot.swap(build("one"));
  snapshot.swap(build("two"));
  stop();
  snapshot.swap(build("three"));
  expect(told.length).toBe(2);
  expect(snapshot.view("mcp").findTool("three")?.name).toBe("three");
  expect(snapshot.view("mcp").findTool("two")).toBeUndefined();
});

test("a catalog is plain data: it survives JSON", () => {
  const { catalog } = mergeCatalog([makeProviderCatalog("first", [makeTool("one")])], places);
  expect(JSON.parse(JSON.stringify(catalog))).toMatchObject({ tools: [{ name: "one" }] });
});

test("collisions of operations without places of their own are told once for each pair of providers", () => {
  const many = ["a", "b", "c"].map((name) => makeTool(name, { origin: "upstream" }));
  const { catalog, diagnostics } = mergeCatalog(
    [makeProviderCatalog("first", many), makeProviderCatalog("second", many)],
    places,
  );
  expect(diagnostics).toMatchObject([{ message: expect.stringContaining("`a`, `b`, `c`") }]);
  expect(catalog.providers.map(({ surfaces }) => surfaces[0]?.tools)).toEqual([0, 0]);
});
