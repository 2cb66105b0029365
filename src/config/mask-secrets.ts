import type { LocatedNode } from "../documents/located-node.ts";
import type { SourceFile } from "../documents/source-file.ts";

/** Keys whose values are secrets wherever they stand in the file. */
const secretKeys = new Set(["client_secret", "encryption_key", "key", "value", "authorization", "cookie"]);

/**
 * The text of a source file for code frames: of the same length, with secrets that were written into it, and credentials in
 * URLs, blotted out.
 */
export function maskSecrets(source: SourceFile, root: LocatedNode | undefined): string {
  let { text } = source;
  const blot = (start: number, end: number): void => {
    text = text.slice(0, start) + text.slice(start, end).replace(/[^\r\n]/g, "*") + text.slice(end);
  };
  for (const { start, end } of root ? secretSpans(source, root) : secretLooks(source)) blot(start, end);
  for (const match of source.text.matchAll(/:\/\/([^\s/@"']{1,200})@/g)) {
    if (match[1] !== undefined && !match[1].includes("${"))
      blot(match.index + 3, match.index + 3 + match[1].length);
  }
  return text;
}

function* secretSpans(
  source: SourceFile,
  root: LocatedNode,
): Generator<{ readonly start: number; readonly end: number }> {
  const seen = new Set<LocatedNode>();
  const waiting = [root];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    // Aliases share nodes.
    if (seen.has(node) || node.kind === "scalar") continue;
    seen.add(node);
    if (node.kind === "list") {
      waiting.push(...node.items);
      continue;
    }
    for (const [key, { node: child }] of node.entries) {
      waiting.push(child);
      if (child.kind !== "scalar" || child.text.includes("${") || child.reference !== undefined) continue;
      if (secretKeys.has(key.toLowerCase()) && child.span.source === source) yield child.span;
    }
  }
}

/** What looks like a secret in a file that could not be parsed. */
function* secretLooks({ text }: SourceFile): Generator<{ readonly start: number; readonly end: number }> {
  for (const match of text.matchAll(
    /\b(client_secret|encryption_key|key|value|authorization|cookie)["']?:[ \t]+/gi,
  )) {
    const start = match.index + match[0].length;
    const end = start + (/^[^\n,}]*/.exec(text.slice(start, start + 1000))?.[0].length ?? 0);
    if (!text.slice(start, end).includes("${")) yield { start, end };
  }
}
