const lineFeed = 0x0a;

/**
 * Cuts bytes into lines of UTF-8, however they are chunked, and calls back with each, without its line end; with
 * `undefined` in place of a line of more than `maxBytes`, of which nothing is kept.
 */
export function createLineSplitter(
  maxBytes: number,
  onLine: (line: string | undefined) => void,
): (chunk: Buffer) => void {
  let pieces: Buffer[] = [];
  let bytes = 0;

  const keep = (piece: Buffer): void => {
    bytes += piece.byteLength;
    if (bytes <= maxBytes) pieces.push(piece);
    else pieces = [];
  };

  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      keep(chunk.subarray(start, end));
      start = end + 1;
      const line = bytes > maxBytes ? undefined : Buffer.concat(pieces).toString("utf8");
      pieces = [];
      bytes = 0;
      onLine(line?.endsWith("\r") ? line.slice(0, -1) : line);
    }
    if (start < chunk.byteLength) keep(chunk.subarray(start));
  };
}
