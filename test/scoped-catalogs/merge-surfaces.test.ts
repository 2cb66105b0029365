import { expect, test } from "vitest";
import type { ShownSurface } from "../../src/providers/surface-status.ts";
import { createIndexCache } from "../../src/scoped-catalogs/index-cache.ts";
import { mergeSurfaces } from "../../src/scoped-catalogs/merge-surfaces.ts";
import { makeProviderCatalog, makeTool } from "../catalog/fixtures.ts";

function shown(
  state: ShownSurface["summary"]["state"],
  names: readonly string[],
  reason?: string,
): ShownSurface {
  return {
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
  const starting: ShownSurface = {
    summary: { kind: "mcp", state: "starting", reason: undefined, tools: 0 },
    exposed: undefined,
  };
  const merged = mergeSurfaces("mcp", [starting, shown("ready", ["a"])]);
  expect(merged.summary).toMatchObject({ state: "ready", tools: 1 });
});

test("somebody has to connect only where no instance has, or may yet have, tools", () => {
  const awaiting: ShownSurface = {
    summary: { kind: "mcp", state: "disabled", reason: "Connect it again.", tools: 0, awaits: "main" },
    exposed: undefined,
  };
  expect(mergeSurfaces("mcp", [awaiting, awaiting]).summary).toMatchObject({ awaits: "main", tools: 0 });
  for (const state of ["ready", "starting", "unavailable", "stale"] as const)
    expect(mergeSurfaces("mcp", [awaiting, shown(state, [])]).summary).not.toHaveProperty("awaits");
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
