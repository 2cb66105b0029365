import type { LocatedNode, NodePath } from "../documents/located-node.ts";
import type {
  AllowedOperation,
  EncryptionKey,
  GatewayConfig,
  ManagedParameter,
  ProviderConfig,
  SelectionEntry,
} from "../model/config.ts";
import type {
  GatewayFile,
  LimitsOfProviders,
  Provider,
  ServerSettings,
} from "../model/config-file.generated.ts";
import type { DocumentLimits } from "../model/limits.ts";
import { normalizeAuth, normalizeAuthorization, normalizeTenants } from "./normalize-access.ts";
import { normalizeAnnotations, normalizeMapping } from "./normalize-choices.ts";
import { normalizeConnection } from "./normalize-connection.ts";
import { normalizeLimits, normalizeProviderLimits, normalizeShutdown } from "./normalize-limits.ts";
import { normalizePagination } from "./normalize-pagination.ts";
import { normalizeSurfaces } from "./normalize-surfaces.ts";
import { createOrigin, type Origin, record } from "./origin.ts";

/** Fills in defaults and expands short forms. The file has passed every check. */
export function normalize(file: GatewayFile, root: LocatedNode, path: string): GatewayConfig {
  const origin = createOrigin(root);
  const limits = normalizeLimits(file.limits ?? {});
  return {
    file: path,
    server: normalizeServer(file.server ?? {}, origin),
    auth: normalizeAuth(file.auth ?? {}, origin),
    authorization: normalizeAuthorization(file.authorization ?? {}, origin),
    tenants: normalizeTenants(file, origin),
    egress: { allowedHosts: file.egress?.allowed_hosts ?? [] },
    limits,
    datastore: normalizeDatastore(file, origin),
    providers: Object.entries(file.providers).map(([name, provider]) =>
      normalizeProvider(
        name,
        provider,
        { documents: limits.documents, providers: file.limits?.providers },
        origin,
      ),
    ),
  };
}

function normalizeServer(server: ServerSettings, origin: Origin): GatewayConfig["server"] {
  const baseUrl = server.base_url?.replace(/\/+$/, "");
  // An unset reference stays as its text and is no URL.
  const ownHost = baseUrl !== undefined && URL.canParse(baseUrl) ? [new URL(baseUrl).hostname] : [];
  const hosts = [...ownHost, ...(server.allowed_hosts ?? [])].map((host) => host.toLowerCase());
  return {
    host: server.host?.replace(/^\[(.*)\]$/, "$1") ?? "127.0.0.1",
    port: server.port ?? 8080,
    baseUrl,
    allowedHosts: [...new Set(hosts)],
    encryptionKeys: normalizeKeys(server, origin),
    trustedProxies: server.trusted_proxies ?? [],
    management: server.management && {
      host: server.management.host ?? "127.0.0.1",
      port: server.management.port ?? 9090,
    },
    reusePort: server.reuse_port ?? false,
    shutdown: normalizeShutdown(server.shutdown ?? {}),
  };
}

/** Those that are set: a reference that is not set yet is told of elsewhere. */
function normalizeKeys(server: ServerSettings, origin: Origin): readonly EncryptionKey[] {
  const written: readonly (readonly [string | undefined, string | undefined, NodePath])[] = [
    [undefined, server.encryption_key, ["server", "encryption_key"]],
    ...(server.encryption_keys ?? []).map(
      ({ id, key }, index) => [id, key, ["server", "encryption_keys", index, "key"]] as const,
    ),
  ];
  return written.flatMap(([id, text, path]) => {
    const key = origin.secret(path, text);
    return key === undefined ? [] : [{ id, key, place: origin.place(path, "value") }];
  });
}

/** Where something has to be kept and the file does not say where, it is beside the file. */
function normalizeDatastore({ server, auth, datastore }: GatewayFile, origin: Origin): string | undefined {
  const hasKey = server?.encryption_key !== undefined || server?.encryption_keys !== undefined;
  if (datastore === undefined && !hasKey && (auth?.provider ?? "none") === "none") return undefined;
  const path = ["datastore", "config", "path"];
  const written = datastore?.config?.path;
  return written === undefined ? origin.absolute([], "./gestalt.db") : origin.absolute(path, written);
}

function normalizeProvider(
  name: string,
  provider: Provider,
  limits: { readonly documents: DocumentLimits; readonly providers: LimitsOfProviders | undefined },
  origin: Origin,
): ProviderConfig {
  const path = ["providers", name];
  return {
    name,
    displayName: provider.display_name ?? name,
    description: provider.description,
    headers: normalizeHeaders(provider, path, origin),
    managedParameters: normalizeManaged(provider, path, origin),
    responseMapping: normalizeMapping(provider.response_mapping),
    pagination: normalizePagination(provider.pagination, [...path, "pagination"], origin),
    retries: { attempts: provider.retries?.attempts ?? 2, budget: (provider.retries?.budget ?? 20) / 100 },
    limits: normalizeProviderLimits(limits.providers, provider.limits),
    mcp: {
      enabled: provider.mcp?.enabled ?? true,
      toolPrefix: provider.mcp?.tool_prefix ?? `${name}_`,
    },
    tenants: provider.tenants,
    surfaces: normalizeSurfaces(provider, path, limits.documents, origin),
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

function normalizeHeaders(provider: Provider, path: NodePath, origin: Origin): ProviderConfig["headers"] {
  const own = Object.entries(provider.headers ?? {}).map(
    ([name, value]) => [name, origin.sensitive([...path, "headers", name], value)] as const,
  );
  const managed = (provider.managed_parameters ?? []).flatMap(({ name, in: location, value }, index) =>
    location === "header"
      ? [[name, origin.sensitive([...path, "managed_parameters", index, "value"], value)] as const]
      : [],
  );
  return record([...own, ...managed]);
}

/** All but the headers, which go where the provider's headers go. */
function normalizeManaged(
  provider: Provider,
  path: NodePath,
  origin: Origin,
): ProviderConfig["managedParameters"] {
  return (provider.managed_parameters ?? []).flatMap(
    ({ name, in: location, value }, index): readonly ManagedParameter[] => {
      if (location === "header") return [];
      const parameterPath = [...path, "managed_parameters", index];
      return [
        {
          name,
          in: location,
          value: origin.sensitive([...parameterPath, "value"], value),
          place: origin.place([...parameterPath, "name"], "value"),
        },
      ];
    },
  );
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
        responseMapping: normalizeMapping(operation?.response_mapping),
        pagination: normalizePagination(
          operation?.pagination,
          [...path, "allowed_operations", id, "pagination"],
          origin,
        ),
        ...(operation?.annotations && { annotations: normalizeAnnotations(operation.annotations) }),
        place: origin.place([...path, "allowed_operations", id]),
      },
    ]),
  );
}
