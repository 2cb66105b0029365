import { parseExactJson } from "../../mcp/exact-json.ts";
import { type Message, readMessage } from "../../mcp/messages.ts";
import { isNestedDeeperThan } from "../../mcp/nesting.ts";

/** Deeper than any honest message, and far from where writing it again would exhaust the stack. */
const maxDepth = 500;

/** Reads one message; `undefined` for text that is no JSON-RPC 2.0 message or is nested absurdly deep. */
export function parseMessage(text: string): Message | undefined {
  if (isNestedDeeperThan(text, maxDepth)) return undefined;
  try {
    return readMessage(parseExactJson(text));
  } catch {
    return undefined;
  }
}
