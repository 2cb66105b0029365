import type { CatalogView } from "../../catalog/view.ts";
import type { ProviderCatalog, SurfaceSummary } from "../../model/catalog.ts";

/**
 * The provider that a name belongs to which nobody lists yet, since its MCP server isn't there or somebody has to connect it first:
 * the broker then says what to do about it. It depends on the form of the name and on the providers that the caller may know of, so it
 * tells nothing of what is hidden.
 *
 * @param isOf whether the name has the form of a provider's; asked about those alone whose names have one.
 */
export function findAbsent(
  { providers }: CatalogView,
  isOf: (provider: ProviderCatalog) => boolean,
): ProviderCatalog | undefined {
  const absent = providers.filter(
    (provider) => provider.toolPrefix !== "" && provider.surfaces.some(isAbsentServer) && isOf(provider),
  );
  // One prefix may begin with another.
  const [first] = absent.toSorted((one, other) => other.toolPrefix.length - one.toolPrefix.length);
  return first;
}

function isAbsentServer({ kind, state, awaits }: SurfaceSummary): boolean {
  return kind === "mcp" && (state === "starting" || state === "unavailable" || awaits !== undefined);
}
