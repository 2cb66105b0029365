import type { Operation } from "../../model/catalog.ts";
import type { ApiOperation } from "./model.ts";
import { shorten } from "./shorten.ts";

const descriptionLimit = 1024;
const titleLimit = 120;

/** Knows which words several operations of a document have. */
export interface WordCount {
  add(operation: ApiOperation): void;
  isShared(words: string): boolean;
}

/** Makes an empty one. */
export function createWordCount(): WordCount {
  const seen = new Set<string>();
  const shared = new Set<string>();
  return {
    add(operation) {
      const words = wordsOf(operation);
      if (seen.has(words)) shared.add(words);
      seen.add(words);
    },
    isShared: (words) => shared.has(words),
  };
}

/**
 * Makes what gives an operation of a document its title and description. Where several operations have the same words, the
 * method and the path are added, so that a caller can tell them apart. What is deprecated says so first.
 */
export function createDescriber(
  count: WordCount,
): (operation: ApiOperation) => Pick<Operation, "title" | "description"> {
  return (operation) => {
    const { method, path, summary, deprecated } = operation;
    const words = wordsOf(operation);
    const warning = deprecated ? "Deprecated. " : "";
    if (words === "") return { title: undefined, description: `${warning}${method} ${path}` };
    const address = count.isShared(words) ? ` (${method} ${path})` : "";
    // A summary that is all that is said is no title beside itself.
    const title =
      summary === undefined || words === summary.trim() ? undefined : shorten(summary, titleLimit);
    const room = descriptionLimit - warning.length - address.length;
    return { title, description: `${warning}${shorten(words, room)}${address}` };
  };
}

function wordsOf({ summary, description }: ApiOperation): string {
  const repeated = summary !== undefined && description?.trim().startsWith(summary.trim());
  return [repeated ? undefined : summary?.trim(), description?.trim()]
    .filter((text) => text !== undefined)
    .join("\n\n");
}
