import { digestOf } from "../../src/catalog/digest.ts";
import type { Operation, ProviderCatalog, Tool } from "../../src/model/catalog.ts";
import type { ProviderConfig, RestSurface } from "../../src/model/config.ts";
import type { Place } from "../../src/model/place.ts";

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

/** A provider that exposes everything. */
export function makeProvider(name: string, overrides: Partial<ProviderConfig> = {}): ProviderConfig {
  return {
    name,
    displayName: name,
    description: undefined,
    headers: {},
    managedParameters: [],
    responseMapping: undefined,
    retries: { attempts: 0 },
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
