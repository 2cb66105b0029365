import { expect, test } from "vitest";
import { exposeFeatures } from "../../src/catalog/expose-features.ts";
import { createIndexCache } from "../../src/scoped-catalogs/index-cache.ts";
import { mergeSurfaces, type ShownInstance } from "../../src/scoped-catalogs/merge-surfaces.ts";
import {
  makeFeatures,
  makeProvider,
  makeProviderCatalog,
  makeTool,
  mcpSurface,
} from "../catalog/fixtures.ts";

function shown(
  state: ShownInstance["summary"]["state"],
  names: readonly string[],
  reason?: string,
): ShownInstance {
  return {
    instance: "default",
    summary: { kind: "mcp", state, reason, tools: names.length },
    exposed: { tools: names.map((name) => makeTool(name, { description: state })), digest: names.join() },
  };
}

test("the first instance that has a tool gives it, whatever its letters are", () => {
  const merged = mergeSurfaces("mcp", [
    shown("ready", ["a", "b"]),
    shown("stale", ["B", "c"], "It is away."),
  ]);
  expect(merged.exposed?.tools.map(({ name, description }) => `${name} ${description}`)).toEqual([
    "a ready",
    "b ready",
    "c stale",
  ]);
  expect(merged.summary).toEqual({ kind: "mcp", state: "ready", reason: "It is away.", tools: 3 });
});

test("one instance is what it is", () => {
  const only = shown("stale", ["a"]);
  expect(mergeSurfaces("mcp", [only])).toBe(only);
});

test("instances that are not there yet take nothing from the others", () => {
  const starting: ShownInstance = {
    instance: "work",
    summary: { kind: "mcp", state: "starting", reason: undefined, tools: 0 },
    exposed: undefined,
  };
  const merged = mergeSurfaces("mcp", [starting, shown("ready", ["a"])]);
  expect(merged.summary).toMatchObject({ state: "ready", tools: 1 });
});

test("somebody has to connect only where no instance has, or may yet have, tools", () => {
  const awaiting: ShownInstance = {
    instance: "work",
    summary: { kind: "mcp", state: "disabled", reason: "Connect it again.", tools: 0, awaits: "main" },
    exposed: undefined,
  };
  expect(mergeSurfaces("mcp", [awaiting, awaiting]).summary).toMatchObject({ awaits: "main", tools: 0 });
  for (const state of ["ready", "starting", "unavailable", "stale"] as const)
    expect(mergeSurfaces("mcp", [awaiting, shown(state, [])]).summary).not.toHaveProperty("awaits");
});

test("what is offered besides tools says which instances have it", () => {
  const provider = makeProvider("files", { surfaces: [mcpSurface] });
  const offering = (
    instance: string,
    names: Parameters<typeof makeFeatures>[0],
    freshness: Parameters<typeof makeFeatures>[1],
  ): ShownInstance => {
    const offerings = exposeFeatures(provider, mcpSurface, makeFeatures(names));
    const { summary } = shown("ready", []);
    return {
      instance,
      summary,
      exposed: { tools: [], digest: "same", offerings, ...(freshness && { freshness }) },
    };
  };
  const home = offering("default", { prompts: ["ask"], resources: ["x:a"] }, { ttlMs: 9, scope: "public" });
  const work = offering(
    "work",
    { prompts: ["ask", "Ask"], templates: ["x:{a}"] },
    { ttlMs: 5, scope: "private" },
  );
  const { exposed } = mergeSurfaces("mcp", [home, work]);
  const instancesOf = (list: "prompts" | "resources" | "templates") =>
    exposed?.offerings?.[list].map(({ name, instances }) => [name, instances]);
  expect(instancesOf("prompts")).toEqual([["files_ask", ["default", "work"]]]);
  expect(instancesOf("resources")).toEqual([["gw-files+x:a", ["default"]]]);
  expect(instancesOf("templates")).toEqual([["gw-files+x:{a}", ["work"]]]);
  expect(exposed?.freshness).toEqual({ ttlMs: 5, scope: "private" });
  const renamed = mergeSurfaces("mcp", [home, { ...work, instance: "other" }]);
  expect(renamed.exposed?.digest).not.toBe(exposed?.digest);
});

test("catalogs are kept by what is in them, so many that memory is bounded", () => {
  const cache = createIndexCache(() => {});
  const catalogOf = (user: number) => {
    const tools = Array.from({ length: 50_000 }, (_none, index) => makeTool(`t${index}`));
    return { ...makeProviderCatalog("peer", []), version: `v${user}`, tools };
  };
  const first = cache.get([catalogOf(0)], new Map());
  expect(cache.get([catalogOf(0)], new Map())).toBe(first);
  for (const user of [1, 2, 3]) cache.get([catalogOf(user)], new Map());
  expect(cache.get([catalogOf(0)], new Map())).toBe(first);
  // The one that was not asked for the longest makes room.
  const second = cache.get([catalogOf(1)], new Map());
  cache.get([catalogOf(4)], new Map());
  expect(cache.get([catalogOf(1)], new Map())).toBe(second);
  const again = cache.get([catalogOf(2)], new Map());
  expect(cache.get([catalogOf(2)], new Map())).toBe(again);
  for (const user of [5, 6, 7, 8]) cache.get([catalogOf(user)], new Map());
  expect(cache.get([catalogOf(0)], new Map())).not.toBe(first);
});
