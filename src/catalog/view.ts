import type { Catalog, ProviderCatalog, Tool } from "../model/catalog.ts";

/** What a caller may see. Listing and calling both go through it, so a tool is callable if and only if it is listed. */
export interface CatalogView {
  readonly catalogVersion: string;
  /** In the catalog's order. */
  readonly tools: readonly Tool[];
  findTool(name: string): Tool | undefined;
  findOperation(provider: string, operation: string): Tool | undefined;
  /** Providers that would have more tools if all of their surfaces were there. */
  readonly incomplete: readonly ProviderCatalog[];
}

/**
 * The part of a catalog that is offered through one way in: MCP shows the tools of MCP-enabled providers, the HTTP API
 * (and the command line) those of all.
 */
export function createView(catalog: Catalog, surface: "mcp" | "api"): CatalogView {
  const hidden = new Set(
    catalog.providers
      .filter((provider) => surface === "mcp" && !provider.mcpEnabled)
      .map((provider) => provider.name),
  );
  const tools = catalog.tools.filter((tool) => !hidden.has(tool.provider));
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const byOperation = new Map(tools.map((tool) => [`${tool.provider}/${tool.operation}`, tool]));
  return {
    catalogVersion: catalog.version,
    tools,
    findTool: (name) => byName.get(name),
    findOperation: (provider, operation) => byOperation.get(`${provider}/${operation}`),
    incomplete: catalog.providers.filter(
      ({ name, surfaces }) =>
        !hidden.has(name) && surfaces.some(({ state }) => state === "starting" || state === "unavailable"),
    ),
  };
}
