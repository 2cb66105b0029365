import type { NodePath } from "../documents/located-node.ts";
import type {
  GraphqlSurface,
  McpSurface,
  OpenApiSurface,
  RestOperationConfig,
  RestParameterConfig,
  RestSurface,
  SurfaceConfig,
} from "../model/config.ts";
import type {
  GraphQLSurface,
  MCPSurface,
  OpenAPISurface,
  Operation,
  Parameter,
  Provider,
  RESTSurface,
} from "../model/config-file.generated.ts";
import type { JsonSchema, JsonValue } from "../model/json.ts";
import { documentLocation, type Origin, record } from "./origin.ts";
import { resolveConnection } from "./resolve-connection.ts";

/** The surfaces of a provider in the order of the file, each with the connection that it comes to use. */
export function normalizeSurfaces(
  provider: Provider,
  path: NodePath,
  origin: Origin,
): readonly SurfaceConfig[] {
  const surfaces: SurfaceConfig[] = [];
  const declared = provider.surfaces ?? {};
  for (const kind of Object.keys(declared)) {
    const at = [...path, "surfaces", kind];
    if (kind === "openapi" && declared.openapi)
      surfaces.push(openapiSurface(declared.openapi, provider, at, origin));
    if (kind === "graphql" && declared.graphql)
      surfaces.push(graphqlSurface(declared.graphql, provider, at, origin));
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
): OpenApiSurface {
  return {
    kind: "openapi",
    document: documentLocation(surface.document, [...path, "document"], origin),
    baseUrl: surface.base_url === undefined ? undefined : withoutTrailingSlash(surface.base_url),
    connection: connectionName(provider, surface.connection),
    connectionNamed: surface.connection !== undefined,
    place: origin.place(path),
  };
}

function graphqlSurface(
  surface: GraphQLSurface,
  provider: Provider,
  path: NodePath,
  origin: Origin,
): GraphqlSurface {
  return {
    kind: "graphql",
    url: surface.url,
    schema:
      surface.schema === undefined
        ? undefined
        : documentLocation(surface.schema, [...path, "schema"], origin),
    connection: connectionName(provider, surface.connection),
    place: origin.place(path),
  };
}

function restSurface(surface: RESTSurface, provider: Provider, path: NodePath, origin: Origin): RestSurface {
  return {
    kind: "rest",
    baseUrl: withoutTrailingSlash(surface.base_url),
    operations: surface.operations.map((operation, index) =>
      restOperation(operation, [...path, "operations", index], origin),
    ),
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
    connection: connectionName(provider, surface.connection),
    place: origin.place(path),
  };
}

function restOperation(operation: Operation, path: NodePath, origin: Origin): RestOperationConfig {
  return {
    name: operation.name,
    description: operation.description,
    method: operation.method,
    path: operation.path,
    parameters: (operation.parameters ?? []).map((parameter, index) =>
      restParameter(parameter, [...path, "parameters", index], origin),
    ),
    connection: operation.connection,
    place: origin.place([...path, "name"]),
  };
}

function restParameter(parameter: Parameter, path: NodePath, origin: Origin): RestParameterConfig {
  const schema = schemaOf(parameter);
  const text = schema["type"] === "string" ? origin.referenceText([...path, "default"]) : undefined;
  return {
    name: parameter.name,
    in: parameter.in,
    required: parameter.required ?? parameter.in === "path",
    description: parameter.description,
    // Unknown to the generated types, but it comes from a parsed file and is JSON.
    default: text ?? (parameter.default as JsonValue | undefined),
    schema,
    place: origin.place([...path, "name"]),
  };
}

function schemaOf({ schema, type, enum: values, items, properties, format }: Parameter): JsonSchema {
  const implied = items ? "array" : properties ? "object" : values ? undefined : "string";
  const short = { type: type ?? implied, enum: values, items, properties, format };
  // The keys of the short form are those of JSON Schema, and all of it comes from a parsed file and is JSON.
  return (schema ??
    Object.fromEntries(Object.entries(short).filter(([, value]) => value !== undefined))) as JsonSchema;
}

function withoutTrailingSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
