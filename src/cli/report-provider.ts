import { noOfferings } from "../catalog/offerings.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { type FlatDiagnostic, flattenDiagnostic } from "../diagnostics/render-json.ts";
import type { Gateway } from "../gateway.ts";
import type {
  ConnectionSummary,
  ProviderCatalog,
  ProviderState,
  SurfaceKind,
  SurfaceSummary,
  Tool,
} from "../model/catalog.ts";
import type { Offering, Offerings } from "../model/features.ts";
import { measureTool } from "./measure-tool.ts";

/**
 * What a provider offers, what that costs, and what was left out: `gateway inspect PROVIDER --json` prints it as it is. The
 * shape is an interface: keys are added, never renamed; what is not there is null.
 */
export interface ProviderReport {
  readonly name: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly state: ProviderState;
  readonly reason: string | null;
  readonly mcpEnabled: boolean;
  readonly toolPrefix: string;
  readonly surfaces: readonly (Omit<SurfaceSummary, "reason" | "awaits"> & {
    readonly reason: string | null;
    readonly awaits: string | null;
  })[];
  readonly connections: readonly ConnectionSummary[];
  readonly summary: ProviderSummary;
  /** The largest first. */
  readonly tools: readonly ToolReport[];
  /** Operations that gave no tool. */
  readonly dropped: readonly FlatDiagnostic[];
  /** Operations that work, reduced; what a single tool lacks is in its notes. */
  readonly degraded: readonly FlatDiagnostic[];
  /** Ids of the operations that `select` and `allowed_operations` leave out. */
  readonly leftOut: readonly string[];
  /** The names by which clients know what its MCP server has besides tools. */
  readonly prompts: readonly string[];
  readonly resources: readonly string[];
  readonly templates: readonly string[];
  /** What of an MCP server the file does not offer, whether the server has any or not. */
  readonly withheld: readonly WithheldFeature[];
  /** Everything else that its author can mend. */
  readonly diagnostics: readonly FlatDiagnostic[];
  /** What to do where the tools are too large for most models; else null. */
  readonly advice: string | null;
}

/** What `surfaces.mcp` can leave out. */
export type WithheldFeature = "prompts" | "resources";

/** The report in numbers. */
export interface ProviderSummary {
  readonly tools: number;
  /** Bytes of all tools in `tools/list`. */
  readonly bytes: number;
  /** Those of them that are output schemas. */
  readonly outputSchemaBytes: number;
  /** Estimated tokens in a model's context, four bytes each, output schemas not counted. */
  readonly tokens: number;
  /** Tools of more than 8 KB. */
  readonly largeTools: number;
  readonly deprecatedTools: number;
  /** Tools with notes. */
  readonly degradedTools: number;
  readonly leftOut: number;
  readonly prompts: number;
  readonly resources: number;
  readonly templates: number;
}

/** One tool in numbers. */
export interface ToolReport {
  readonly name: string;
  readonly surface: SurfaceKind;
  /** The upstream's own id. */
  readonly id: string;
  readonly bytes: number;
  readonly outputSchemaBytes: number;
  readonly tokens: number;
  readonly deprecated: boolean;
  /** What it lacks of the upstream's description, and why. */
  readonly notes: readonly string[];
}

/** Bytes from which a tool is worth a look. */
export const largeTool = 8_000;

/** Tokens above which the best clients warn, and models choose worse. */
const manyTokens = 25_000;

const degradedCodes: ReadonlySet<string> = new Set(["operation-degraded", "unresolved-reference"]);

/** Makes the report on one provider. Of tools it keeps numbers: thousands of them have gigabytes of schemas. */
export function reportProvider(gateway: Gateway, provider: ProviderCatalog): ProviderReport {
  const { name, displayName, description, state, reason, mcpEnabled, toolPrefix, connections } = provider;
  const tools = provider.tools.map(reportTool).toSorted((first, second) => second.bytes - first.bytes);
  // Grants are judged by all providers, and this gateway may have but one.
  const diagnostics = gateway.diagnostics().filter(({ code }) => code !== "unmatched-grant");
  const leftOut = gateway.leftOut(name);
  const offered = namesOf(provider.offerings ?? noOfferings);
  const summary = { ...summarizeTools(tools, leftOut.length), ...countNames(offered) };
  return {
    name,
    displayName,
    description: description ?? null,
    state,
    reason: reason ?? null,
    mcpEnabled,
    toolPrefix,
    surfaces: provider.surfaces.map((surface) => ({
      ...surface,
      reason: surface.reason ?? null,
      awaits: surface.awaits ?? null,
    })),
    connections,
    summary,
    tools,
    dropped: pick(diagnostics, ({ code }) => code === "operation-dropped"),
    degraded: pick(diagnostics, ({ code }) => degradedCodes.has(code)),
    leftOut,
    ...offered,
    withheld: findWithheld(gateway, name),
    diagnostics: pick(diagnostics, ({ code }) => code !== "operation-dropped" && !degradedCodes.has(code)),
    advice: summary.tokens > manyTokens ? advise(provider) : null,
  };
}

function reportTool(tool: Tool): ToolReport {
  const { name, surface, id, deprecated, notes = [] } = tool;
  return { name, surface, id, ...measureTool(tool), deprecated, notes };
}

type OfferedNames = Pick<ProviderReport, "prompts" | "resources" | "templates">;

function namesOf({ prompts, resources, templates }: Offerings): OfferedNames {
  const names = (offerings: readonly Offering[]): readonly string[] => offerings.map(({ name }) => name);
  return { prompts: names(prompts), resources: names(resources), templates: names(templates) };
}

function countNames({
  prompts,
  resources,
  templates,
}: OfferedNames): Pick<ProviderSummary, keyof OfferedNames> {
  return { prompts: prompts.length, resources: resources.length, templates: templates.length };
}

function findWithheld({ config }: Gateway, name: string): readonly WithheldFeature[] {
  const surfaces = config.providers.find((provider) => provider.name === name)?.surfaces ?? [];
  const mcp = surfaces.find((surface) => surface.kind === "mcp");
  return (["prompts", "resources"] as const).filter((feature) => mcp?.[feature] === false);
}

function summarizeTools(
  tools: readonly ToolReport[],
  leftOut: number,
): Omit<ProviderSummary, keyof OfferedNames> {
  const sum = (number: (tool: ToolReport) => number): number =>
    tools.reduce((total, tool) => total + number(tool), 0);
  return {
    tools: tools.length,
    bytes: sum(({ bytes }) => bytes),
    outputSchemaBytes: sum(({ outputSchemaBytes }) => outputSchemaBytes),
    tokens: sum(({ tokens }) => tokens),
    largeTools: sum(({ bytes }) => (bytes > largeTool ? 1 : 0)),
    deprecatedTools: sum(({ deprecated }) => (deprecated ? 1 : 0)),
    degradedTools: sum(({ notes }) => (notes.length > 0 ? 1 : 0)),
    leftOut,
  };
}

function pick(
  diagnostics: readonly Diagnostic[],
  isWanted: (diagnostic: Diagnostic) => boolean,
): readonly FlatDiagnostic[] {
  return diagnostics.filter(isWanted).map(flattenDiagnostic);
}

function advise({ surfaces }: ProviderCatalog): string {
  const smaller = surfaces.some(({ kind }) => kind === "openapi")
    ? ", or make them smaller with `schema_budget`"
    : "";
  return `That is more than ${manyTokens.toLocaleString("en")} tokens, which most clients and models don't work well with. Offer fewer tools with \`select\` or \`allowed_operations\`${smaller}.`;
}
