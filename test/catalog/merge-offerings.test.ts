import { expect, test } from "vitest";
import { mergeCatalog } from "../../src/catalog/merge.ts";
import { makeFeatures, makeMcpCatalog, makeProviderCatalog, makeTool, placeAt } from "./fixtures.ts";

const places = new Map([
  ["first", placeAt(3)],
  ["second", placeAt(9)],
]);
const bare = { toolPrefix: "" };

function namesOf(...providers: Parameters<typeof mergeCatalog>[0]) {
  const { catalog, diagnostics } = mergeCatalog(providers, places);
  const { prompts = [], resources = [], templates = [] } = catalog.offerings ?? {};
  return {
    names: [...prompts, ...resources, ...templates].map(({ name }) => name),
    own: catalog.providers.map(({ offerings }) =>
      [...(offerings?.prompts ?? []), ...(offerings?.resources ?? []), ...(offerings?.templates ?? [])].map(
        ({ name }) => name,
      ),
    ),
    messages: diagnostics.map(({ message }) => message),
    diagnostics,
  };
}

test("each list is in the order of its names, whatever the order of providers", () => {
  const first = makeMcpCatalog("first", makeFeatures({ prompts: ["b", "Z"], resources: ["x:2", "x:1"] }));
  const second = makeMcpCatalog("second", makeFeatures({ prompts: ["a"], templates: ["x:{a}"] }), bare);
  const forward = mergeCatalog([first, second], places).catalog.offerings;
  expect(mergeCatalog([second, first], places).catalog.offerings).toEqual(forward);
  expect(forward?.prompts.map(({ name, listed }) => [name, listed["name"]])).toEqual([
    ["a", "a"],
    ["first_Z", "first_Z"],
    ["first_b", "first_b"],
  ]);
  expect(forward?.resources.map(({ name, id, listed }) => [name, id, listed["uri"]])).toEqual([
    ["gw-first+x:1", "x:1", "gw-first+x:1"],
    ["gw-first+x:2", "x:2", "gw-first+x:2"],
  ]);
  expect(forward?.templates).toMatchObject([{ name: "x:{a}", listed: { uriTemplate: "x:{a}" } }]);
});

test("prompts that share a name, letter case aside, are all withheld and reported", () => {
  const { names, own, diagnostics } = namesOf(
    makeMcpCatalog("first", makeFeatures({ prompts: ["same", "one"] }), bare),
    makeMcpCatalog("second", makeFeatures({ prompts: ["Same", "two"] }), bare),
  );
  expect(names).toEqual(["one", "two"]);
  expect(own).toEqual([["one"], ["two"]]);
  expect(diagnostics).toMatchObject([
    { severity: "error", code: "name-collision", place: { line: 3 }, related: [{ place: { line: 9 } }] },
  ]);
  expect(diagnostics[0]?.message).toBe(
    "Providers `first` and `second` have the same prompt name `same`; none of them is offered. Set another `mcp.tool_prefix` for one of them, or `surfaces.mcp.prompts: false`.",
  );
});

test("resources and templates that share a URI exactly are withheld, many in one report", () => {
  const uris = Array.from({ length: 12 }, (_, index) => `file:///${String(index).padStart(2, "0")}`);
  const { names, messages } = namesOf(
    makeMcpCatalog("first", makeFeatures({ resources: [...uris, "FILE:///00"], templates: ["t:{a}"] }), bare),
    makeMcpCatalog("second", makeFeatures({ resources: uris, templates: ["t:{a}", "t:{b}"] }), bare),
  );
  expect(names).toEqual(["FILE:///00", "t:{b}"]);
  expect(messages).toEqual([
    expect.stringContaining("the same resource URIs `file:///00`, "),
    expect.stringContaining("the same URI template `t:{a}`"),
  ]);
  expect(messages[0]).toContain("and 2 more; none of them is offered.");
});

test("no prefix helps where clients may fetch a resource themselves", () => {
  const { names, messages } = namesOf(
    makeMcpCatalog("first", makeFeatures({ resources: ["https://x.test/"] })),
    makeMcpCatalog("second", makeFeatures({ resources: ["https://x.test/"] })),
  );
  expect(names).toEqual([]);
  expect(messages).toEqual([
    "Providers `first` and `second` have the same resource URI `https://x.test/`; none of them is offered. Addresses of the web are never prefixed: set `surfaces.mcp.resources: false` for one of them.",
  ]);
});

test("nobody has resources in another provider's namespace", () => {
  const { names, messages } = namesOf(
    makeMcpCatalog("first", makeFeatures({ resources: ["file:///a"] })),
    makeMcpCatalog(
      "second",
      makeFeatures({
        resources: ["gw-first+file:///a", "gw-first+file:///b", "gw-third+x:y"],
        templates: ["gw-first+{+rest}"],
      }),
      bare,
    ),
  );
  expect(names).toEqual(["gw-first+file:///a", "gw-third+x:y"]);
  expect(messages).toEqual([
    expect.stringContaining("only those of the provider whose namespace it is are offered"),
    expect.stringContaining("`gw-first+file:///b`"),
    expect.stringContaining("the same URI template"),
  ]);
});

test("a catalog without any has no lists, and one that gets some is another", () => {
  const tools = [makeTool("a")];
  const none = mergeCatalog([makeProviderCatalog("first", tools)], places).catalog;
  expect("offerings" in none).toBe(false);
  const some = mergeCatalog(
    [makeMcpCatalog("first", makeFeatures({ prompts: ["a"] }), { tools })],
    places,
  ).catalog;
  const more = mergeCatalog(
    [makeMcpCatalog("first", makeFeatures({ prompts: ["b"] }), { tools })],
    places,
  ).catalog;
  expect(new Set([none.version, some.version, more.version]).size).toBe(3);
});
