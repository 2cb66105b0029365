import { mergeCatalog } from "../catalog/merge.ts";
import { type CatalogIndex, indexCatalog } from "../catalog/view.ts";
import type { Catalog, ProviderCatalog } from "../model/catalog.ts";
import type { Place } from "../model/place.ts";

/** Most tools, prompts and resources of all catalogs that are kept at a time: some 250 bytes for each, besides these themselves. */
const mostItems = 200_000;
/** Collisions that are remembered, so that each is told once. */
const mostTold = 200;

/** Merged catalogs by what is in them: callers who see the same share one. */
export interface IndexCache {
  /** @param places where each provider is declared. */
  get(providers: readonly ProviderCatalog[], places: ReadonlyMap<string, Place>): CatalogIndex;
}

/**
 * Makes a cache that drops what was not asked for the longest.
 *
 * @param mostTools how many a tenant may be offered, as of now. Default: any number.
 */
export function createIndexCache(
  log: (message: string) => void,
  mostTools: () => number = () => Number.POSITIVE_INFINITY,
): IndexCache {
  const kept = new Map<string, CatalogIndex>();
  const told = new Set<string>();
  let items = 0;

  function make(providers: readonly ProviderCatalog[], places: ReadonlyMap<string, Place>): CatalogIndex {
    const { catalog, diagnostics } = mergeCatalog(providers, places, mostTools());
    for (const { message } of diagnostics) {
      if (told.has(message) || told.size >= mostTold) continue;
      told.add(message);
      log(message);
    }
    return indexCatalog(catalog);
  }

  return {
    get: (providers, places) => {
      const key = `${mostTools()} ${providers.map(({ version }) => version).join(" ")}`;
      const index = kept.get(key) ?? make(providers, places);
      // A map lists its entries as they were put in: the first one is the oldest.
      if (!kept.delete(key)) items += sizeOf(index.catalog);
      kept.set(key, index);
      for (const [oldest, { catalog }] of kept) {
        if (items <= mostItems || oldest === key) break;
        kept.delete(oldest);
        items -= sizeOf(catalog);
      }
      return index;
    },
  };
}

function sizeOf({ tools, offerings }: Catalog): number {
  const { prompts = [], resources = [], templates = [] } = offerings ?? {};
  return tools.length + prompts.length + resources.length + templates.length;
}
