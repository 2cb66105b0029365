import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mergeCatalog } from "../../src/catalog/merge.ts";
import { type CatalogView, createSurfaceView, createView, indexCatalog } from "../../src/catalog/view.ts";
import type { ProviderCatalog } from "../../src/model/catalog.ts";
import { makeFeatures, makeMcpCatalog, makeProviderCatalog, makeTool } from "./fixtures.ts";

const bare = { toolPrefix: "" };

function viewOf(...providers: readonly ProviderCatalog[]): CatalogView {
  return createView(mergeCatalog(providers, new Map()).catalog, "mcp");
}

describe("where a resource is read", () => {
  const files = makeMcpCatalog(
    "files",
    makeFeatures({
      resources: ["file:///a", "https://x.test/listed"],
      templates: ["file:///{dir}/{name}", "file:///deep/{name}.txt", "https://x.test/{page}"],
    }),
  );
  const open = makeMcpCatalog(
    "open",
    makeFeatures({ resources: ["memo://a"], templates: ["memo://{id}", "memo://long/{id}"] }),
    bare,
  );
  const view = viewOf(files, open);

  test.each([
    ["gw-files+file:///a", "files", "file:///a", "gw-files+file:///a"],
    ["gw-files+file:///b/c", "files", "file:///b/c", "gw-files+file:///{dir}/{name}"],
    ["gw-files+file:///deep/c.txt", "files", "file:///deep/c.txt", "gw-files+file:///deep/{name}.txt"],
    ["gw-files+other:x", "files", "other:x", undefined],
    ["https://x.test/listed", "files", "https://x.test/listed", "https://x.test/listed"],
    ["https://x.test/other", "files", "https://x.test/other", "https://x.test/{page}"],
    ["memo://a", "open", "memo://a", "memo://a"],
    ["memo://b", "open", "memo://b", "memo://{id}"],
    ["memo://long/b", "open", "memo://long/b", "memo://long/{id}"],
    ["file:///a", "open", "file:///a", undefined],
    ["https://y.test/", "open", "https://y.test/", undefined],
    ["gw-nobody+file:///a", "open", "gw-nobody+file:///a", undefined],
  ])("%s", (uri, provider, own, offering) => {
    const target = view.findResource(uri);
    expect(target).toMatchObject({ provider, uri: own });
    expect(target?.offering?.name).toBe(offering);
  });

  test("is nowhere where several might have it, or none", () => {
    const more = makeMcpCatalog("more", makeFeatures({ templates: ["memo://{other}"] }), bare);
    expect(viewOf(open, more).findResource("x:y")).toBeUndefined();
    expect(viewOf(open, more).findResource("memo://b")).toBeUndefined();
    expect(viewOf(open, more).findResource("memo://long/b")).toMatchObject({ provider: "open" });
    expect(viewOf(files).findResource("file:///a")).toBeUndefined();
    expect(viewOf(makeProviderCatalog("books", [])).findResource("x:y")).toBeUndefined();
  });

  test("one that lists resources is meant rather than one that has none", () => {
    const empty = makeMcpCatalog("empty", makeFeatures({}), bare);
    expect(viewOf(open, empty).findResource("x:y")).toMatchObject({ provider: "open" });
    expect(viewOf(files, empty).findResource("x:y")).toMatchObject({ provider: "empty" });
  });

  test("what belongs to a server that is not there yet is nobody else's", () => {
    const { entries: _entries, offerings: _offerings, ...rest } = makeMcpCatalog("later", makeFeatures({}));
    const view = viewOf(open, rest);
    expect(view.findResource("gw-later+file:///a")).toBeUndefined();
    expect(view.findResource("gw-other+file:///a")).toMatchObject({ provider: "open" });
    const hidden = viewOf(open, { ...rest, mcpEnabled: false });
    expect(hidden.findResource("gw-later+file:///a")).toMatchObject({ provider: "open" });
  });

  test("depends on nothing that is hidden", () => {
    const uri = fc.constantFrom(
      ...["file:///a", "gw-files+file:///a", "gw-secret+file:///a", "memo://a", "memo://b", "secret://x", ""],
      "https://x.test/other",
    );
    const template = fc.constantFrom("memo://{x}", "secret://{x}", "{+all}", "https://x.test/{x}");
    fc.assert(
      fc.property(uri, template, fc.boolean(), (asked, listed, isBare) => {
        const features = makeFeatures({ resources: ["secret://x"], templates: [listed] });
        const secret = {
          ...makeMcpCatalog("secret", features, isBare ? bare : {}),
          mcpEnabled: false,
        };
        const [seen, alone] = [viewOf(files, open, secret), viewOf(files, open)];
        expect(seen.findResource(asked)).toEqual(alone.findResource(asked));
        expect(seen.findTemplate(listed)).toEqual(alone.findTemplate(listed));
        expect(seen.offerings).toEqual(alone.offerings);
        expect(seen.findEntry("secret", "resources")).toBeUndefined();
        expect(seen.freshness).toEqual(alone.freshness);
      }),
    );
  });
});

test("what is found is what is listed", () => {
  const view = viewOf(makeMcpCatalog("files", makeFeatures({ prompts: ["ask"], templates: ["x:{a}"] })));
  expect(view.findPrompt("files_ask")).toBe(view.offerings.prompts[0]);
  expect(view.findPrompt("ask")).toBeUndefined();
  expect(view.findTemplate("gw-files+x:{a}")).toBe(view.offerings.templates[0]);
  expect(view.findEntry("files", "prompts")?.operation).toBe("prompts/get");
  expect(view.findEntry("nobody", "prompts")).toBeUndefined();
});

describe("how long lists keep", () => {
  const fresh = (name: string, ttlMs: number, scope: "public" | "private"): ProviderCatalog =>
    makeMcpCatalog(name, makeFeatures({}, { ttlMs, scope }));
  const declared = makeProviderCatalog("books", [makeTool("a")]);
  const away: ProviderCatalog = {
    ...fresh("away", 5_000, "public"),
    surfaces: [{ kind: "mcp", state: "unavailable", reason: "It is away.", tools: 0 }],
  };

  const awaiting: ProviderCatalog = {
    ...fresh("awaiting", 5_000, "public"),
    surfaces: [{ kind: "mcp", state: "disabled", reason: "Connect it.", tools: 0, awaits: "default" }],
  };

  test.each<[string, readonly ProviderCatalog[], number]>([
    ["declared alone", [declared], 60_000],
    ["the shortest", [declared, fresh("a", 5_000, "public"), fresh("b", 9_000, "public")], 5_000],
    ["a minute at most", [fresh("a", 3_600_000, "public")], 60_000],
    ["none where a server does not say", [fresh("a", 0, "public"), fresh("b", 5_000, "public")], 0],
    ["none while something is missing", [declared, away], 0],
    ["none while somebody has to connect something first", [declared, awaiting], 0],
  ])("%s", (_name, providers, ttlMs) => {
    expect(viewOf(...providers).freshness).toEqual({ ttlMs, scope: "private" });
  });

  test("they are everybody's only where all get them and all servers say so", () => {
    const scopeOf = (isEverybodys: boolean, ...providers: readonly ProviderCatalog[]): string =>
      createSurfaceView(indexCatalog(mergeCatalog(providers, new Map()).catalog), "mcp", isEverybodys)
        .freshness.scope;
    expect(scopeOf(true, declared, fresh("a", 1, "public"))).toBe("public");
    expect(scopeOf(true, declared, fresh("a", 1, "private"))).toBe("private");
    expect(scopeOf(false, declared, fresh("a", 1, "public"))).toBe("private");
  });
});
