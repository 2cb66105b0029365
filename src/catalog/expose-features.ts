import type { ProviderCatalog, Tool } from "../model/catalog.ts";
import type { McpSurface, ProviderConfig } from "../model/config.ts";
import type { Feature, ListedFeature, McpFeatures, Offering, Offerings } from "../model/features.ts";
import { makeOfferings } from "./offerings.ts";
import { toClientUri } from "./resource-uri.ts";

/** Applies the file's choices to what an MCP server has besides tools: whether it is offered, and under which names. */
export function exposeFeatures(
  provider: ProviderConfig,
  surface: McpSurface,
  features: McpFeatures,
): Offerings {
  const { toolPrefix } = provider.mcp;
  const owner = { name: provider.name, toolPrefix };
  const offer = (
    listed: readonly ListedFeature[],
    member: "name" | "uri" | "uriTemplate",
    rename: (id: string) => string,
  ): readonly Offering[] =>
    listed.map(({ id, listed: entry }) => {
      const name = rename(id);
      return { name, id, provider: provider.name, listed: { ...entry, [member]: name } };
    });
  const toUri = (uri: string): string => toClientUri(owner, uri);
  return makeOfferings((kind) => {
    switch (kind) {
      case "prompts":
        return surface.prompts ? offer(features.prompts, "name", (id) => toolPrefix + id) : [];
      case "resources":
        return surface.resources ? offer(features.resources, "uri", toUri) : [];
      case "templates":
        return surface.resources ? offer(features.templates, "uriTemplate", toUri) : [];
    }
  });
}

/** The operation that stands for each feature where decisions are made: with a `/`, which no tool has in its name. */
const operations: Readonly<Record<Feature, string>> = {
  prompts: "prompts/get",
  resources: "resources/read",
  methods: "methods/call",
};

/** What of a feature's methods authorization goes by: methods that nobody knows may do anything. */
const reads: Tool["effects"] = { readOnly: true, destructive: false, idempotent: true, openWorld: true };
const destroys: Tool["effects"] = { readOnly: false, destructive: true, idempotent: false, openWorld: true };

/**
 * What stands for the features of a provider's MCP server where decisions are made about tools; `undefined` for a provider without
 * one. The same objects for as long as the provider lives should be used: much is remembered by them.
 */
export function exposeEntries(provider: ProviderConfig): ProviderCatalog["entries"] {
  const surface = provider.surfaces.find((candidate) => candidate.kind === "mcp");
  if (surface === undefined) return undefined;
  return {
    ...(surface.prompts && { prompts: makeEntry(provider, surface, "prompts") }),
    ...(surface.resources && { resources: makeEntry(provider, surface, "resources") }),
    // Who lists the operations to offer means these and nothing else.
    ...(provider.allowedOperations === undefined && { methods: makeEntry(provider, surface, "methods") }),
  };
}

/** The name by which decisions know a feature of a provider, where there may be no entry yet. */
export function nameOfEntry(toolPrefix: string, feature: Feature): Pick<Tool, "name" | "operation"> {
  const operation = operations[feature];
  return { name: toolPrefix + operation, operation };
}

function makeEntry(provider: ProviderConfig, surface: McpSurface, feature: Feature): Tool {
  const effects = feature === "methods" ? destroys : reads;
  const { name, operation } = nameOfEntry(provider.mcp.toolPrefix, feature);
  return {
    ...{ name, operation, id: operation, method: "feature", path: operation },
    provider: provider.name,
    surface: "mcp",
    tags: [],
    deprecated: false,
    title: undefined,
    description: "",
    inputSchema: { type: "object", properties: {} },
    outputSchema: undefined,
    annotations: {
      readOnlyHint: effects.readOnly,
      destructiveHint: effects.destructive,
      idempotentHint: effects.idempotent,
      openWorldHint: effects.openWorld,
    },
    effects,
    binding: { kind: "mcp-feature", feature },
    responseMapping: undefined,
    connection: surface.connection,
    origin: "upstream",
    place: undefined,
  };
}
