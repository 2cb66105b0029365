import type { Operation } from "../../model/catalog.ts";
import type { ApiOperation } from "./model.ts";
import { shorten } from "./shorten.ts";

const descriptionLimit = 1024;
const titleLimit = 120;

/**
 * Makes what gives an operation of a document its title and description. Where several operations have the same words, the
 * method and the path are added, so that a caller can tell them apart. What is deprecated says so first.
 */
export function createDescriber(
  operations: readonly ApiOperation[],
): (operation: ApiOperation) => Pick<Operation, "title" | "description"> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const operation of operations) {
    const text = wordsOf(operation);
    if (seen.has(text)) shared.add(text);
    seen.add(text);
  }
  return (operation) => {
    const { method, path, summary, deprecated } = operation;
    const words = wordsOf(operation);
    const warning = deprecated ? "Deprecated. " : "";
    if (words === "") return { title: undefined, description: `${warning}${method} ${path}` };
    const address = shared.has(words) ? ` (${method} ${path})` : "";
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
