import type { Edges } from "../../mcp/split-lines.ts";

const idFirst =
  /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*,\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"(?:result|error)"\s*:/;
const resultFirst = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"(?:result|error)"\s*:/;
const idLast = /,\s*"id"\s*:\s*(\d{1,15})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/;

/**
 * The id of the request that a JSON-RPC answer is for, told from how its text begins and ends, as all that is left of one that
 * was too large; `undefined` where that does not tell it. Servers write the id before the result or, as the official SDK, after it.
 */
export function findAnsweredId({ head, tail }: Edges): number | undefined {
  const found = idFirst.exec(head) ?? (resultFirst.test(head) ? idLast.exec(tail) : null);
  return found?.[1] === undefined ? undefined : Number(found[1]);
}
