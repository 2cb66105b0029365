import type { Catalog, ProviderCatalog, Tool } from "../model/catalog.ts";
import type { Feature, Freshness, Offering, Offerings, ResourceTarget } from "../model/features.ts";
import { findResource } from "./find-resource.ts";
import { freshnessOf } from "./freshness.ts";
import { makeOfferings, noOfferings, type OfferingKind } from "./offerings.ts";

/** What a caller may see. Listing and calling both go through it, so a tool is callable if and only if it is listed. */
export interface CatalogView {
  readonly catalogVersion: string;
  /** In the catalog's order. */
  readonly tools: readonly Tool[];
  findTool(name: string): Tool | undefined;
  findOperation(provider: string, operation: string): Tool | undefined;
  /** What MCP servers have besides tools, as far as the caller may use it: each list in code-point order of names. */
  readonly offerings: Offerings;
  /** A prompt by the name that clients know. */
  findPrompt(name: string): Offering | undefined;
  /** Where a resource is read, by the URI that clients know; `undefined`: nowhere that the caller may read. */
  findResource(uri: string): ResourceTarget | undefined;
  /** A template by the URI template that clients know. */
  findTemplate(template: string): Offering | undefined;
  /** How a feature of a provider's MCP server is called; `undefined`: not by this caller. */
  findEntry(provider: string, feature: Feature): Tool | undefined;
  /** How long lists of this view keep: the shortest of what is in them. */
  readonly freshness: Freshness;
  /** The providers that the caller may know of, with all that they have. */
  readonly providers: readonly ProviderCatalog[];
  /** Those of them that would have more tools if all of their surfaces were there. */
  readonly incomplete: readonly ProviderCatalog[];
  /** What to tell a caller who gets no tools at all, and what to do about it; `undefined` for everybody else. */
  readonly notice: string | undefined;
}

/** Where things are in a catalog, for all views of it. */
export interface CatalogIndex {
  readonly catalog: Catalog;
  /** The position of a tool in the catalog's list, by the final name, exactly. */
  findTool(name: string): number | undefined;
  findOperation(provider: string, operation: string): number | undefined;
  /** What is offered besides tools, by the name that clients know, exactly. */
  findOffering(kind: OfferingKind, name: string): Offering | undefined;
  findProvider(name: string): ProviderCatalog | undefined;
}

/** What of a catalog a view has. */
export interface ViewSelection {
  /** Whether the tool at a position of the catalog's list is in it. */
  includes(position: number): boolean;
  /** Whether callers may know of a provider. */
  names(provider: ProviderCatalog): boolean;
  /** Whether a feature of a provider's MCP server is in it, where the provider offers that. */
  allows(provider: ProviderCatalog, feature: Feature): boolean;
  /** True where every caller gets the same. */
  readonly isEverybodys: boolean;
  readonly notice: string | undefined;
}

/** Makes the index of a catalog, once for all its views. */
export function indexCatalog(catalog: Catalog): CatalogIndex {
  const byName = new Map(catalog.tools.map(({ name }, position) => [name, position]));
  const byOperation = new Map(
    catalog.tools.map(({ provider, operation }, position) => [`${provider}/${operation}`, position]),
  );
  const providers = new Map(catalog.providers.map((provider) => [provider.name, provider]));
  // Most catalogs have none, and are never asked for any.
  const offerings = new Map<OfferingKind, ReadonlyMap<string, Offering>>();
  const offeringsOf = (kind: OfferingKind): ReadonlyMap<string, Offering> => {
    const known = offerings.get(kind);
    if (known !== undefined) return known;
    const named = new Map(
      (catalog.offerings ?? noOfferings)[kind].map((offering) => [offering.name, offering]),
    );
    offerings.set(kind, named);
    return named;
  };
  return {
    catalog,
    findTool: (name) => byName.get(name),
    findOperation: (provider, operation) => byOperation.get(`${provider}/${operation}`),
    findOffering: (kind, name) => offeringsOf(kind).get(name),
    findProvider: (name) => providers.get(name),
  };
}

/**
 * A part of a catalog as a view. It holds little more than the selection until somebody asks for its lists: there may be as many
 * views as there are callers.
 */
export function selectView(index: CatalogIndex, selection: ViewSelection): CatalogView {
  const { catalog } = index;
  const toolAt = (position: number | undefined): Tool | undefined =>
    position !== undefined && selection.includes(position) ? catalog.tools[position] : undefined;
  const allows = (name: string, feature: Feature): ProviderCatalog | undefined => {
    const provider = index.findProvider(name);
    if (provider?.entries?.[feature] === undefined) return undefined;
    return selection.allows(provider, feature) ? provider : undefined;
  };
  const isOffered = (kind: OfferingKind, { provider }: Offering): boolean =>
    allows(provider, featureOf(kind)) !== undefined;
  const find = (kind: OfferingKind, name: string): Offering | undefined => {
    const offering = index.findOffering(kind, name);
    return offering !== undefined && isOffered(kind, offering) ? offering : undefined;
  };
  let tools: readonly Tool[] | undefined;
  let offerings: Offerings | undefined;
  let freshness: Freshness | undefined;
  let providers: readonly ProviderCatalog[] | undefined;
  let incomplete: readonly ProviderCatalog[] | undefined;
  const view: CatalogView = {
    catalogVersion: catalog.version,
    get tools() {
      tools ??= catalog.tools.filter((_tool, position) => selection.includes(position));
      return tools;
    },
    findTool: (name) => toolAt(index.findTool(name)),
    findOperation: (provider, operation) => toolAt(index.findOperation(provider, operation)),
    get providers() {
      providers ??= selectProviders(catalog, selection, view.tools);
      return providers;
    },
    get incomplete() {
      incomplete ??= view.providers.filter(isIncomplete);
      return incomplete;
    },
    notice: selection.notice,
    get offerings() {
      const { offerings: all = noOfferings } = catalog;
      offerings ??= makeOfferings((kind) => all[kind].filter((offering) => isOffered(kind, offering)));
      return offerings;
    },
    findPrompt: (name) => find("prompts", name),
    findResource: (uri) =>
      findResource(
        {
          find: (name) => find("resources", name),
          offerings: view.offerings,
          providers: catalog.providers.filter(({ name }) => allows(name, "resources") !== undefined),
          isAwaited: (name) => {
            const provider = view.providers.find((known) => known.name === name);
            return provider !== undefined && provider.toolPrefix !== "" && provider.entries === undefined;
          },
        },
        uri,
      ),
    findTemplate: (template) => find("templates", template),
    findEntry: (provider, feature) => allows(provider, feature)?.entries?.[feature],
    get freshness() {
      freshness ??= freshnessOf(view, selection.isEverybodys);
      return freshness;
    },
  };
  return view;
}

/** What a decision is made about where the lists are concerned. */
export function featureOf(kind: OfferingKind): Feature {
  return kind === "prompts" ? "prompts" : "resources";
}

/** Whether a provider would have more tools if all of its surfaces were there. */
export function isIncomplete({ surfaces }: ProviderCatalog): boolean {
  return surfaces.some(({ state }) => state === "starting" || state === "unavailable");
}

/** Whether a provider would have more tools if somebody connected something. */
export function isAwaiting({ surfaces }: ProviderCatalog): boolean {
  return surfaces.some(({ awaits }) => awaits !== undefined);
}

/**
 * The part of a catalog that is offered through one way in: MCP shows the tools of MCP-enabled providers, the HTTP API
 * (and the command line) those of all.
 */
export function createView(catalog: Catalog, surface: "mcp" | "api"): CatalogView {
  return createSurfaceView(indexCatalog(catalog), surface);
}

/**
 * The same with an index that is there already.
 *
 * @param isEverybodys whether every caller gets this view; default false.
 */
export function createSurfaceView(
  index: CatalogIndex,
  surface: "mcp" | "api",
  isEverybodys = false,
): CatalogView {
  const { catalog } = index;
  const names = (provider: ProviderCatalog): boolean => surface === "api" || provider.mcpEnabled;
  const hidden = new Set(catalog.providers.filter((provider) => !names(provider)).map(({ name }) => name));
  return selectView(index, {
    includes: (position) => !hidden.has(catalog.tools[position]?.provider ?? ""),
    names,
    allows: names,
    isEverybodys,
    notice: undefined,
  });
}

/** Providers with what is selected of them only, and counts that tell of nothing else. */
function selectProviders(
  { providers }: Catalog,
  selection: ViewSelection,
  tools: readonly Tool[],
): readonly ProviderCatalog[] {
  const selected = Map.groupBy(tools, ({ provider }) => provider);
  return providers.filter(selection.names).map((provider) => {
    const part = selectFeatures(provider, selection);
    const own = new Set(selected.get(provider.name));
    if (own.size === provider.tools.length) return part;
    const surfaces = provider.surfaces.map((surface) => ({
      ...surface,
      tools: [...own].filter(({ surface: kind }) => kind === surface.kind).length,
    }));
    return { ...part, surfaces, tools: provider.tools.filter((tool) => own.has(tool)) };
  });
}

function selectFeatures(provider: ProviderCatalog, selection: ViewSelection): ProviderCatalog {
  const { entries, offerings, ...rest } = provider;
  if (entries === undefined) return provider;
  const { prompts, resources, methods } = entries;
  const isIn = (feature: Feature): boolean =>
    entries[feature] !== undefined && selection.allows(provider, feature);
  const features = [prompts && "prompts", resources && "resources", methods && "methods"] as const;
  if (features.every((feature) => feature === undefined || isIn(feature))) return provider;
  return {
    ...rest,
    entries: {
      ...(prompts && isIn("prompts") && { prompts }),
      ...(resources && isIn("resources") && { resources }),
      ...(methods && isIn("methods") && { methods }),
    },
    ...(offerings && {
      offerings: makeOfferings((kind) => (isIn(featureOf(kind)) ? offerings[kind] : [])),
    }),
  };
}
