import type { LocatedNode } from "../documents/located-node.ts";
import type { SourceFile } from "../documents/source-file.ts";
import { eachSecretScalar } from "./secret-position.ts";

/**
 * The text of a source file for code frames: of the same length, with secrets that were written into it, credentials in URLs,
 * and the gateway's own tokens blotted out.
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
  for (const match of source.text.matchAll(/gst_[a-z]{3}_[\w-]+/g))
    blot(match.index, match.index + match[0].length);
  return text;
}

function* secretSpans(
  source: SourceFile,
  root: LocatedNode,
): Generator<{ readonly start: number; readonly end: number }> {
  for (const { span, text, reference } of eachSecretScalar(root)) {
    if (span.source === source && !text.includes("${") && reference === undefined) yield span;
  }
}

/** What looks like a secret in a file that could not be parsed. */
function* secretLooks({ text }: SourceFile): Generator<{ readonly start: number; readonly end: number }> {
  for (const match of text.matchAll(
    /(?<![A-Za-z0-9])(client_secret|encryption_key|api-?key|key|value|authorization|cookie|token|secret|password)["']?:[ \t]+/gi,
  )) {
    const start = match.index + match[0].length;
    const end = start + (/^[^\n,}]*/.exec(text.slice(start, start + 1000))?.[0].length ?? 0);
    if (!text.slice(start, end).includes("${")) yield { start, end };
  }
}
