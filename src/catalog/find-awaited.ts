import type { SurfaceKind, Tool } from "../model/catalog.ts";
import type { Feature } from "../model/features.ts";
import { nameOfEntry } from "./expose-features.ts";
import type { CatalogView } from "./view.ts";

/** A tool that may be there once somebody has connected what its surface waits for. */
export interface AwaitedTool extends Pick<Tool, "name" | "provider" | "operation"> {
  readonly surface: SurfaceKind;
  /** What has to be connected, see `SurfaceSummary.awaits`. */
  readonly connection: string;
}

/** What a name of a tool may be. */
const toolName = /^[a-zA-Z0-9_-]{1,64}$/;

/**
 * What a name that is not in a view may come to be, one for each surface that waits for a connection. Only what the view names counts:
 * the prefix of a provider that its caller may not know of claims nothing, since that would show.
 */
export function findAwaited({ findTool, providers }: CatalogView, name: string): readonly AwaitedTool[] {
  if (!toolName.test(name) || findTool(name) !== undefined) return [];
  const claiming = providers.filter(({ toolPrefix }) => toolPrefix !== "" && name.startsWith(toolPrefix));
  const longest = Math.max(...claiming.map(({ toolPrefix }) => toolPrefix.length));
  return claiming.flatMap(({ name: provider, toolPrefix, surfaces }) => {
    const operation = name.slice(toolPrefix.length);
    if (toolPrefix.length < longest || operation === "") return [];
    return surfaces.flatMap(({ kind: surface, awaits: connection }) =>
      connection === undefined ? [] : [{ name, provider, operation, surface, connection }],
    );
  });
}

/** The same for a feature of a provider's MCP server: where the view has none, what may be there once that is connected. */
export function findAwaitedFeature(
  { findEntry, providers }: CatalogView,
  provider: string,
  feature: Feature,
): readonly AwaitedTool[] {
  if (findEntry(provider, feature) !== undefined) return [];
  return providers.flatMap(({ name, toolPrefix, surfaces }) =>
    name !== provider
      ? []
      : surfaces.flatMap(({ kind: surface, awaits: connection }) =>
          surface !== "mcp" || connection === undefined
            ? []
            : [{ ...nameOfEntry(toolPrefix, feature), provider, surface, connection }],
        ),
  );
}
