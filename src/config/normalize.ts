import type { LocatedNode, NodePath } from "../documents/located-node.ts";
import type { AllowedOperation, GatewayConfig, ProviderConfig, SelectionEntry } from "../model/config.ts";
import type { GatewayFile, Provider, ServerSettings } from "../model/config-file.generated.ts";
import { normalizeConnection } from "./normalize-connection.ts";
import { normalizeSurfaces } from "./normalize-surfaces.ts";
import { createOrigin, type Origin, record } from "./origin.ts";

/** Fills in defaults and expands short forms. The file has passed every check. */
export function normalize(file: GatewayFile, root: LocatedNode, path: string): GatewayConfig {
  const origin = createOrigin(root);
  return {
    file: path,
    server: normalizeServer(file.server ?? {}),
    auth: { provider: "none" },
    providers: Object.entries(file.providers).map(([name, provider]) =>
      normalizeProvider(name, provider, origin),
    ),
  };
}

function normalizeServer(server: ServerSettings): GatewayConfig["server"] {
  const baseUrl = server.base_url?.replace(/\/+$/, "");
  // An unset reference stays as its text and is no URL.
  const ownHost = baseUrl !== undefined && URL.canParse(baseUrl) ? [new URL(baseUrl).hostname] : [];
  const hosts = [...ownHost, ...(server.allowed_hosts ?? [])].map((host) => host.toLowerCase());
  return {
    host: server.host?.replace(/^\[(.*)\]$/, "$1") ?? "127.0.0.1",
    port: server.port ?? 8080,
    baseUrl,
    allowedHosts: [...new Set(hosts)],
  };
}

function normalizeProvider(name: string, provider: Provider, origin: Origin): ProviderConfig {
  const path = ["providers", name];
  return {
    name,
    displayName: provider.display_name ?? name,
    description: provider.description,
    headers: record(
      Object.entries(provider.headers ?? {}).map(([header, value]) => [
        header,
        origin.sensitive([...path, "headers", header], value),
      ]),
    ),
    mcp: {
      enabled: provider.mcp?.enabled ?? true,
      toolPrefix: provider.mcp?.tool_prefix ?? `${name}_`,
    },
    surfaces: normalizeSurfaces(provider, path, origin),
    connections: record(
      Object.entries(provider.connections ?? {}).map(([connection, settings]) => [
        connection,
        normalizeConnection(connection, settings, [...path, "connections", connection], origin),
      ]),
    ),
    select: {
      include: normalizeSelection(provider.select?.include, [...path, "select", "include"], origin),
      exclude: normalizeSelection(provider.select?.exclude, [...path, "select", "exclude"], origin),
    },
    allowedOperations:
      provider.allowed_operations && normalizeAllowed(provider.allowed_operations, path, origin),
    place: origin.place(path),
  };
}

function normalizeSelection(
  patterns: readonly string[] | undefined,
  path: NodePath,
  origin: Origin,
): readonly SelectionEntry[] {
  return (patterns ?? []).map((pattern, index) => ({
    pattern,
    place: origin.place([...path, index], "value"),
  }));
}

function normalizeAllowed(
  allowed: NonNullable<Provider["allowed_operations"]>,
  path: NodePath,
  origin: Origin,
): Readonly<Record<string, AllowedOperation>> {
  return record(
    Object.entries(allowed).map(([id, operation]) => [
      id,
      {
        alias: operation?.alias,
        description: operation?.description,
        place: origin.place([...path, "allowed_operations", id]),
      },
    ]),
  );
}
