/** How a text begins and ends. */
export interface Edges {
  readonly head: string;
  readonly tail: string;
}

/** One line: its bytes without the line end, or, of one that is too long, how it begins and ends. */
export type Line =
  | { readonly kind: "line"; readonly bytes: Buffer }
  | { readonly kind: "too-long"; readonly edges: Edges };

/** Cuts a stream of bytes into lines, however it comes in chunks. */
export interface LineSplitter {
  /** The lines that a chunk completes. */
  push(chunk: Buffer): readonly Line[];
  /** What stands behind the last line end; nothing for an empty rest. */
  end(): readonly Line[];
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
/** So much of each end of a line that is too long is kept. */
const edgeBytes = 256;

/** @param maxBytes of a line. */
export function createLineSplitter(maxBytes: number): LineSplitter {
  let pieces: Buffer[] = [];
  let size = 0;
  let head: Buffer | undefined;

  const keep = (piece: Buffer): void => {
    if (piece.length === 0) return;
    pieces.push(piece);
    size += piece.length;
    if (size <= maxBytes) return;
    const kept = Buffer.concat(pieces);
    // Copies, so that what they are cut from can go.
    head ??= Buffer.from(kept.subarray(0, edgeBytes));
    pieces = [Buffer.from(kept.subarray(-edgeBytes))];
  };
  const finish = (): Line => {
    const all = Buffer.concat(pieces);
    const bytes = all.at(-1) === carriageReturn ? all.subarray(0, -1) : all;
    const line: Line =
      head === undefined
        ? { kind: "line", bytes }
        : { kind: "too-long", edges: { head: head.toString("utf8"), tail: bytes.toString("utf8") } };
    pieces = [];
    size = 0;
    head = undefined;
    return line;
  };

  return {
    push: (chunk) => {
      const lines: Line[] = [];
      let start = 0;
      for (let at = chunk.indexOf(lineFeed); at !== -1; at = chunk.indexOf(lineFeed, start)) {
        keep(chunk.subarray(start, at));
        start = at + 1;
        lines.push(finish());
      }
      keep(chunk.subarray(start));
      return lines;
    },
    end: () => (size === 0 ? [] : [finish()]),
  };
}
