import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import type { ProviderCatalog } from "../../src/model/catalog.ts";
import type { AuthorizationConfig } from "../../src/model/config.ts";
import type { Feature } from "../../src/model/features.ts";
import type { Principal } from "../../src/model/principal.ts";
import { makeFeatures, makeMcpCatalog } from "../catalog/fixtures.ts";
import { principalOf } from "../principals.ts";
import { createUniverse, policyOf, providerOf, toolOf } from "./universe.ts";

const features: readonly Feature[] = ["prompts", "resources", "methods"];
const listed = makeFeatures({ prompts: ["ask"], resources: ["x:a"], templates: ["x:{a}"] });
const wiki = makeMcpCatalog("wiki", listed, { tools: [toolOf("wiki/get"), toolOf("wiki/delete")] });
const notes = makeMcpCatalog("notes", listed);
const bare = makeMcpCatalog("bare", makeFeatures({ resources: ["y:b"] }), { toolPrefix: "" });
const providers: readonly ProviderCatalog[] = [
  wiki,
  notes,
  bare,
  { ...makeMcpCatalog("acme", listed), tenants: ["acme"] },
  { ...makeMcpCatalog("inner", listed), mcpEnabled: false },
  providerOf("books", ["get", "put"]),
];

/** Which features a principal gets, as `wiki prompts`. */
function allowed(who: Principal, settings: Partial<AuthorizationConfig>, of = providers): readonly string[] {
  const view = createUniverse(settings, of).authorizer.view(who, "mcp");
  return of.flatMap(({ name }) =>
    features.filter((feature) => view.findEntry(name, feature)).map((feature) => `${name} ${feature}`),
  );
}

describe("who gets what an MCP server has besides tools", () => {
  const withScopes = (...scopes: readonly string[]): Principal =>
    principalOf("user", "ada", "default", { scopes });

  test.each<[string, readonly string[]]>([
    ["wiki", ["prompts", "resources", "methods"]],
    ["wiki/*", ["prompts", "resources", "methods"]],
    ["*", ["prompts", "resources", "methods"]],
    ["read:wiki", ["prompts", "resources"]],
    ["read:*", ["prompts", "resources"]],
    ["wiki/prompts*", ["prompts"]],
    ["wiki/get", []],
    ["wiki/get*", []],
    ["wiki/methods", []],
    ["books", []],
  ])("a token for %s", (scope, expected) => {
    const found = allowed(withScopes(scope), {}, [wiki]);
    expect(found).toEqual(expected.map((feature) => `wiki ${feature}`));
    const roles = { r: { description: undefined, scopes: [scope], scopeOrigins: [] } };
    const byRole = allowed(principalOf("user", "ada", "default", { roles: ["r"] }), { roles }, [wiki]);
    expect(byRole).toEqual(found);
  });

  test("a tenant that selects single tools gets none, one that selects the provider or its prefix all", () => {
    const select = (chosen: readonly string[], tools: readonly string[]): Principal =>
      principalOf("user", "ada", "default", { exposure: { kind: "selected", providers: chosen, tools } });
    expect(allowed(select([], ["wiki_get"]), {})).toEqual([]);
    expect(allowed(select(["wiki"], []), {})).toHaveLength(3);
    expect(allowed(select([], ["wiki_*"]), {})).toHaveLength(3);
  });

  test("policies see them as operations that read, and methods as one that destroys", () => {
    const who = principalOf("user");
    expect(allowed(who, { destructive: "deny" }, [wiki])).toEqual(["wiki prompts", "wiki resources"]);
    const byName = policyOf("deny", "tool.operation == 'prompts/get'");
    expect(allowed(who, { policies: [byName] }, [wiki])).toEqual(["wiki resources", "wiki methods"]);
  });

  test("policies look at the params", () => {
    const policy = policyOf("deny", "tool.operation == 'resources/read' && arguments.uri.startsWith('x:s')");
    const { authorizer, snapshot } = createUniverse({ policies: [policy] }, [wiki]);
    const entry = snapshot.catalog.providers[0]?.entries?.resources;
    if (entry === undefined) throw new Error("There is no entry.");
    const read = (uri: string) => () => authorizer.checkArguments(principalOf("user"), entry, { uri });
    expect(read("x:a")).not.toThrow();
    expect(read("x:secret")).toThrow(GatewayError);
    // What can't be decided counts as denied.
    expect(() => authorizer.checkArguments(principalOf("user"), entry, {})).toThrow(GatewayError);
  });
});

test("a provider of which somebody gets prompts alone is named, with nothing else of it", () => {
  const scopes = ["wiki/prompts*"];
  const view = createUniverse({}, providers).authorizer.view(
    principalOf("user", "ada", "default", { scopes }),
    "mcp",
  );
  expect(view.tools).toEqual([]);
  expect(view.notice).toBeUndefined();
  expect(view.providers).toMatchObject([
    { name: "wiki", tools: [], offerings: { resources: [], templates: [] } },
  ]);
  expect(Object.keys(view.providers[0]?.entries ?? {})).toEqual(["prompts"]);
  expect(view.offerings.prompts.map(({ name }) => name)).toEqual(["wiki_ask"]);
  expect(view.offerings.resources).toEqual([]);
});

const scopes = fc.array(
  fc.constantFrom("*", "wiki", "read:*", "wiki/get", "notes/prompts*", "bare", "*/resources*", "books"),
  { maxLength: 3 },
);
const condition = fc.constantFrom(
  ...["tool.destructive", "tool.read_only", "tool.provider == 'wiki'", "tool.operation == 'prompts/get'"],
  ...[
    "tool.surface == 'mcp'",
    "has(arguments.uri)",
    "arguments.uri == 'x:a'",
    "'r' in principal.roles",
    "true",
  ],
);
const effect = fc.constantFrom("allow", "deny");
const role = scopes.map((list) => ({ description: undefined, scopes: list, scopeOrigins: [] }));
const settings: fc.Arbitrary<AuthorizationConfig> = fc.record({
  default: effect,
  destructive: effect,
  roles: fc.option(fc.record({ r: role, anonymous: role }), { nil: undefined }),
  policies: fc.array(
    fc.tuple(effect, condition).map(([does, when]) => policyOf(does, when)),
    { maxLength: 3 },
  ),
});
const principal: fc.Arbitrary<Principal> = fc
  .record({
    kind: fc.constantFrom<Principal["kind"]>("anonymous", "user", "service", "operator"),
    tenant: fc.constantFrom("default", "acme"),
    roles: fc.subarray(["r", "s"]),
    scopes: fc.option(scopes, { nil: undefined }),
    exposure: fc.oneof(
      fc.constant<Principal["exposure"]>({ kind: "all" }),
      fc.record({
        kind: fc.constant("selected" as const),
        providers: fc.subarray(["wiki", "notes", "acme"]),
        tools: fc.subarray(["wiki_*", "*_get", "resources/*"]),
      }),
    ),
  })
  .map(({ kind, tenant, ...rest }) => principalOf(kind, kind, tenant, rest));

test("what is listed is what may be called, and an explanation says the same", () => {
  fc.assert(
    fc.property(principal, settings, fc.constantFrom("mcp", "api"), (who, rules, surface) => {
      const { authorizer } = createUniverse(rules, providers);
      const view = authorizer.view(who, surface);
      for (const { name, entries = {}, offerings } of providers) {
        for (const feature of features) {
          const entry = entries[feature];
          const isAllowed = view.findEntry(name, feature) !== undefined;
          const outcome = entry && authorizer.explain(who, surface, entry.name).outcome;
          expect(isAllowed).toBe(entry !== undefined && outcome !== "denied");
          if (isAllowed && entry !== undefined) expect(authorizer.couldAllow(who, entry)).toBe(true);
          if (isAllowed) expect(view.providers.some((provider) => provider.name === name)).toBe(true);
        }
        const shown = view.providers.find((provider) => provider.name === name);
        for (const [kind, feature] of [
          ["prompts", "prompts"],
          ["resources", "resources"],
          ["templates", "resources"],
        ] as const) {
          const isAllowed = view.findEntry(name, feature) !== undefined;
          const expected = isAllowed ? (offerings?.[kind] ?? []) : [];
          expect(view.offerings[kind].filter(({ provider }) => provider === name)).toEqual(expected);
          expect(shown?.offerings?.[kind] ?? []).toEqual(expected);
          for (const offering of offerings?.[kind] ?? []) {
            const found = {
              prompts: view.findPrompt(offering.name),
              resources: view.findResource(offering.name)?.offering,
              templates: view.findTemplate(offering.name),
            }[kind];
            if (isAllowed) expect(found).toBe(offering);
            else expect(found?.provider).not.toBe(name);
          }
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("hidden and unknown are the same, whatever is asked for", () => {
  const uri = fc.constantFrom(
    "x:a",
    "y:b",
    "gw-wiki+x:a",
    "gw-wiki+x:z",
    "gw-notes+x:a",
    "gw-acme+x:a",
    "z:c",
  );
  fc.assert(
    fc.property(principal, settings, uri, (who, rules, asked) => {
      const seen = createUniverse(rules, providers).authorizer.view(who, "mcp");
      const readable = providers.filter(({ name }) => seen.findEntry(name, "resources"));
      const alone = createUniverse(rules, readable).authorizer.view(who, "mcp");
      expect(seen.findResource(asked)).toEqual(alone.findResource(asked));
    }),
    { numRuns: 500 },
  );
});

test("views are shared only by those who get the same features", () => {
  const { authorizer, snapshot } = createUniverse({ destructive: "deny" }, [notes]);
  const settled = authorizer.view(principalOf("user"), "mcp");
  expect(settled).not.toBe(snapshot.view("mcp"));
  expect(settled.findEntry("notes", "methods")).toBeUndefined();
  expect(authorizer.view(principalOf("user", "bob"), "mcp")).toBe(settled);
  const [narrow, narrower] = ["read:notes", "notes/prompts*"].map((scope) =>
    authorizer.view(principalOf("user", "ada", "default", { scopes: [scope] }), "mcp"),
  );
  expect(narrow).toBe(settled);
  expect(narrower).not.toBe(settled);
});
