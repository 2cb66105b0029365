import type { Edges } from "./find-answered-id.ts";

const lineFeed = 0x0a;

const edgeBytes = 256;

/** Who is called back with lines. */
export interface LineReader {
  /** A line without its end. */
  line(text: string): void;
  /** In place of a line that is too long: how it begins and ends. */
  tooLong(edges: Edges): void;
}

/** Cuts bytes into lines of UTF-8, however they are chunked; of a line of more than `maxBytes` nothing but its edges is kept. */
export function createLineSplitter(maxBytes: number, reader: LineReader): (chunk: Buffer) => void {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let head: Buffer | undefined;

  const keep = (piece: Buffer): void => {
    pieces.push(piece);
    bytes += piece.byteLength;
    if (bytes <= maxBytes) return;
    const kept = Buffer.concat(pieces);
    // Copies, so that what they are cut from can go.
    head ??= Buffer.from(kept.subarray(0, edgeBytes));
    pieces = [Buffer.from(kept.subarray(-edgeBytes))];
  };

  const end = (): void => {
    const text = Buffer.concat(pieces).toString("utf8");
    const line = text.endsWith("\r") ? text.slice(0, -1) : text;
    const beginning = head?.toString("utf8");
    pieces = [];
    bytes = 0;
    head = undefined;
    if (beginning === undefined) reader.line(line);
    else reader.tooLong({ head: beginning, tail: line });
  };

  return (chunk) => {
    let start = 0;
    for (let at = chunk.indexOf(lineFeed); at !== -1; at = chunk.indexOf(lineFeed, start)) {
      keep(chunk.subarray(start, at));
      start = at + 1;
      end();
    }
    if (start < chunk.byteLength) keep(chunk.subarray(start));
  };
}
