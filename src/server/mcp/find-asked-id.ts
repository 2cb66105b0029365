import type { RequestId } from "../../mcp/messages.ts";
import type { Edges } from "../../mcp/split-lines.ts";

const idFirst = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*("[^"\\]*"|\d{1,15})\s*,/;
const idLast = /,\s*"id"\s*:\s*("[^"\\]*"|\d{1,15})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/;

/**
 * The id of a request of which only both ends are known, because it was too large, where it stands at one of them, as clients write it;
 * `undefined` where that does not tell it.
 */
export function findAskedId({ head, tail }: Edges): RequestId | undefined {
  const text = idFirst.exec(head)?.[1] ?? idLast.exec(tail)?.[1];
  if (text === undefined) return undefined;
  return text.startsWith('"') ? text.slice(1, -1) : Number(text);
}
