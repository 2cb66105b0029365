import { callerToJson } from "../administration-json.ts";
import { didYouMean } from "../did-you-mean.ts";
import type { Explanation, Gateway } from "../gateway.ts";
import type { Principal } from "../model/principal.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { formatTable } from "./format-table.ts";
import { loadForReading, narrowToTool, openForCommand } from "./load.ts";
import { oneLine } from "./one-line.ts";
import { listed } from "./print-list.ts";
import { withState } from "./with-state.ts";

/** Options of `gateway explain`. */
export interface ExplainOptions {
  readonly config: string | undefined;
  readonly tool: string;
  /** `user:NAME`, `token:ID`, `anonymous` or `operator`, with `@TENANT` behind it where it acts there. */
  readonly as: string;
  readonly via: "mcp" | "api";
  readonly json: boolean;
}

/** `gateway explain`: why a principal may call a tool or not, and with which credential. Status 1 when it may not. */
export async function explain(options: ExplainOptions, console: Console): Promise<ExitCode> {
  const loaded = await loadForReading(options.config, console);
  if (loaded === undefined) return exitCodes.invalid;
  return withState(loaded.config, options.as, console, async (principal, state) => {
    const narrowed = narrowToTool(loaded.config, options.tool);
    const gateway = openForCommand(narrowed, console, loaded.reach, state);
    return explainAs(principal, gateway, options, console);
  });
}

async function explainAs(
  principal: Principal,
  gateway: Gateway,
  options: ExplainOptions,
  console: Console,
): Promise<ExitCode> {
  try {
    await gateway.start();
    const explanation = await gateway.explain(principal, options.via, options.tool);
    console.data(
      options.json
        ? JSON.stringify(toJson(options, principal, explanation), undefined, 2)
        : print(options, principal, explanation),
    );
    const names = gateway.snapshot.catalog.tools.map(({ name }) => name);
    if (explanation.connection === undefined && !names.includes(options.tool)) {
      const hint = didYouMean(options.tool, names);
      console.say(
        `There is no tool \`${oneLine(options.tool)}\`. ${hint === undefined ? "`gateway tools` lists them." : `Did you mean \`${hint}\`?`}`,
      );
    }
    return explanation.decision.outcome === "denied" ? exitCodes.failed : exitCodes.ok;
  } finally {
    await gateway.close();
  }
}

function toJson(
  { tool, via }: ExplainOptions,
  principal: Principal,
  { decision, connection }: Explanation,
): object {
  return {
    tool,
    via,
    principal: callerToJson(principal),
    outcome: decision.outcome,
    steps: decision.steps,
    ...(connection !== undefined && { connection }),
  };
}

const outcomes: Readonly<Record<Explanation["decision"]["outcome"], string>> = {
  allowed: "may list and call it",
  depends: "may list it; the arguments decide on each call",
  denied: "may neither list nor call it",
};

function print(
  { tool, via }: ExplainOptions,
  principal: Principal,
  { decision, connection }: Explanation,
): string {
  const { kind, name, tenant, home, roles, scopes } = principal;
  const where = tenant === home ? tenant : `${tenant}, at home in ${home}`;
  const who = kind === name ? kind : `${kind} ${name}`;
  const steps = decision.steps.map(({ check, policy, outcome, detail }) => [
    `  ${policy === undefined ? check : `${check} ${policy}`}`,
    outcome,
    detail,
  ]);
  const ways = (connection ?? []).map(({ what, detail }) => [`  ${what}`, detail]);
  return [
    `${oneLine(tool)} (${via === "mcp" ? "MCP" : "HTTP API"}) for ${oneLine(who)}`,
    formatTable([
      ["tenant", where],
      ["roles", listed(roles)],
      ["scopes", scopes === undefined ? "everything" : listed(scopes)],
    ]),
    "",
    "decision",
    tableOf(steps),
    ...(ways.length === 0 ? [] : ["", "connection", tableOf(ways)]),
    "",
    `${oneLine(who)} ${outcomes[decision.outcome]}.`,
  ].join("\n");
}

function tableOf(rows: readonly (readonly string[])[]): string {
  return formatTable(rows.map((row) => row.map(oneLine)));
}
