import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Catalog, ProviderCatalog, Tool } from "../model/catalog.ts";
import type { Place } from "../model/place.ts";
import { type Collision, describeCollisions } from "./describe-collisions.ts";
import { digestOf } from "./digest.ts";
import { limitTools } from "./limit-tools.ts";
import { type MergedOfferings, mergeOfferings } from "./merge-offerings.ts";
import { makeOfferings, offeringKinds } from "./offerings.ts";

/** A merged catalog and what stood in the way of a complete one. */
export interface MergedCatalog {
  readonly catalog: Catalog;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Merges what all providers contribute into one catalog.
 *
 * Where tools share a name, letter case aside, a declared one beats those that upstreams supply; equals are all withheld and
 * reported, so that no caller reaches a tool only because its provider came first. Prompts, resources and templates likewise.
 *
 * @param places where each provider is declared, for collisions of operations that have no place of their own.
 * @param mostTools how many a tenant may be offered; see {@link limitTools}. Default: any number.
 */
export function mergeCatalog(
  all: readonly ProviderCatalog[],
  places: ReadonlyMap<string, Place>,
  mostTools: number = Number.POSITIVE_INFINITY,
): MergedCatalog {
  const { providers, leftOut, diagnostics } = limitTools(all, mostTools, places);
  const collisions = findCollisions(providers.flatMap(({ tools }) => tools));
  const withheld = new Set(
    collisions.flatMap(({ claimants, winner }) => claimants.filter((tool) => tool !== winner)),
  );
  const besides = mergeOfferings(providers, places);
  const merged = providers.map((provider) => withholdOfferings(withhold(provider, withheld), besides));
  const tools = merged
    .flatMap((provider) => provider.tools)
    .toSorted((first, second) => (first.name < second.name ? -1 : first.name > second.name ? 1 : 0));
  const version = digestOf([
    ...providers.map((provider) => provider.version),
    ...[...withheld, ...besides.withheld].map(({ provider, name }) => [provider, name]),
    ...leftOut.map((provider) => [provider]),
  ]);
  const hasMore = offeringKinds.some((kind) => besides.offerings[kind].length > 0);
  return {
    catalog: { version, providers: merged, tools, ...(hasMore && { offerings: besides.offerings }) },
    diagnostics: [...diagnostics, ...describeCollisions(collisions, places), ...besides.diagnostics],
  };
}

/** An empty catalog, before any provider has arrived. */
export const emptyCatalog: Catalog = mergeCatalog([], new Map()).catalog;

function findCollisions(tools: readonly Tool[]): readonly Collision[] {
  const claims = Map.groupBy(tools, ({ name }) => name.toLowerCase());
  return [...claims.values()].flatMap((claimants) => {
    if (claimants.length === 1) return [];
    const declared = claimants.filter(({ origin }) => origin === "declared");
    return [{ claimants, winner: declared.length === 1 ? declared[0] : undefined }];
  });
}

function withhold(provider: ProviderCatalog, withheld: ReadonlySet<Tool>): ProviderCatalog {
  if (!provider.tools.some((tool) => withheld.has(tool))) return provider;
  const tools = provider.tools.filter((tool) => !withheld.has(tool));
  const surfaces = provider.surfaces.map((surface) => ({
    ...surface,
    tools: tools.filter(({ surface: kind }) => kind === surface.kind).length,
  }));
  return { ...provider, surfaces, tools };
}

function withholdOfferings(provider: ProviderCatalog, { withheld }: MergedOfferings): ProviderCatalog {
  const { offerings } = provider;
  if (offerings === undefined || withheld.size === 0) return provider;
  const left = makeOfferings((kind) => offerings[kind].filter((offering) => !withheld.has(offering)));
  return { ...provider, offerings: left };
}
