import { type Document, isAlias, isMap, isScalar, isSeq, type Node, parseDocument, type Range } from "yaml";
import type { Place } from "../model/place.ts";
import { createSourceFile, placeOf } from "./source-file.ts";

/** Parsing with positions takes up to a second for each MiB. */
const longestText = 4 * 1024 * 1024;

/** Finds the place of a key or a value in a document; see `LoadedDocument.locate`. */
export type Locator = (path: readonly (string | number)[], target: "key" | "value") => Place | undefined;

/** Makes a {@link Locator} for a text. The text is parsed when the first place is asked for, and once. */
export function createLocator(name: string, location: string, text: string): Locator {
  if (text.length > longestText) return () => undefined;
  const source = createSourceFile(name, location, text);
  let document: Document | undefined;
  return (path, target) => {
    document ??= parseLeniently(source.text);
    const range = document === undefined ? undefined : rangeAt(document, path, target);
    return range && placeOf({ source, start: range[0], end: range[1] });
  };
}

function parseLeniently(text: string): Document | undefined {
  try {
    return parseDocument(text, { uniqueKeys: false, logLevel: "silent", prettyErrors: false });
  } catch {
    // Nesting that exhausts the stack: a place is a courtesy, the document is reported without it.
    return undefined;
  }
}

function rangeAt(
  document: Document,
  path: readonly (string | number)[],
  target: "key" | "value",
): Range | undefined {
  let node: Node | undefined = document.contents ?? undefined;
  let key: Node | undefined;
  for (const step of path) {
    const child = childOf(document, node, step);
    if (child === undefined) break;
    node = child.value ?? child.key;
    key = child.key;
  }
  const range = node?.range ?? undefined;
  // An empty value has no extent, so its key stands for it.
  const asKey = target === "key" || (range !== undefined && range[0] === range[1]);
  return (asKey ? key?.range : undefined) ?? range;
}

function childOf(
  document: Document,
  parent: Node | undefined,
  step: string | number,
): { readonly key: Node | undefined; readonly value: Node | undefined } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq<Node>(node)) {
    const item = typeof step === "number" ? node.items[step] : undefined;
    return item && { key: undefined, value: item };
  }
  if (!isMap<Node, Node | null>(node)) return undefined;
  // The last of equal keys is the one that counts.
  const pair = node.items.findLast(({ key }) => isScalar(key) && String(key.value) === String(step));
  return pair && { key: pair.key, value: pair.value ?? undefined };
}
