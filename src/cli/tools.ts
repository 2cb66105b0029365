import { isAwaiting } from "../catalog/view.ts";
import type { Gateway } from "../gateway.ts";
import type { Tool } from "../model/catalog.ts";
import type { Principal } from "../model/principal.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { count, formatTable } from "./format-table.ts";
import { loadForReading, openForCommand } from "./load.ts";
import { measureTool } from "./measure-tool.ts";
import { withState } from "./with-state.ts";

/** Options of `gateway tools`. */
export interface ToolsOptions {
  readonly config: string | undefined;
  readonly json: boolean;
  readonly tokens: boolean;
  /** The principal whose tools are listed, such as `user:ada`; `undefined`: all that there are. */
  readonly as?: string | undefined;
  /** The way in through which that principal looks. Default: mcp. */
  readonly via?: "mcp" | "api";
}

/**
 * `gateway tools`: lists the catalog, or the part of it that a principal sees. Status 1 when a provider could not be opened,
 * after listing the others.
 */
export async function tools(options: ToolsOptions, console: Console): Promise<ExitCode> {
  const loaded = await loadForReading(options.config, console);
  if (loaded === undefined) return exitCodes.invalid;
  const { config, reach } = loaded;
  if (options.as === undefined)
    return listTools(openForCommand(config, console, reach), undefined, options, console);
  return withState(config, options.as, console, (principal, state) =>
    listTools(openForCommand(config, console, reach, state), principal, options, console),
  );
}

async function listTools(
  gateway: Gateway,
  principal: Principal | undefined,
  options: ToolsOptions,
  console: Console,
): Promise<ExitCode> {
  try {
    await gateway.start();
    if (principal !== undefined) await gateway.prepare(principal);
    const { catalog } = gateway.snapshot;
    const view = principal && gateway.view(principal, options.via ?? "mcp");
    const offered = view?.tools ?? catalog.tools;
    if (options.json) {
      const listed = options.tokens
        ? offered.map((tool) => ({ ...tool, tokens: measureTool(tool).tokens }))
        : offered;
      console.data(JSON.stringify(listed, undefined, 2));
    } else {
      printTable(offered, options.tokens, console);
    }
    if (view?.notice !== undefined) console.say(view.notice);
    const waiting = (view?.providers ?? catalog.providers).filter(isAwaiting);
    if (waiting.length > 0) {
      const names = waiting.map(({ name }) => name).join(", ");
      console.say(
        `Not connected yet: ${names}. \`gateway connections connect PROVIDER\` connects one, and its tools appear.`,
      );
    }
    return catalog.providers.some((provider) =>
      provider.surfaces.some(({ state }) => state === "unavailable"),
    )
      ? exitCodes.failed
      : exitCodes.ok;
  } finally {
    await gateway.close();
  }
}

function printTable(listed: readonly Tool[], withTokens: boolean, console: Console): void {
  const rows = listed.map((tool) => [
    tool.name,
    tool.surface,
    tool.annotations.readOnlyHint ? "reads" : tool.annotations.destructiveHint ? "destroys" : "writes",
    ...(withTokens ? [String(measureTool(tool).tokens)] : []),
    firstLine(tool.description),
  ]);
  const header = ["TOOL", "SURFACE", "EFFECT", ...(withTokens ? ["TOKENS"] : []), "DESCRIPTION"];
  console.data(formatTable([header, ...rows]));
  const total = listed.reduce((sum, tool) => sum + measureTool(tool).tokens, 0);
  console.say(`${count(listed.length, "tool")}${withTokens ? `, about ${total} tokens in all` : ""}.`);
}

function firstLine(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
