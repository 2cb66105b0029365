import {
  type CatalogIndex,
  type CatalogView,
  isAwaiting,
  isIncomplete,
  selectView,
} from "../catalog/view.ts";
import type { ProviderCatalog } from "../model/catalog.ts";
import type { Feature } from "../model/features.ts";
import type { BoundedCache } from "./bounded-cache.ts";
import type { Caller } from "./caller.ts";
import { decide, mayUseProvider } from "./decide.ts";
import { noticeFor } from "./notice.ts";
import type { Rules } from "./rules.ts";

/** What views of one catalog are made with. */
export interface ViewOptions {
  readonly surface: "mcp" | "api";
  readonly rules: Rules;
  /** Whether all callers are one and the same principal. */
  readonly isEverybodys: boolean;
  /** The views there are, by what is in them: what two callers see alike is one view. */
  readonly views: BoundedCache<CatalogView>;
}

const features: readonly Feature[] = ["prompts", "resources", "methods"];

/**
 * Makes the view of a caller: exactly the tools, and of MCP servers the features, about which {@link decide} does not say `denied`.
 *
 * @param whole the view with all that the surface has.
 */
export function buildView(
  caller: Caller,
  index: CatalogIndex,
  whole: CatalogView,
  { surface, rules, isEverybodys, views }: ViewOptions,
): CatalogView {
  const { catalog } = index;
  const providers = new Map(catalog.providers.map((provider) => [provider.name, provider]));
  const included = new Uint8Array(Math.ceil(catalog.tools.length / 8));
  const visible = new Set<string>();
  let count = 0;
  let farthest = 0;
  for (const [position, tool] of catalog.tools.entries()) {
    const provider = providers.get(tool.provider);
    if (provider === undefined) continue;
    const { outcome, passed } = decide(caller, { tool, provider, surface }, rules);
    farthest = Math.max(farthest, passed);
    if (outcome === "denied") continue;
    included[position >> 3] = (included[position >> 3] ?? 0) | (1 << (position & 7));
    visible.add(tool.provider);
    count += 1;
  }
  const allowed = new Set<string>();
  let denied = 0;
  for (const provider of catalog.providers) {
    for (const feature of features) {
      const tool = provider.entries?.[feature];
      if (tool === undefined || (surface === "mcp" && !provider.mcpEnabled)) continue;
      const { outcome } = decide(caller, { tool, provider, surface }, rules);
      if (outcome === "denied") {
        denied += 1;
        continue;
      }
      allowed.add(`${provider.name} ${feature}`);
      visible.add(provider.name);
    }
  }
  const allows = (provider: ProviderCatalog, feature: Feature): boolean =>
    allowed.has(`${provider.name} ${feature}`);
  const named = new Set(
    catalog.providers.filter((provider) => {
      if (visible.has(provider.name)) return true;
      // One that has tools, none of them for this caller, is not theirs to know of, unless more may come.
      if (provider.tools.length > 0 && !mayGrow(provider)) return false;
      return mayUseProvider(caller, provider, surface, rules);
    }),
  );
  const isOffered = (provider: ProviderCatalog): boolean => {
    const { prompts = [], resources = [], templates = [] } = provider.offerings ?? {};
    if (allows(provider, "prompts") && prompts.length > 0) return true;
    return allows(provider, "resources") && resources.length + templates.length > 0;
  };
  const isEmpty = count === 0 && ![...named].some((provider) => mayGrow(provider) || isOffered(provider));
  const notice = isEmpty ? noticeFor(caller, catalog, farthest) : undefined;
  if (notice === undefined && denied === 0 && isWhole(whole, count, named)) return whole;
  const bits = Buffer.from(included.buffer).toString("base64");
  const names = JSON.stringify([[...named].map(({ name }) => name), [...allowed], notice ?? null]);
  return views.get(`${bits} ${names}`, () =>
    selectView(index, {
      includes: (position) => ((included[position >> 3] ?? 0) & (1 << (position & 7))) !== 0,
      names: (provider) => named.has(provider),
      allows,
      isEverybodys,
      notice,
    }),
  );
}

/** Whether a provider may have more tools later, by itself or once somebody has connected it. */
function mayGrow(provider: ProviderCatalog): boolean {
  return isIncomplete(provider) || isAwaiting(provider);
}

/** Only tools of the surface pass, so as many are the same. */
function isWhole(whole: CatalogView, count: number, named: ReadonlySet<ProviderCatalog>): boolean {
  return whole.tools.length === count && whole.providers.length === named.size;
}
