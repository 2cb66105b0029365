import type { NodePath } from "../documents/located-node.ts";
import type {
  GraphqlOperationConfig,
  GraphqlSurface,
  McpSurface,
  OpenApiSurface,
  RestSurface,
  SurfaceConfig,
} from "../model/config.ts";
import type {
  GraphQLOperation,
  GraphQLSurface,
  MCPSurface,
  OpenAPISurface,
  Provider,
  RESTSurface,
} from "../model/config-file.generated.ts";
import type { JsonSchema, JsonValue } from "../model/json.ts";
import type { DocumentLimits } from "../model/limits.ts";
import { readDuration } from "./duration.ts";
import { placesOfAuth } from "./normalize-connection.ts";
import { normalizeOperations } from "./normalize-operations.ts";
import { documentLocation, type Origin, record } from "./origin.ts";
import { resolveConnection } from "./resolve-connection.ts";

/** The surfaces of a provider in the order of the file, each with the connection that it comes to use. */
export function normalizeSurfaces(
  provider: Provider,
  path: NodePath,
  documentLimits: DocumentLimits,
  origin: Origin,
): readonly SurfaceConfig[] {
  const surfaces: SurfaceConfig[] = [];
  const declared = provider.surfaces ?? {};
  for (const kind of Object.keys(declared)) {
    const at = [...path, "surfaces", kind];
    if (kind === "openapi" && declared.openapi)
      surfaces.push({ ...openapiSurface(declared.openapi, provider, at, origin), documentLimits });
    if (kind === "graphql" && declared.graphql)
      surfaces.push({ ...graphqlSurface(declared.graphql, provider, at, origin), documentLimits });
    if (kind === "rest" && declared.rest) surfaces.push(restSurface(declared.rest, provider, at, origin));
    if (kind === "mcp" && declared.mcp) surfaces.push(mcpSurface(declared.mcp, provider, at, origin));
  }
  if (provider.mcp_url !== undefined) {
    surfaces.push(mcpSurface({ url: provider.mcp_url }, provider, [...path, "mcp_url"], origin));
  }
  return surfaces;
}

function connectionName(provider: Provider, own: string | undefined): string | undefined {
  const connection = resolveConnection(provider, own);
  // Ambiguous is left only where every operation names its own.
  return connection.kind === "named" ? connection.name : undefined;
}

function openapiSurface(
  surface: OpenAPISurface,
  provider: Provider,
  path: NodePath,
  origin: Origin,
): Omit<OpenApiSurface, "documentLimits"> {
  return {
    kind: "openapi",
    document: documentLocation(surface.document, [...path, "document"], origin),
    baseUrl: surface.base_url === undefined ? undefined : withoutTrailingSlash(surface.base_url),
    connection: connectionName(provider, surface.connection),
    connectionNamed: surface.connection !== undefined,
    server:
      surface.server === undefined
        ? undefined
        : { value: surface.server, place: origin.place([...path, "server"], "value") },
    serverVariables: record(
      Object.entries(surface.server_variables ?? {}).map(([name, value]) => [
        name,
        {
          value: origin.referenceText([...path, "server_variables", name]) ?? String(value),
          place: origin.place([...path, "server_variables", name]),
        },
      ]),
    ),
    deprecated: surface.deprecated ?? "include",
    sends: sentBy(provider, connectionName(provider, surface.connection)),
    schemaBudget: readBudget(provider.schema_budget),
    place: origin.place(path),
  };
}

function sentBy(provider: Provider, name: string | undefined): OpenApiSurface["sends"] {
  const connection = name === undefined ? undefined : provider.connections?.[name];
  return connection && (connection.mode === "none" ? [] : placesOfAuth(connection.auth));
}

/** Bytes, of which 1 KB has 1,000; by default as many as every client is known to take. */
function readBudget(written: Provider["schema_budget"]): number {
  if (typeof written === "number") return written;
  return written === undefined ? 32_000 : Number.parseInt(written, 10) * 1_000;
}

function graphqlSurface(
  surface: GraphQLSurface,
  provider: Provider,
  path: NodePath,
  origin: Origin,
): Omit<GraphqlSurface, "documentLimits"> {
  const connection = connectionName(provider, surface.connection);
  const { depth, fields, bytes } = surface.selection ?? {};
  return {
    kind: "graphql",
    url: surface.url,
    schema:
      surface.schema === undefined
        ? undefined
        : documentLocation(surface.schema, [...path, "schema"], origin),
    schemaConnection: surface.schema_connection ?? connection,
    refresh: surface.refresh === undefined ? undefined : readDuration(surface.refresh),
    queries: surface.queries ?? "all",
    mutations: surface.mutations ?? "all",
    // Offline, a reference that is not set is still a text.
    selection: { depth: whole(depth, 2), fields: whole(fields, 200), bytes: whole(bytes, 4096) },
    selectArgument: surface.select_argument === true,
    fields: record(
      Object.entries(surface.fields ?? {}).map(([name, text]) => [
        name,
        { text, place: origin.place([...path, "fields", name], "value") },
      ]),
    ),
    // Unknown to the generated types, but it comes from a parsed file and is JSON.
    scalars: record(Object.entries((surface.scalars ?? {}) as Readonly<Record<string, JsonSchema>>)),
    operations: (surface.operations ?? []).map((operation, index) =>
      graphqlOperation(operation, [...path, "operations", index], origin),
    ),
    connection,
    place: origin.place(path),
  };
}

function graphqlOperation(
  operation: GraphQLOperation,
  path: NodePath,
  origin: Origin,
): GraphqlOperationConfig {
  const { file, document = "", persisted, document_id: id } = operation;
  return {
    source:
      file === undefined
        ? { kind: "text", text: document, place: origin.place([...path, "document"], "value") }
        : {
            kind: "file",
            path: origin.absolute([...path, "file"], file),
            place: origin.place([...path, "file"], "value"),
          },
    operation: operation.operation,
    name: operation.name,
    description: operation.description,
    // Unknown to the generated types, but it comes from a parsed file and is JSON.
    fixed: record(Object.entries((operation.variables ?? {}) as Readonly<Record<string, JsonValue>>)),
    hidden: operation.hidden ?? [],
    persisted:
      persisted === undefined
        ? id === undefined
          ? undefined
          : { kind: "id", id }
        : { kind: "hash", hash: persisted },
    place: origin.place(path),
  };
}

function whole(value: number | string | undefined, fallback: number): number {
  return typeof value === "number" ? value : fallback;
}

function restSurface(surface: RESTSurface, provider: Provider, path: NodePath, origin: Origin): RestSurface {
  return {
    kind: "rest",
    baseUrl: withoutTrailingSlash(surface.base_url),
    operations: normalizeOperations(surface.operations, [...path, "operations"], origin),
    connection: connectionName(provider, surface.connection),
    place: origin.place(path),
  };
}

function mcpSurface(surface: MCPSurface, provider: Provider, path: NodePath, origin: Origin): McpSurface {
  const [program = "", ...programArguments] = surface.command ?? [];
  return {
    kind: "mcp",
    transport:
      surface.url === undefined
        ? {
            kind: "command",
            command: [program, ...programArguments],
            environment: record(
              Object.entries(surface.env ?? {}).map(([name, value]) => [
                name,
                origin.sensitive([...path, "env", name], value),
              ]),
            ),
            workingDirectory: origin.absolute(
              [...path, surface.cwd === undefined ? "command" : "cwd"],
              surface.cwd ?? ".",
            ),
          }
        : { kind: "http", url: surface.url },
    trustAnnotations: surface.trust_annotations === true,
    prompts: isOffered(surface.prompts, provider),
    resources: isOffered(surface.resources, provider),
    connection: connectionName(provider, surface.connection),
    place: origin.place(path),
  };
}

/** Who lists the operations to offer means these and nothing else. */
function isOffered(choice: boolean | string | undefined, { allowed_operations }: Provider): boolean {
  return choice === undefined ? allowed_operations === undefined : choice === true;
}

function withoutTrailingSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
