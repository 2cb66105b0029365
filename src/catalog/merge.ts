import { createHash } from "node:crypto";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Catalog, ProviderCatalog, Tool } from "../model/catalog.ts";
import type { Place } from "../model/place.ts";

/** A merged catalog and what stood in the way of a complete one. */
export interface MergedCatalog {
  readonly catalog: Catalog;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Merges what all providers contribute into one catalog.
 *
 * Where tools share a name, letter case aside, a declared one beats those that upstreams supply; equals are all withheld and
 * reported, so that no caller reaches a tool only because its provider came first.
 *
 * @param places where each provider is declared, for collisions of operations that have no place of their own.
 */
export function mergeCatalog(
  providers: readonly ProviderCatalog[],
  places: ReadonlyMap<string, Place>,
): MergedCatalog {
  const claims = new Map<string, Tool[]>();
  for (const provider of providers) {
    for (const tool of provider.tools) {
      const key = tool.name.toLowerCase();
      const claimants = claims.get(key);
      if (claimants === undefined) claims.set(key, [tool]);
      else claimants.push(tool);
    }
  }
  const withheld = new Set<Tool>();
  const diagnostics: Diagnostic[] = [];
  for (const claimants of claims.values()) {
    if (claimants.length === 1) continue;
    const declared = claimants.filter((tool) => tool.origin === "declared");
    const contenders = declared.length > 0 ? declared : claimants;
    for (const tool of claimants) {
      if (contenders.length > 1 || tool !== contenders[0]) withheld.add(tool);
    }
    diagnostics.push(describeCollision(claimants, contenders, places));
  }
  const merged = providers.map((provider) => ({
    ...provider,
    tools: provider.tools.filter((tool) => !withheld.has(tool)),
  }));
  const tools = merged
    .flatMap((provider) => provider.tools)
    .toSorted((first, second) => compareCodePoints(first.name, second.name));
  return { catalog: { version: digest(merged, tools), providers: merged, tools }, diagnostics };
}

/** An empty catalog, before any provider has arrived. */
export const emptyCatalog: Catalog = mergeCatalog([], new Map()).catalog;

function describeCollision(
  claimants: readonly Tool[],
  contenders: readonly Tool[],
  places: ReadonlyMap<string, Place>,
): Diagnostic {
  const name = claimants[0]?.name ?? "";
  const listed = claimants.map(describeTool).join(" and ");
  const places_ = claimants.map((tool) => ({
    message: describeTool(tool),
    place: tool.place ?? places.get(tool.provider),
  }));
  const [first, ...others] = places_;
  const related = others.flatMap(({ message, place }) => (place === undefined ? [] : [{ message, place }]));
  return {
    severity: contenders.length > 1 ? "error" : "warning",
    code: "name-collision",
    message:
      contenders.length > 1
        ? `${listed} compile to the same tool name \`${name}\`; none of them is offered. Set another \`mcp.tool_prefix\`, or an \`alias\` under \`allowed_operations\`.`
        : `${listed} have the same tool name \`${name}\`; the declared one is offered. Set another \`mcp.tool_prefix\` to offer both.`,
    ...(first?.place === undefined ? {} : { place: first.place }),
    ...(related.length === 0 ? {} : { related }),
  };
}

function describeTool(tool: Tool): string {
  return `\`${tool.method} ${tool.path}\` of provider \`${tool.provider}\` (${tool.surface})`;
}

function compareCodePoints(first: string, second: string): number {
  return first < second ? -1 : first > second ? 1 : 0;
}

function digest(providers: readonly ProviderCatalog[], tools: readonly Tool[]): string {
  const hash = createHash("sha256");
  for (const { name, state, reason, mcpEnabled } of providers) {
    hash.update(JSON.stringify([name, state, reason, mcpEnabled]));
  }
  for (const tool of tools) hash.update(JSON.stringify(tool));
  return hash.digest("hex").slice(0, 16);
}
