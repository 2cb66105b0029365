/** Tells whether a whole text fits a pattern. */
export type Wildcard = (text: string) => boolean;

/**
 * Compiles a pattern in which `*` stands for any characters, none included; all others stand for themselves, by code unit.
 * Matching takes at most pattern length × text length steps.
 */
export function compileWildcard(pattern: string): Wildcard {
  const pieces = pattern.split("*");
  const first = pieces[0] ?? "";
  if (pieces.length === 1) return (text) => text === first;
  const last = pieces.at(-1) ?? "";
  const middle = pieces.slice(1, -1).filter((piece) => piece !== "");
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    const end = text.length - last.length;
    let at = first.length;
    // The earliest place for each piece leaves the most room for those behind it.
    for (const piece of middle) {
      const found = text.indexOf(piece, at);
      if (found === -1) return false;
      at = found + piece.length;
    }
    return at <= end;
  };
}
