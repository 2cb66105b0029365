import { digestOf } from "../../src/catalog/digest.ts";
import { exposeEntries, exposeFeatures } from "../../src/catalog/expose-features.ts";
import type { Operation, ProviderCatalog, Tool } from "../../src/model/catalog.ts";
import type { McpSurface, ProviderConfig, RestSurface } from "../../src/model/config.ts";
import type { Freshness, ListedFeature, McpFeatures } from "../../src/model/features.ts";
import type { Place } from "../../src/model/place.ts";
import { usualProviderLimits } from "../limits.ts";

/** A place on one line of `gestalt.yaml`. */
export function placeAt(line: number): Place {
  return { file: "gestalt.yaml", line, column: 3, endLine: line, endColumn: 8 };
}

/** A read-only operation without arguments. */
export function makeOperation(id: string, overrides: Partial<Operation> = {}): Operation {
  const path = overrides.path ?? `/${id}`;
  return {
    id,
    method: "GET",
    path,
    tags: [],
    deprecated: false,
    title: undefined,
    description: `Does ${id}.`,
    inputSchema: { type: "object", properties: {} },
    outputSchema: undefined,
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
    binding: {
      kind: "http",
      method: "GET",
      baseUrl: "http://127.0.0.1:9",
      addressFrom: "operator",
      path,
      parameters: [],
      body: undefined,
      accept: "application/json",
    },
    connection: undefined,
    place: undefined,
    ...overrides,
  };
}

/** A surface with inline operations. */
export const restSurface: RestSurface = {
  kind: "rest",
  baseUrl: "http://127.0.0.1:9",
  operations: [],
  connection: undefined,
  place: placeAt(4),
};

/** An MCP server that nobody reaches. */
export const mcpSurface: McpSurface = {
  kind: "mcp",
  transport: { kind: "http", url: "http://127.0.0.1:9/mcp" },
  trustAnnotations: false,
  prompts: true,
  resources: true,
  connection: undefined,
  place: placeAt(4),
};

/** What an MCP server lists besides tools: names of prompts, URIs of resources, URI templates. */
export function makeFeatures(
  names: Partial<Record<"prompts" | "resources" | "templates", readonly string[]>>,
  freshness: Freshness = { ttlMs: 0, scope: "private" },
): McpFeatures {
  const { prompts = [], resources = [], templates = [] } = names;
  const list = (ids: readonly string[], member: string): readonly ListedFeature[] =>
    ids.map((id) => ({ id, listed: { [member]: id, description: `About ${id}.` } }));
  return {
    prompts: list(prompts, "name"),
    resources: list(resources, "uri"),
    templates: list(templates, "uriTemplate"),
    freshness,
  };
}

/** A provider that exposes everything. */
export function makeProvider(name: string, overrides: Partial<ProviderConfig> = {}): ProviderConfig {
  return {
    name,
    displayName: name,
    description: undefined,
    headers: {},
    managedParameters: [],
    responseMapping: undefined,
    retries: { attempts: 0, budget: 1 },
    limits: usualProviderLimits,
    mcp: { enabled: true, toolPrefix: `${name}_` },
    tenants: undefined,
    surfaces: [restSurface],
    connections: {},
    select: { include: [], exclude: [] },
    allowedOperations: undefined,
    place: placeAt(2),
    ...overrides,
  };
}

/** A tool of a provider. */
export function makeTool(name: string, overrides: Partial<Tool> = {}): Tool {
  return {
    ...makeOperation(name),
    name,
    operation: name,
    provider: "books",
    surface: "rest",
    responseMapping: undefined,
    origin: "declared",
    effects: { readOnly: false, destructive: false, idempotent: false, openWorld: true },
    ...overrides,
  };
}

/** What a provider contributes. */
export function makeProviderCatalog(name: string, tools: readonly Tool[]): ProviderCatalog {
  return {
    version: digestOf([name, ...tools]),
    toolPrefix: `${name}_`,
    name,
    displayName: name,
    description: undefined,
    mcpEnabled: true,
    tenants: undefined,
    state: "ready",
    reason: undefined,
    surfaces: [{ kind: "rest", state: "ready", reason: undefined, tools: tools.length }],
    connections: [],
    tools: tools.map((tool) => ({ ...tool, provider: name })),
  };
}

/** What a provider with an MCP server contributes. */
export function makeMcpCatalog(
  name: string,
  features: McpFeatures,
  { toolPrefix = `${name}_`, tools = [] }: { toolPrefix?: string; tools?: readonly Tool[] } = {},
): ProviderCatalog {
  const provider = makeProvider(name, { mcp: { enabled: true, toolPrefix }, surfaces: [mcpSurface] });
  const entries = exposeEntries(provider);
  const offerings = exposeFeatures(provider, mcpSurface, features);
  return {
    ...makeProviderCatalog(name, tools),
    version: digestOf([name, toolPrefix, ...tools, offerings]),
    toolPrefix,
    surfaces: [{ kind: "mcp", state: "ready", reason: undefined, tools: tools.length }],
    offerings,
    freshness: features.freshness,
    ...(entries && { entries }),
  };
}
