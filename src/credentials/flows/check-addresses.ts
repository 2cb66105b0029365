import { GatewayError } from "../../errors.ts";
import { fillUrl } from "../../fill-url.ts";
import type { ProviderConfig, SurfaceConfig } from "../../model/config.ts";
import type { ConnectionConfig } from "../../model/connection-config.ts";
import type { Params } from "./read-params.ts";

/**
 * Throws `bad_request` where what somebody typed in would not fit into an address of the provider: better now than at every call. Addresses
 * that also need what a server is yet to give are left for later.
 */
export function checkAddresses(
  provider: ProviderConfig,
  { name, params: declared }: ConnectionConfig,
  params: Params,
): void {
  const awaited = declared.filter((param) => !Object.hasOwn(params, param.name));
  for (const surface of provider.surfaces) {
    const url = surface.connection === name ? addressOf(surface) : undefined;
    if (url === undefined || awaited.some((param) => url.includes(`{${param.name}}`))) continue;
    try {
      fillUrl(url, params);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== "bad_request") throw error;
      throw new GatewayError("bad_request", `${error.message} Nothing was stored.`, { cause: error });
    }
  }
}

function addressOf(surface: SurfaceConfig): string | undefined {
  switch (surface.kind) {
    case "openapi":
    case "rest":
      return surface.baseUrl;
    case "graphql":
      return surface.url;
    case "mcp":
      return surface.transport.kind === "http" ? surface.transport.url : undefined;
  }
}
