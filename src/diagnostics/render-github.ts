import { clipMessage } from "./clip-message.ts";
import type { Diagnostic } from "./diagnostic.ts";

const workflowCommands = { error: "error", warning: "warning", information: "notice" } as const;

/** Diagnostics as workflow commands of GitHub Actions, which shows them beside the lines of a pull request. */
export function renderGithub(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((diagnostic) => `${renderOne(diagnostic)}\n`).join("");
}

function renderOne({ severity, code, message, place }: Diagnostic): string {
  const properties: (readonly [string, string | number])[] = [];
  if (place) {
    properties.push(["file", place.file], ["line", place.line]);
    // GitHub takes columns only for a range within one line.
    if (place.endLine === place.line) properties.push(["col", place.column], ["endColumn", place.endColumn]);
    else properties.push(["endLine", place.endLine]);
  }
  properties.push(["title", code]);
  const list = properties.map(([name, value]) => `${name}=${escapeProperty(String(value))}`).join(",");
  return `::${workflowCommands[severity]} ${list}::${escapeData(clipMessage(message))}`;
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
