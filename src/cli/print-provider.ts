import type { FlatDiagnostic } from "../diagnostics/render-json.ts";
import type { ProviderState } from "../model/catalog.ts";
import { count, formatTable } from "./format-table.ts";
import { largeTool, type ProviderReport, type ToolReport } from "./report-provider.ts";

const shownTools = 10;
const shownRows = 3;
const shownNames = 5;
const longestNames = 90;
/** Characters of a message that are shown where it is one of several. */
const longestLine = 140;

/** A report on a provider for people: some 40 lines, unless `all` asks for every tool and every message in full. */
export function printProvider(report: ProviderReport, all: boolean): string {
  const title = `${report.displayName} (${report.name}): ${report.state}`;
  const blocks = [
    [title, ...(report.description === null ? [] : [clip(report.description, all)])],
    printFacts(report, all),
    printSize(report),
    printTools(report.tools, all),
    printSummary(report, all),
    printMessages("no tool", report.dropped.map(describe), all),
    printMessages("reduced", [...report.degraded.map(describe), ...report.tools.flatMap(describeNotes)], all),
    printMessages("also found", report.diagnostics.filter(isNews).map(describe), all),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

function printFacts({ surfaces, connections }: ProviderReport, all: boolean): readonly string[] {
  const shown = all ? connections : connections.slice(0, shownNames);
  const more = connections.length - shown.length;
  const rows = [
    ...surfaces.map(({ kind, state, tools, reason }) => [
      "surface",
      kind,
      state,
      [formatCount(tools, "tool"), ...describeReason(reason, state)].join("  "),
    ]),
    ...shown.map(({ name, mode, type }) => ["connection", name, mode, type]),
    ...(more > 0 ? [["", `${more} more`]] : []),
  ];
  return rows.length === 0 ? [] : [formatTable(rows)];
}

function describeReason(reason: string | null, state: ProviderState): readonly string[] {
  return reason === null || state === "ready" ? [] : [reason];
}

function printSize({ summary, advice }: ProviderReport): readonly string[] {
  const { tools, bytes, outputSchemaBytes, tokens } = summary;
  if (tools === 0) return ["No tools."];
  const output = outputSchemaBytes === 0 ? "" : ` (${formatBytes(outputSchemaBytes)} of them output schemas)`;
  const size = `${formatCount(tools, "tool")}: ${formatBytes(bytes)} in tools/list${output}, about ${formatNumber(tokens)} tokens`;
  return advice === null ? [size] : [size, ...advice.split(/(?<=\.) (?=[A-Z])/)];
}

function printTools(tools: readonly ToolReport[], all: boolean): readonly string[] {
  if (tools.length === 0) return [];
  const shown = all ? tools : tools.slice(0, shownTools);
  const more = tools.length - shown.length;
  const sizes = alignRight(
    shown.map(({ bytes }) => formatNumber(bytes)),
    "BYTES",
  );
  const tokens = alignRight(
    shown.map((tool) => formatNumber(tool.tokens)),
    "TOKENS",
  );
  const rows = shown.map((tool, index) => [
    tool.name,
    sizes[index + 1] ?? "",
    tokens[index + 1] ?? "",
    [
      ...(tool.deprecated ? ["deprecated"] : []),
      ...(tool.notes.length > 0 ? [count(tool.notes.length, "note")] : []),
    ].join(", "),
  ]);
  const header = [more > 0 ? "LARGEST TOOLS" : "TOOL", sizes[0] ?? "", tokens[0] ?? ""];
  const table = formatTable([header, ...rows]);
  return more > 0 ? [table, `${formatNumber(more)} more; \`--all\` lists them.`] : [table];
}

function printSummary(report: ProviderReport, all: boolean): readonly string[] {
  const { summary, tools, leftOut } = report;
  const { largeTools, deprecatedTools } = summary;
  const deprecated = tools.filter((tool) => tool.deprecated).map(({ name }) => name);
  const rows = [
    ...(largeTools > 0
      ? [["large", `${formatCount(largeTools, "tool")} over ${formatBytes(largeTool)}`]]
      : []),
    ...(deprecatedTools > 0
      ? [["deprecated", `${formatCount(deprecatedTools, "tool")}: ${listNames(deprecated, all)}`]]
      : []),
    ...(leftOut.length > 0
      ? [
          [
            "left out",
            `${formatCount(leftOut.length, "operation")} by \`select\` or \`allowed_operations\`: ${listNames(leftOut, all)}`,
          ],
        ]
      : []),
    ...describeOffered(report, all),
  ];
  return rows.length === 0 ? [] : [formatTable(rows)];
}

/** What its MCP server has besides tools. */
function describeOffered(
  { prompts, resources, templates, withheld }: ProviderReport,
  all: boolean,
): readonly (readonly string[])[] {
  const describeNames = (title: string, noun: string, names: readonly string[]): readonly string[][] =>
    names.length === 0 ? [] : [[title, `${formatCount(names.length, noun)}: ${listNames(names, all)}`]];
  const settings = withheld.map((feature) => `\`surfaces.mcp.${feature}: true\``).join(" and ");
  return [
    ...describeNames("prompts", "prompt", prompts),
    ...describeNames("resources", "resource", resources),
    ...describeNames("templates", "resource template", templates),
    ...(withheld.length === 0
      ? []
      : [["not offered", `${withheld.join(" and ")}; ${settings} would offer them`]]),
  ];
}

function printMessages(title: string, lines: readonly string[], all: boolean): readonly string[] {
  if (lines.length === 0) return [];
  const shown = all ? lines : lines.slice(0, shownRows);
  const more = lines.length - shown.length;
  return [
    `${title} (${formatNumber(lines.length)})`,
    ...shown.map((line) => `  ${clip(line, all)}`),
    ...(more > 0 ? [`  ${formatNumber(more)} more; \`--all\` shows them.`] : []),
  ];
}

/** That a surface is away stands beside its name. */
function isNews({ code }: FlatDiagnostic): boolean {
  return code !== "provider-unavailable" && code !== "skipped-offline";
}

function describe({ file, line, message }: FlatDiagnostic): string {
  return file === null ? message : `${file}:${line}  ${message}`;
}

function describeNotes({ name, notes }: ToolReport): readonly string[] {
  return notes.length === 0 ? [] : [`${name}  ${notes.join(" ")}`];
}

/** The first names, as many as fit on a line. */
function listNames(names: readonly string[], all: boolean): string {
  let shown = names.slice(0, all ? names.length : shownNames);
  while (!all && shown.length > 1 && shown.join(", ").length > longestNames) shown = shown.slice(0, -1);
  const more = names.length - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${formatNumber(more)} more` : ""}`;
}

function alignRight(cells: readonly string[], header: string): readonly string[] {
  const width = Math.max(header.length, ...cells.map((cell) => cell.length));
  return [header, ...cells].map((cell) => cell.padStart(width));
}

/** One line of it. */
function clip(text: string, all: boolean): string {
  if (all) return text;
  const line = text.split("\n", 1)[0] ?? "";
  return line.length > longestLine ? `${line.slice(0, longestLine - 1)}…` : line;
}

function formatCount(amount: number, noun: string): string {
  return `${formatNumber(amount)} ${noun}${amount === 1 ? "" : "s"}`;
}

function formatNumber(value: number): string {
  return value.toLocaleString("en");
}

/** 1 KB is 1000 bytes, as in the configuration file. */
function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const [amount, unit] = bytes < 999_500 ? [bytes / 1000, "KB"] : [bytes / 1_000_000, "MB"];
  return `${amount.toLocaleString("en", { maximumSignificantDigits: amount < 10 ? 2 : 3 })} ${unit}`;
}
