import type { ProviderCatalog } from "../model/catalog.ts";
import type { Freshness } from "../model/features.ts";

/** However long upstreams' lists keep, ours can change sooner: by a reload, or when somebody's access changes. In ms. */
const longestTtl = 60_000;

/**
 * How long lists of a view keep: as long as the shortest of what is in them, and not at all while something is missing, be it that
 * somebody has to connect it first. They are for all
 * callers alike only where every caller gets this view and all upstreams say so of their part.
 */
export function freshnessOf(
  view: { readonly providers: readonly ProviderCatalog[]; readonly incomplete: readonly ProviderCatalog[] },
  isEverybodys: boolean,
): Freshness {
  const sources = view.providers.flatMap(({ freshness }) => (freshness === undefined ? [] : [freshness]));
  const mayGrow =
    view.incomplete.length > 0 ||
    view.providers.some(({ surfaces }) => surfaces.some(({ awaits }) => awaits !== undefined));
  const ttlMs = mayGrow ? 0 : Math.min(longestTtl, ...sources.map((source) => source.ttlMs));
  const isPublic = isEverybodys && sources.every(({ scope }) => scope === "public");
  return { ttlMs: Math.max(0, ttlMs), scope: isPublic ? "public" : "private" };
}
