import { describe, expect, test } from "vitest";
import { findUnmatchedGrants } from "../../src/authorization/find-unmatched-grants.ts";
import { mergeCatalog } from "../../src/catalog/merge.ts";
import type { Diagnostic } from "../../src/diagnostics/diagnostic.ts";
import type { ProviderCatalog, ProviderState, Tool } from "../../src/model/catalog.ts";
import { makeFeatures, makeMcpCatalog, makeProviderCatalog, placeAt } from "../catalog/fixtures.ts";
import { providerOf, settingsOf, surfaceIn, toolOf } from "./universe.ts";

/** A tool of an upstream that says that it only reads, which the file does not believe. */
function doubted(text: string): Tool {
  const effects = { readOnly: false, destructive: true, idempotent: false, openWorld: true };
  return toolOf(text, { surface: "mcp", origin: "upstream", effects });
}

const writing = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true };
const usual: readonly ProviderCatalog[] = [
  providerOf("books", ["getBook", "getAuthor", "put"]),
  providerOf("crm", ["put", "deleteOrder"]),
  makeProviderCatalog("wiki", [doubted("wiki/find"), doubted("wiki/read_page")]),
  makeProviderCatalog("jobs", [{ ...doubted("jobs/run"), annotations: writing }]),
  { ...makeProviderCatalog("bare", [toolOf("bare/ping", { name: "ping" })]), toolPrefix: "" },
];

function judge(
  { scopes = [], tools = [] }: { scopes?: readonly string[]; tools?: readonly string[] },
  providers = usual,
  isReference = false,
): readonly Diagnostic[] {
  const originOf = (_text: string, index: number) => ({ place: placeAt(index + 1), isReference });
  const { catalog } = mergeCatalog(providers, new Map());
  return findUnmatchedGrants(catalog, {
    authorization: settingsOf({
      roles: { member: { description: undefined, scopes, scopeOrigins: scopes.map(originOf) } },
    }),
    tenants: {
      default: {
        ...{ id: "default", displayName: "default", toolOrigins: [], place: placeAt(1) },
        exposure: { kind: "all" },
      },
      acme: {
        ...{ id: "acme", displayName: "Acme", toolOrigins: tools.map(originOf), place: placeAt(1) },
        exposure: { kind: "selected", providers: [], tools },
      },
    },
  });
}

const messagesOf = (found: readonly Diagnostic[]): readonly string[] => found.map(({ message }) => message);

describe("scopes", () => {
  test.each([
    ...["*", "books", "books/*", "books/getBook", "books/get*", "b*/p*", "*/put", "read:books", "read:*"],
    ...["read:books/get*", "wiki/find", "jobs", "bare/ping", "read:*/get*"],
    // The file's own checks tell of these.
    ...["ghost", "ghost/find", "write:books", "books/", "$" + "{env:SCOPE}"],
  ])("%s is fine", (scope) => {
    expect(judge({ scopes: [scope] })).toEqual([]);
  });

  test.each([
    ["books/getbook", "it fits no operation of provider `books`. Did you mean `books/getBook`?"],
    ["read:books/getBok", "it fits no operation of provider `books`. Did you mean `read:books/getBook`?"],
    ["books/books_getBook", "it fits no operation of provider `books`. Did you mean `books/getBook`?"],
    ["books/books_get*", "it fits no operation of provider `books`. Did you mean `books/get*`?"],
    ["*/drop", "it fits no operation of the 5 providers that it names. An operation is named like its tool"],
    ["books/list*", "it fits no operation of provider `books`. An operation is named like its tool"],
    ["read:crm", "no tool that it names is known to only read. Remove `read:`"],
    ["read:crm/put", "no tool that it names is known to only read. Remove `read:`"],
    ["read:wiki", "What an upstream MCP server says of its tools is not believed: set `trust_annotations`"],
    [
      "read:wiki/f*",
      "What an upstream MCP server says of its tools is not believed: set `trust_annotations`",
    ],
    ["read:jobs", "no tool that it names is known to only read. Remove `read:`"],
  ])("%s grants nothing", (scope, expected) => {
    const found = judge({ scopes: ["books", scope] });
    expect(found).toMatchObject([{ severity: "warning", code: "unmatched-grant", place: placeAt(2) }]);
    expect(found[0]?.message).toContain(`\`${scope}\` grants nothing: `);
    expect(found[0]?.message).toContain(expected);
  });

  test("a provider without tools is no reason to speak of all of its operations", () => {
    expect(judge({ scopes: ["books", "read:books", "books/*"] }, [providerOf("books", [])])).toEqual([]);
  });
});

describe("tools of tenants", () => {
  test.each(["*", "books_getBook", "books_*", "*_put", "ping", "$" + "{env:TOOL}"])(
    "%s is fine",
    (pattern) => {
      expect(judge({ tools: [pattern] })).toEqual([]);
    },
  );

  test.each([
    ["books_getbook", "it fits no tool. Did you mean `books_getBook`?"],
    ["getBook", "it fits no tool. Did you mean `books_getBook`?"],
    ["boks_get*", "it fits no tool. Here a tool goes by its whole name, as `gateway tools` prints it."],
    ["put", "it fits no tool. Here a tool goes by its whole name, as `gateway tools` prints it."],
  ])("%s grants nothing", (pattern, expected) => {
    const found = judge({ tools: ["ping", pattern] });
    expect(found).toMatchObject([{ severity: "warning", code: "unmatched-grant", place: placeAt(2) }]);
    expect(messagesOf(found)).toEqual([`\`${pattern}\` grants nothing: ${expected}`]);
  });
});

describe("what MCP servers have besides tools counts", () => {
  const tools = [doubted("docs/find")];
  const docs = makeMcpCatalog("docs", makeFeatures({ prompts: ["ask"] }), { tools });

  test("where it is named or may be read", () => {
    const scopes = ["docs/prompts*", "docs/methods*", "read:docs", "read:docs/p*"];
    expect(judge({ scopes, tools: ["docs_prompts*"] }, [docs])).toEqual([]);
  });

  test("and else does not", () => {
    expect(judge({ scopes: ["read:docs/find", "docs/prompt"] }, [docs])).toHaveLength(2);
    const empty = makeMcpCatalog("docs", makeFeatures({}), { tools });
    expect(judge({ scopes: ["read:docs"] }, [empty])).toHaveLength(1);
  });
});

describe("what is not there yet is not missing", () => {
  const withAbsent = (state: ProviderState): readonly ProviderCatalog[] => [
    providerOf("books", ["getBook"]),
    providerOf("crm", ["put"], { surfaces: [{ ...surfaceIn("ready"), tools: 1 }, surfaceIn(state)] }),
  ];
  const grants = {
    scopes: ["crm/find", "read:crm", "*/find", "books/find"],
    tools: ["crm_find", "c*_find", "*find", "books_find"],
  };

  test.each<ProviderState>(["starting", "unavailable", "disabled"])("%s", (state) => {
    expect(messagesOf(judge(grants, withAbsent(state)))).toEqual([
      expect.stringContaining("`books/find`"),
      expect.stringContaining("`books_find`"),
    ]);
  });

  test.each<ProviderState>(["ready", "stale"])("%s is there", (state) => {
    expect(judge(grants, withAbsent(state))).toHaveLength(8);
  });
});

test("what a reference stands for is not shown", () => {
  const found = judge({ scopes: ["books/hunter2"], tools: ["hunter2"] }, usual, true);
  expect(messagesOf(found)).toEqual([
    "What this reference stands for grants nothing: it fits no operation of provider `books`.",
    "What this reference stands for grants nothing: it fits no tool.",
  ]);
});

test("without roles and tenants there is nothing to say", () => {
  const { catalog } = mergeCatalog(usual, new Map());
  expect(findUnmatchedGrants(catalog, { authorization: settingsOf(), tenants: {} })).toEqual([]);
});
