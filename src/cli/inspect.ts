import { didYouMean } from "../did-you-mean.ts";
import { type ArgumentTarget, type Gateway, targetsOf } from "../gateway.ts";
import type { ProviderCatalog, Tool } from "../model/catalog.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { count, formatTable } from "./format-table.ts";
import { loadForReading, narrowToTool, openForCommand } from "./load.ts";

/** Options of `gateway inspect`. */
export interface InspectOptions {
  readonly config: string | undefined;
  readonly tool: string | undefined;
  readonly provider: string | undefined;
  readonly json: boolean;
}

/** `gateway inspect`: one tool with the way of each argument onto the wire, or all that a provider contributes. */
export async function inspect(options: InspectOptions, console: Console): Promise<ExitCode> {
  if ((options.tool === undefined) === (options.provider === undefined)) {
    console.say("gateway: name one tool, or one provider with `--provider`.");
    return exitCodes.usage;
  }
  const loaded = await loadForReading(options.config, console);
  if (loaded === undefined) return exitCodes.invalid;
  const { config } = loaded;
  const narrowed =
    options.tool === undefined
      ? { ...config, providers: config.providers.filter(({ name }) => name === options.provider) }
      : narrowToTool(config, options.tool);
  const gateway = openForCommand(narrowed, console, loaded.reach);
  try {
    await gateway.start();
    return options.tool === undefined
      ? inspectProvider(
          gateway,
          options.provider ?? "",
          config.providers.map(({ name }) => name),
          options.json,
          console,
        )
      : inspectTool(gateway, options.tool, options.json, console);
  } finally {
    await gateway.close();
  }
}

function inspectTool(gateway: Gateway, name: string, json: boolean, console: Console): ExitCode {
  const view = gateway.snapshot.view("api");
  const tool = view.findTool(name);
  if (tool === undefined) {
    const hint = didYouMean(
      name,
      view.tools.map((candidate) => candidate.name),
    );
    console.say(
      `gateway: there is no tool \`${name}\`.${hint === undefined ? " `gateway tools` lists them." : ` Did you mean \`${hint}\`?`}`,
    );
    return exitCodes.failed;
  }
  const targets = targetsOf(tool);
  console.data(json ? JSON.stringify(describeTool(tool, targets), undefined, 2) : printTool(tool, targets));
  return exitCodes.ok;
}

function describeTool(tool: Tool, targets: readonly ArgumentTarget[]): object {
  const { name, provider, surface, operation, id, connection, title, description, deprecated } = tool;
  const { annotations, inputSchema, outputSchema, binding } = tool;
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
    annotations,
    arguments: targets,
    inputSchema,
    outputSchema,
    binding,
  };
}

function printTool(tool: Tool, targets: readonly ArgumentTarget[]): string {
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
  ];
  const rows = targets.map((target) => [
    `  ${target.argument}`,
    target.in,
    target.wireName ?? "(whole)",
    target.style,
    target.required ? "required" : "",
  ]);
  return [
    tool.name,
    tool.description,
    "",
    formatTable(facts),
    ...(rows.length === 0 ? [] : ["", "arguments", formatTable(rows)]),
  ].join("\n");
}

function wireOf({ binding, method, path }: Tool): string {
  switch (binding.kind) {
    case "http":
      return `${binding.method} ${binding.baseUrl}${binding.path}`;
    case "graphql":
      return `POST ${binding.url} (${method} ${path})`;
    case "mcp":
      return `tools/call ${binding.tool}`;
  }
}

function inspectProvider(
  gateway: Gateway,
  name: string,
  known: readonly string[],
  json: boolean,
  console: Console,
): ExitCode {
  const provider = gateway.snapshot.catalog.providers.find((candidate) => candidate.name === name);
  if (provider === undefined) {
    const hint = didYouMean(name, known);
    console.say(
      `gateway: there is no provider \`${name}\`.${hint === undefined ? ` There are: ${known.join(", ")}.` : ` Did you mean \`${hint}\`?`}`,
    );
    return exitCodes.failed;
  }
  console.data(
    json
      ? JSON.stringify({ ...provider, diagnostics: gateway.diagnostics() }, undefined, 2)
      : printProvider(provider, gateway),
  );
  return exitCodes.ok;
}

function printProvider(provider: ProviderCatalog, gateway: Gateway): string {
  const surfaces = provider.surfaces.map((surface) => [
    `  ${surface.kind}`,
    surface.state,
    count(surface.tools, "tool"),
    surface.reason ?? "",
  ]);
  const connections = provider.connections.map(({ name, mode, type }) => [`  ${name}`, mode, type]);
  const tools = provider.tools.map((tool) => [`  ${tool.name}`, wireOf(tool)]);
  const notes = gateway
    .diagnostics()
    .map(({ severity, code, message }) => `  ${severity} ${code}: ${message}`);
  const section = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : ["", title, ...lines];
  return [
    `${provider.displayName} (${provider.name}): ${provider.state}`,
    ...(provider.description === undefined ? [] : [provider.description]),
    ...section("surfaces", [formatTable(surfaces)]),
    ...(connections.length === 0 ? [] : section("connections", [formatTable(connections)])),
    ...(tools.length === 0 ? [] : section("tools", [formatTable(tools)])),
    ...section("diagnostics", notes),
  ].join("\n");
}
