import type { ProtectedSurface } from "../identity/identity.ts";
import { resourceUrl } from "../identity/resource-urls.ts";
import type { AuthConfig } from "../model/auth-config.ts";
import type { JsonObject } from "../model/json.ts";
import type { OwnAddress } from "../own-address.ts";

/** What the metadata of the gateway as a protected resource is made of. */
export interface ResourceMetadataParts {
  readonly auth: () => AuthConfig;
  readonly address: OwnAddress;
}

/** The gateway as a resource server that clients find their way to by themselves (RFC 9728). */
export interface ResourceMetadata {
  /** The metadata at a path, as the client sees the gateway; `undefined` where there is none at this path, or nobody issues tokens. */
  find(path: string, host: string | undefined): JsonObject | undefined;
  /** Parameters of the `WWW-Authenticate` challenge for a path: `resource_metadata` and `scope`; empty where nobody issues tokens. */
  challenge(path: string, host: string | undefined): Readonly<Record<string, string>>;
}

/** The surface that a path belongs to. */
export function surfaceOf(path: string): ProtectedSurface {
  if (path === "/mcp" || path.startsWith("/mcp/")) return "mcp";
  return path.startsWith("/api/v1/") ? "api" : "other";
}

const wellKnown = "/.well-known/oauth-protected-resource";

/** Where the metadata of each surface stands: behind the path of the resource, and for MCP also at the root. */
const surfaces: Readonly<Record<string, "mcp" | "api">> = { "": "mcp", "/mcp": "mcp", "/api/v1": "api" };

/** Makes it. */
export function createResourceMetadata({ auth, address }: ResourceMetadataParts): ResourceMetadata {
  return {
    find: (path, host) => {
      if (!path.startsWith(wellKnown)) return undefined;
      const issuers = issuersOf(auth(), address.baseUrlFor(host));
      const surface = surfaceAt(path.slice(wellKnown.length), address);
      if (surface === undefined || issuers.length === 0) return undefined;
      const scopes = scopesOf(auth());
      return {
        resource: resourceUrl(address.baseUrlFor(host), surface),
        authorization_servers: issuers,
        ...(scopes.length > 0 && { scopes_supported: scopes }),
        bearer_methods_supported: ["header"],
        resource_name: surface === "mcp" ? "Gestalt Gateway" : "Gestalt Gateway (HTTP API)",
      };
    },
    challenge: (path, host) => {
      const surface = surfaceOf(path);
      const baseUrl = address.baseUrlFor(host);
      if (surface === "other" || issuersOf(auth(), baseUrl).length === 0) return {};
      // What a client needs to do everything; who wants less asks for less.
      const needed = auth().authorizationServer === undefined ? scopesOf(auth()).join(" ") : "mcp";
      return {
        resource_metadata: resourceUrl(`${baseUrl}${wellKnown}`, surface),
        ...(needed !== "" && { scope: needed }),
      };
    },
  };
}

/**
 * The surface that a path behind the well-known one means. Below a path prefix the metadata stands in two places: below the prefix, where
 * challenges lead, and with the prefix inside, where clients look by themselves (RFC 9728, section 3.1) if the proxy lets them through.
 */
function surfaceAt(path: string, address: OwnAddress): "mcp" | "api" | undefined {
  const { pathname: prefix } = new URL(address.baseUrl());
  const inside = prefix !== "/" && `${path}/`.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
  return Object.hasOwn(surfaces, inside) ? surfaces[inside] : undefined;
}

/** Who issues tokens that count here, the gateway's own authorization server first. */
function issuersOf({ provider, authorizationServer, trustedIssuers }: AuthConfig, baseUrl: string): string[] {
  if (provider === "none") return [];
  const own = authorizationServer === undefined ? [] : [baseUrl];
  return [...new Set([...own, ...trustedIssuers.map(({ issuer }) => issuer)])];
}

/** Scopes to ask for: the gateway's own, or where it issues nothing those that tokens of others have to have. */
function scopesOf({ authorizationServer, trustedIssuers }: AuthConfig): readonly string[] {
  if (authorizationServer !== undefined) return ["mcp", "mcp:read"];
  return [...new Set(trustedIssuers.flatMap(({ requiredScopes }) => requiredScopes))];
}
