/** A compiled glob. */
export type Glob = (text: string) => boolean;

type Part = { readonly kind: "text"; readonly character: string } | { readonly kind: "one" | "some" | "all" };

/**
 * Compiles a glob: `?` is one character, `*` any run of characters, in paths any run without `/`, and `**` any run there too.
 * Matching takes at most text length × glob length steps, whatever the glob (a regular expression may take exponentially many).
 */
export function compileGlob(glob: string, kind: "name" | "path"): Glob {
  const parts: readonly Part[] = (glob.match(/\*+|[^*]/gu) ?? []).map((token): Part => {
    if (token === "?") return { kind: "one" };
    if (!token.startsWith("*")) return { kind: "text", character: token };
    return { kind: kind === "name" || token.length > 1 ? "all" : "some" };
  });
  return (text) => matches(parts, [...text]);
}

/** Follows all positions in the glob that are possible after each character. */
function matches(parts: readonly Part[], characters: readonly string[]): boolean {
  let positions = skipRuns(parts, new Set([0]));
  for (const character of characters) {
    const next = new Set<number>();
    for (const position of positions) {
      const part = parts[position];
      if (part === undefined) continue;
      if (part.kind === "all" || (part.kind === "some" && character !== "/")) next.add(position);
      else if (part.kind === "one" || (part.kind === "text" && part.character === character))
        next.add(position + 1);
    }
    if (next.size === 0) return false;
    positions = skipRuns(parts, next);
  }
  return positions.has(parts.length);
}

/** A run may be empty: its successor is possible wherever it is. */
function skipRuns(parts: readonly Part[], positions: Set<number>): Set<number> {
  for (const position of positions) {
    const kind = parts[position]?.kind;
    if (kind === "all" || kind === "some") positions.add(position + 1);
  }
  return positions;
}
