import { didYouMean } from "../did-you-mean.ts";
import { type ArgumentTarget, targetsOf } from "../gateway.ts";
import { asObject } from "../json-object.ts";
import type { Tool } from "../model/catalog.ts";
import type { JsonObject } from "../model/json.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { formatTable } from "./format-table.ts";
import { type LoadedForReading, loadForReading, narrowToTool, openForCommand } from "./load.ts";
import { printProvider } from "./print-provider.ts";
import { reportProvider } from "./report-provider.ts";

/** Of a long list the first are enough to see what names look like. */
const shownProviders = 20;

/** Options of `gateway inspect`. */
export interface InspectOptions {
  readonly config: string | undefined;
  /** A tool's name, or a provider's that is no tool's as well. */
  readonly name: string | undefined;
  readonly provider: string | undefined;
  /** Of a provider: every tool and every message. */
  readonly all: boolean;
  readonly json: boolean;
}

/**
 * `gateway inspect`: one tool with the way of each argument onto the wire; or what a provider offers, what it costs and what
 * was left out, with status 1 when a surface of it could not be opened.
 */
export async function inspect(options: InspectOptions, console: Console): Promise<ExitCode> {
  const { name, provider } = options;
  if ((name === undefined) === (provider === undefined)) {
    console.say("gateway: name one tool or one provider.");
    return exitCodes.usage;
  }
  const loaded = await loadForReading(options.config, console);
  if (loaded === undefined) return exitCodes.invalid;
  const known = loaded.config.providers.map((candidate) => candidate.name);
  if (name === undefined) return inspectProvider(loaded, provider ?? "", options, console);

  const narrowed = narrowToTool(loaded.config, name);
  const isProvider = known.includes(name);
  // Nothing needs to be opened to know that no provider has such a tool.
  if (isProvider && narrowed.providers.length === 0) return inspectProvider(loaded, name, options, console);
  const gateway = openForCommand(narrowed, console, loaded.reach);
  try {
    await gateway.start();
    const { tools } = gateway.snapshot.catalog;
    const tool = tools.find((candidate) => candidate.name === name);
    if (tool !== undefined) {
      const targets = targetsOf(tool);
      console.data(
        options.json ? JSON.stringify(describeTool(tool, targets), undefined, 2) : printTool(tool, targets),
      );
      return exitCodes.ok;
    }
    if (!isProvider) {
      const hint = didYouMean(name, [...tools.map((candidate) => candidate.name), ...known]);
      const help =
        hint === undefined
          ? `\`gateway tools\` lists the tools. Providers: ${listProviders(known)}.`
          : `Did you mean \`${hint}\`?`;
      console.say(`gateway: there is no tool and no provider \`${name}\`. ${help}`);
      return exitCodes.failed;
    }
  } finally {
    await gateway.close();
  }
  return inspectProvider(loaded, name, options, console);
}

async function inspectProvider(
  { config, reach }: LoadedForReading,
  name: string,
  { all, json }: InspectOptions,
  console: Console,
): Promise<ExitCode> {
  const providers = config.providers.filter((candidate) => candidate.name === name);
  if (providers.length === 0) {
    const known = config.providers.map((candidate) => candidate.name);
    const hint = didYouMean(name, known);
    console.say(
      `gateway: there is no provider \`${name}\`. ${hint === undefined ? `There are: ${listProviders(known)}.` : `Did you mean \`${hint}\`?`}`,
    );
    return exitCodes.failed;
  }
  const gateway = openForCommand({ ...config, providers }, console, reach);
  try {
    await gateway.start();
    let status: ExitCode = exitCodes.ok;
    for (const provider of gateway.snapshot.catalog.providers) {
      const report = reportProvider(gateway, provider);
      console.data(json ? JSON.stringify(report, undefined, 2) : printProvider(report, all));
      if (report.surfaces.some(({ state }) => state === "unavailable")) status = exitCodes.failed;
    }
    return status;
  } finally {
    await gateway.close();
  }
}

function listProviders(names: readonly string[]): string {
  const shown = names.slice(0, shownProviders).join(", ");
  return names.length > shownProviders ? `${shown} and ${names.length - shownProviders} more` : shown;
}

function describeTool(tool: Tool, targets: readonly ArgumentTarget[]): object {
  const { name, provider, surface, operation, id, connection, title, description, deprecated } = tool;
  const { annotations, inputSchema, outputSchema, binding, notes = [] } = tool;
  return {
    name,
    provider,
    surface,
    operation,
    id,
    connection,
    title,
    description,
    deprecated,
    notes,
    annotations,
    arguments: targets,
    inputSchema,
    outputSchema,
    binding,
  };
}

function printTool(tool: Tool, targets: readonly ArgumentTarget[]): string {
  const { notes = [] } = tool;
  const effect = tool.annotations.readOnlyHint
    ? "reads"
    : tool.annotations.destructiveHint
      ? "destroys"
      : "writes";
  const facts = [
    ["provider", `${tool.provider} (${tool.surface})`],
    ["operation", tool.id],
    ["wire", wireOf(tool)],
    ["connection", tool.connection ?? "none"],
    ["effect", effect],
    ...(tool.deprecated ? [["deprecated", "yes"]] : []),
  ];
  const rows = targets.map((target) => [
    `  ${target.argument}`,
    target.in,
    target.wireName ?? "(whole)",
    target.style,
    [...typeOf(tool, target.argument), ...(target.required ? ["required"] : [])].join(", "),
  ]);
  return [
    tool.name,
    tool.description,
    "",
    formatTable(facts),
    ...(rows.length === 0 ? [] : ["", "arguments", formatTable(rows)]),
    ...(notes.length === 0 ? [] : ["", "reduced", ...notes.map((note) => `  ${note}`)]),
  ].join("\n");
}

/** The type of an argument in a word or two, as its schema has it; none where the schema leaves it open. */
function typeOf({ inputSchema }: Tool, argument: string): readonly string[] {
  const schema = asObject(asObject(inputSchema["properties"])?.[argument]) ?? {};
  if (isFileSchema(schema)) return ["file"];
  const { type, items } = schema;
  const types = (Array.isArray(type) ? type : [type]).filter((name) => typeof name === "string");
  const item = asObject(items)?.["type"];
  const named = types.map((name) => (name === "array" && typeof item === "string" ? `${item}[]` : name));
  return named.length === 0 ? [] : [named.filter((name) => name !== "null").join(" | ")];
}

/** Whether the schema is that of file contents: base64, or an object with the contents. */
function isFileSchema({ anyOf }: JsonObject): boolean {
  const [first] = Array.isArray(anyOf) ? anyOf : [];
  return asObject(first)?.["contentEncoding"] === "base64";
}

function wireOf({ binding, method, path }: Tool): string {
  switch (binding.kind) {
    case "http":
      return `${binding.method} ${binding.baseUrl}${binding.path}`;
    case "graphql":
      return `POST ${binding.url} (${method} ${path})`;
    case "mcp":
      return `tools/call ${binding.tool}`;
    case "mcp-feature":
      return path;
  }
}
