import { stripVTControlCharacters } from "node:util";
import type { Place } from "../model/place.ts";
import { clipMessage } from "./clip-message.ts";
import { codeFrame } from "./code-frame.ts";
import type { Diagnostic } from "./diagnostic.ts";

/** What the rendering for people needs. */
export interface HumanOptions {
  /** The text of each file by its printed name; diagnostics in other files have no code frame. */
  readonly sources: ReadonlyMap<string, string>;
  /** Whether to use terminal colours. Off by default. */
  readonly color?: boolean;
}

const colors = { error: "31", warning: "33", information: "36", quiet: "2", strong: "1" };

/** Diagnostics as people read them: place, severity, code, message, code frame; an empty line between two. */
export function renderHuman(diagnostics: readonly Diagnostic[], options: HumanOptions): string {
  return diagnostics.map((diagnostic) => renderOne(diagnostic, options)).join("\n");
}

function renderOne(diagnostic: Diagnostic, { sources, color = false }: HumanOptions): string {
  const { severity, code, message, place, related = [] } = diagnostic;
  const paint = (style: keyof typeof colors, text: string): string =>
    color ? `\u001b[${colors[style]}m${text}\u001b[0m` : text;
  const head = [
    ...(place ? [paint("strong", printPlace(place))] : []),
    paint(severity, severity),
    paint("quiet", code),
  ];
  const frame = (at: Place): readonly string[] => {
    const lines = codeFrame(sources.get(at.file) ?? "", at);
    return lines.map((line, index) =>
      index === lines.length - 1 ? paint(severity, line) : paint("quiet", line),
    );
  };
  const lines = [head.join("  "), `  ${safeLine(clipMessage(message))}`];
  if (place && sources.has(place.file)) lines.push("", ...frame(place));
  for (const other of related) {
    lines.push("", `  ${printPlace(other.place)}  ${safeLine(clipMessage(other.message))}`);
    if (sources.has(other.place.file)) lines.push("", ...frame(other.place));
  }
  return `${lines.join("\n")}\n`;
}

function printPlace({ file, line, column }: Place): string {
  return `${safeLine(file)}:${line}:${column}`;
}

/** Names from files may hold anything; what reaches a terminal must not. */
function safeLine(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Bidi_Control}]/gu, "\uFFFD");
}
