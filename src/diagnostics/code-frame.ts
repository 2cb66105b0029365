import type { Place } from "../model/place.ts";

/** Lines shown before the one that is underlined. */
const linesBefore = 2;

/** Columns of source text shown in a line; longer lines are cut around the underlined part. */
const frameWidth = 100;

const tabWidth = 4;

const ellipsis = "…";

/**
 * The lines of a text around a place, numbered, with the place underlined; a place of several lines on its first.
 * Columns line up in a terminal: tabs are expanded, wide characters count two, and control characters are shown as `�`.
 * Empty when the text has no such line.
 */
export function codeFrame(text: string, place: Place): readonly string[] {
  const lines = linesAround(text, place.line);
  const marked = lines.at(-1);
  if (marked === undefined) return [];
  const start = place.column - 1;
  const end = place.endLine === place.line ? place.endColumn - 1 : marked.length;
  const from = windowStart(marked, start);
  const gutter = String(place.line).length;
  const frame = lines.map((line, index) => {
    const number = String(place.line - lines.length + 1 + index).padStart(gutter);
    return `  ${number} | ${visible(clip(line, index === lines.length - 1 ? from : 0))}`.trimEnd();
  });
  const before = visible(marked.slice(from, start));
  const underlined = visible(marked.slice(start, Math.min(Math.max(end, start + 1), from + frameWidth)));
  const indent = (from > 0 ? ellipsis.length : 0) + columns(before);
  return [
    ...frame,
    `  ${" ".repeat(gutter)} | ${" ".repeat(indent)}${"^".repeat(Math.max(1, columns(underlined)))}`,
  ];
}

function linesAround(text: string, line: number): readonly string[] {
  let start = 0;
  let current = 1;
  const lines: string[] = [];
  while (current <= line) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    if (current >= line - linesBefore) lines.push(text.slice(start, end).replace(/\r$/, ""));
    if (newline === -1) break;
    start = newline + 1;
    current += 1;
  }
  return current < line ? [] : lines;
}

/** Where the shown part of a line begins: far enough left of the underlined part to see what it belongs to. */
function windowStart(line: string, start: number): number {
  if (line.length <= frameWidth || start < frameWidth - 20) return 0;
  return Math.min(start - 40, line.length - frameWidth);
}

function clip(line: string, from: number): string {
  const shown = line.slice(from, from + frameWidth);
  return `${from > 0 ? ellipsis : ""}${shown.toWellFormed()}${line.length > from + frameWidth ? ellipsis : ""}`;
}

function visible(text: string): string {
  const hidden = /[\p{Cc}\p{Bidi_Control}\u200b\u2028\u2029\ufeff]/gu;
  return text.replaceAll("\t", " ".repeat(tabWidth)).replace(hidden, "\uFFFD");
}

/** The columns that a text takes in a terminal. */
function columns(text: string): number {
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) width += isWide(segment) ? 2 : 1;
  return width;
}

function isWide(character: string): boolean {
  return /^(\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Script=Han})/u.test(
    character,
  );
}
