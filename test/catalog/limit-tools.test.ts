import { describe, expect, test } from "vitest";
import { limitTools } from "../../src/catalog/limit-tools.ts";
import { mergeCatalog } from "../../src/catalog/merge.ts";
import type { ProviderCatalog } from "../../src/model/catalog.ts";
import { makeProviderCatalog, makeTool } from "./fixtures.ts";

const places = new Map();

/** A provider with so many tools, for everybody or for some tenants. */
function provider(name: string, count: number, tenants?: readonly string[]): ProviderCatalog {
  const tools = Array.from({ length: count }, (_none, at) => makeTool(`${name}_${at}`));
  return { ...makeProviderCatalog(name, tools), tenants };
}

const leftOut = (providers: readonly ProviderCatalog[], most: number): readonly string[] =>
  limitTools(providers, most, places).leftOut;

describe("tools of a tenant", () => {
  const providers = [provider("first", 3), provider("second", 3), provider("third", 2)];

  test.each([
    [9, []],
    [8, []],
    [7, ["third"]],
    [5, ["second"]],
    [2, ["first", "second"]],
    [1, ["first", "second", "third"]],
  ])("where %i may be offered of 3, 3 and 2, these lose theirs: %s", (most, expected) => {
    expect(leftOut(providers, most)).toEqual(expected);
  });

  test("are counted for each tenant, with those that everybody has", () => {
    const own = [provider("all", 2), provider("one", 3, ["one"]), provider("two", 3, ["two"])];
    expect(leftOut(own, 5)).toEqual([]);
    expect(leftOut([...own, provider("both", 1, ["one", "two"])], 5)).toEqual(["both"]);
    expect(leftOut([...own, provider("late", 1)], 5)).toEqual(["late"]);
    expect(leftOut([...own, provider("other", 3, ["three"])], 5)).toEqual([]);
  });

  test("that are left out are told of, and the provider says so itself", () => {
    const { catalog, diagnostics } = mergeCatalog(providers, places, 7);
    expect(diagnostics).toEqual([
      {
        severity: "error",
        code: "too-many-tools",
        message:
          "The 2 tools of provider `third` are left out: with them a tenant would be offered 8, and `limits.catalog.tools` is 7. Choose fewer of its operations, offer it to fewer tenants, or raise the limit.",
      },
    ]);
    expect(catalog.tools).toHaveLength(6);
    expect(catalog.providers[2]).toMatchObject({
      tools: [],
      surfaces: [{ tools: 0, reason: expect.stringContaining("`limits.catalog.tools`") }],
    });
    // Another limit is another catalog.
    expect(mergeCatalog(providers, places, 8).catalog.version).not.toBe(catalog.version);
  });
});
