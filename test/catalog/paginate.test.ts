import { describe, expect, test } from "vitest";
import { exposeSurface, findUnmatchedSelections } from "../../src/catalog/expose.ts";
import type { HttpBinding, Operation } from "../../src/model/catalog.ts";
import type { Pagination, ProviderConfig } from "../../src/model/config.ts";
import { makeOperation, makeProvider, placeAt, restSurface } from "./fixtures.ts";

const base = {
  more: undefined,
  items: undefined,
  limitParameter: undefined,
  pageSize: undefined,
  maxPages: 10,
  place: placeAt(5),
};
const byPage: Pagination = {
  ...base,
  next: { style: "page", parameter: { name: "page", in: "query" }, firstPage: 1 },
};
const byLink: Pagination = { ...base, next: { style: "link", url: undefined } };
const entry = {
  alias: undefined,
  description: undefined,
  responseMapping: undefined,
  pagination: undefined,
  place: placeAt(9),
};

function operation(
  id: string,
  changes: Partial<Operation> & { readonly parameters?: readonly string[] } = {},
): Operation {
  const { parameters = [], ...rest } = changes;
  const made = makeOperation(id, rest);
  const binding: HttpBinding = {
    kind: "http",
    method: made.method,
    baseUrl: "https://api.example.com",
    addressFrom: "operator",
    path: made.path,
    parameters: parameters.map((name) => ({
      argument: name,
      name,
      in: "query",
      style: "form",
      explode: true,
      allowReserved: false,
      required: false,
      content: undefined,
      default: undefined,
    })),
    body: undefined,
    accept: "*/*",
  };
  return "binding" in rest ? made : { ...made, binding };
}

/** The ids of the tools that take `_max_pages`, and the most pages of each. */
function paginated(operations: readonly Operation[], overrides: Partial<ProviderConfig>) {
  const provider = makeProvider("shop", overrides);
  const tools = exposeSurface(provider, { surface: restSurface, operations, origin: "declared" });
  return tools.flatMap((tool) => {
    const properties = Object(tool.inputSchema["properties"]);
    const hasPagination = tool.binding.kind === "http" && tool.binding.pagination !== undefined;
    expect("_max_pages" in properties).toBe(hasPagination);
    return hasPagination ? [`${tool.id} ${properties["_max_pages"].maximum}`] : [];
  });
}

function complaints(operations: readonly Operation[], overrides: Partial<ProviderConfig>) {
  const provider = makeProvider("shop", overrides);
  const surfaces = [{ surface: restSurface, operations, origin: "declared" as const }];
  return findUnmatchedSelections(provider, surfaces).map(({ code, place }) => `${code} ${place?.line}`);
}

const changing = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true };
const operations = [
  operation("list", { parameters: ["page"] }),
  operation("get", { path: "/things/{id}" }),
  operation("other"),
  operation("create", { method: "POST", parameters: ["page"], annotations: changing }),
  operation("tool", { binding: { kind: "mcp", tool: "tool" } }),
];

describe("which operations come in pages", () => {
  test.each<[string, Partial<ProviderConfig>, readonly string[]]>([
    ["none by default", {}, []],
    ["those that have the parameter and only read", { pagination: byPage }, ["list 10"]],
    ["by link all that read, but those of one thing", { pagination: byLink }, ["list 10", "other 10"]],
    [
      "by an entry, that of one thing too",
      { allowedOperations: { get: { ...entry, pagination: byLink } } },
      ["get 10"],
    ],
    [
      "the entry's goes before the provider's",
      {
        pagination: byPage,
        allowedOperations: { list: { ...entry, pagination: { ...byPage, maxPages: 3 } }, other: entry },
      },
      ["list 3"],
    ],
  ])("%s", (_what, overrides, expected) => {
    expect(paginated(operations, overrides)).toEqual(expected);
  });

  test("its own declaration goes before the provider's", () => {
    const own = operation("own", { path: "/{id}" });
    const { binding } = own;
    if (binding.kind !== "http") throw new Error("No HTTP binding.");
    const declared = { ...own, binding: { ...binding, pagination: { ...byLink, maxPages: 7 } } };
    expect(paginated([declared], { pagination: byPage })).toEqual(["own 7"]);
  });

  test("one page at most offers no argument, and still tells of the next", () => {
    const provider = makeProvider("shop", { pagination: { ...byPage, maxPages: 1 } });
    const [tool] = exposeSurface(provider, { surface: restSurface, operations, origin: "declared" });
    expect(tool?.inputSchema).toEqual({ type: "object", properties: {} });
    expect(tool?.binding).toMatchObject({ pagination: { maxPages: 1 } });
  });
});

describe("a pagination that is for no operation is reported", () => {
  test.each<[string, Partial<ProviderConfig>, readonly string[]]>([
    ["not where one has the parameter", { pagination: byPage }, []],
    [
      "of the provider",
      {
        pagination: {
          ...byPage,
          next: { style: "offset", parameter: { name: "skip", in: "query" } },
        },
      },
      ["unmatched-pagination 5"],
    ],
    [
      "of an entry",
      { allowedOperations: { other: { ...entry, pagination: byPage } } },
      ["unmatched-pagination 5"],
    ],
    [
      "of an operation that changes something",
      { allowedOperations: { create: { ...entry, pagination: byPage } } },
      ["unmatched-pagination 5"],
    ],
  ])("%s", (_what, overrides, expected) => {
    expect(complaints(operations, overrides)).toEqual(expected);
  });

  test("of the operation itself", () => {
    const own = operation("own", { parameters: ["page"] });
    const { binding } = own;
    if (binding.kind !== "http") throw new Error("No HTTP binding.");
    const lost = { ...own, binding: { ...binding, parameters: [], pagination: byPage } };
    expect(complaints([lost], {})).toEqual(["unmatched-pagination 5"]);
    const found = { ...own, binding: { ...binding, pagination: byPage } };
    expect(complaints([found], {})).toEqual([]);
  });
});
