import type { ProviderConfig, SurfaceConfig } from "../model/config.ts";
import { graphqlKind } from "./graphql/kind.ts";
import { mcpKind } from "./mcp/kind.ts";
import { openApiKind } from "./openapi/kind.ts";
import type { OpenSurface, ProviderContext } from "./provider-kind.ts";
import { restKind } from "./rest/kind.ts";

/** Opens a surface with the kind it belongs to. This is the only list of kinds. */
export function openSurface(
  surface: SurfaceConfig,
  provider: ProviderConfig,
  context: ProviderContext,
): Promise<OpenSurface> {
  switch (surface.kind) {
    case "openapi":
      return openApiKind.open(surface, provider, context);
    case "graphql":
      return graphqlKind.open(surface, provider, context);
    case "rest":
      return restKind.open(surface, provider, context);
    case "mcp":
      return mcpKind.open(surface, provider, context);
  }
}

/** True when the surface can be compiled without the network. */
export function compilesOffline(surface: SurfaceConfig): boolean {
  switch (surface.kind) {
    case "openapi":
      return openApiKind.compilesOffline(surface);
    case "graphql":
      return graphqlKind.compilesOffline(surface);
    case "rest":
      return restKind.compilesOffline(surface);
    case "mcp":
      return mcpKind.compilesOffline(surface);
  }
}
