import type { Place } from "../model/place.ts";

/** A text file as read, with what it takes to turn offsets into lines and columns. */
export interface SourceFile {
  /** The name as people should read it: relative to the working directory where that is shorter. */
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
  /** Without a byte order mark. */
  readonly text: string;
  /** The offset at which each line starts. */
  readonly lineStarts: readonly number[];
}

/** A range of a source file, in UTF-16 code units; the end is exclusive. */
export interface Span {
  readonly source: SourceFile;
  readonly start: number;
  readonly end: number;
}

/** Makes a source file of a text; a byte order mark at its start is dropped, as editors do not count it either. */
export function createSourceFile(name: string, path: string, content: string): SourceFile {
  const text = content.startsWith("\uFEFF") ? content.slice(1) : content;
  const lineStarts = [0];
  for (let newline = text.indexOf("\n"); newline !== -1; newline = text.indexOf("\n", newline + 1)) {
    lineStarts.push(newline + 1);
  }
  return { name, path, text, lineStarts };
}

/** The lines and columns of a span. */
export function placeOf({ source, start, end }: Span): Place {
  const from = positionOf(source, start);
  const to = positionOf(source, end);
  return {
    file: source.name,
    line: from.line,
    column: from.column,
    endLine: to.line,
    endColumn: to.column,
  };
}

function positionOf({ lineStarts }: SourceFile, offset: number): { line: number; column: number } {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 };
}
