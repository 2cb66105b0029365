import type { Executor } from "../../../src/broker/executor.ts";
import { digestOf } from "../../../src/catalog/digest.ts";
import { exposeEntries, exposeFeatures } from "../../../src/catalog/expose-features.ts";
import type { ProviderCatalog, SurfaceSummary, Tool } from "../../../src/model/catalog.ts";
import type { McpSurface, ProviderConfig } from "../../../src/model/config.ts";
import type { Freshness, ListedFeature } from "../../../src/model/features.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import type { InvocationResult } from "../../../src/model/result.ts";
import { makeTool } from "./make-tool.ts";

/** A provider of the test catalog with an MCP server. */
export interface TestServer {
  readonly provider: string;
  /** Default: none. */
  readonly toolPrefix?: string;
  /** Default: none. */
  readonly connection?: string;
  /** Names, with what else is listed of each. */
  readonly prompts?: Readonly<Record<string, JsonObject>>;
  readonly resources?: Readonly<Record<string, JsonObject>>;
  readonly templates?: Readonly<Record<string, JsonObject>>;
  /** Tools that can be listed and not called. */
  readonly tools?: readonly string[];
  readonly freshness?: Freshness;
  /** Default: ready. */
  readonly surface?: Partial<SurfaceSummary>;
  /** What the server answers to whatever is asked of it besides tools; default: an error. */
  readonly answer?: (invocation: Invocation) => InvocationResult | Promise<InvocationResult>;
  readonly subscribe?: NonNullable<Executor["subscribe"]>;
}

/** The provider as the gateway makes one. */
export function makeServer(server: TestServer): ProviderCatalog {
  const { provider: name, toolPrefix = "", connection, freshness, surface } = server;
  const shown = { kind: "mcp", state: "ready", reason: undefined, tools: 0, ...surface } as const;
  const config = configOf(server);
  const list = (features: TestServer["prompts"] = {}, id: string): readonly ListedFeature[] =>
    Object.entries(features).map(([key, more]) => ({ id: key, listed: { [id]: key, ...more } }));
  const offerings = exposeFeatures(config.provider, config.surface, {
    prompts: list(server.prompts, "name"),
    resources: list(server.resources, "uri"),
    templates: list(server.templates, "uriTemplate"),
    freshness: { ttlMs: 0, scope: "private" },
  });
  const isThere = shown.state === "ready" || shown.state === "stale";
  const tools = (server.tools ?? []).map(
    (tool): Tool => ({ ...makeTool(toolPrefix + tool, undefined, undefined, name), surface: "mcp" }),
  );
  const entries = isThere ? exposeEntries(config.provider) : undefined;
  return {
    version: digestOf([name, toolPrefix, connection ?? "", offerings, shown, freshness ?? {}, tools.length]),
    ...{ name, toolPrefix, tools },
    displayName: `The ${name}`,
    description: undefined,
    mcpEnabled: true,
    tenants: undefined,
    state: shown.state,
    reason: shown.reason,
    surfaces: [{ ...shown, tools: tools.length }],
    connections: connection === undefined ? [] : [{ name: connection, mode: "user", type: "manual" }],
    ...(entries && { entries, offerings }),
    ...(freshness && { freshness }),
  };
}

/** The executor of a server; `undefined`: it isn't there. */
export function executorOf({ surface, answer, subscribe }: TestServer): Executor | undefined {
  const { state = "ready" } = surface ?? {};
  if (state !== "ready" && state !== "stale") return undefined;
  return {
    execute: async (invocation) => {
      if (answer === undefined) throw new Error("The test server answers nothing.");
      return answer(invocation);
    },
    ...(subscribe && { subscribe }),
  };
}

function configOf({ provider: name, toolPrefix = "", connection }: TestServer): {
  readonly provider: ProviderConfig;
  readonly surface: McpSurface;
} {
  const surface = { kind: "mcp", connection, prompts: true, resources: true } as McpSurface;
  const provider = { name, mcp: { enabled: true, toolPrefix }, surfaces: [surface] };
  // Exposing looks at nothing else of it.
  return { surface, provider: provider as unknown as ProviderConfig };
}
