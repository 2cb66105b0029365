import { parseExactJson } from "../../mcp/exact-json.ts";
import { type Message, readMessage } from "../../mcp/messages.ts";
import { isNestedDeeperThan } from "../../mcp/nesting.ts";

/** Deeper than any honest message, and far from where writing it again would exhaust the stack. */
const maxDepth = 500;

/** Reads one message; `undefined` for text that is no JSON-RPC 2.0 message or is nested absurdly deep. */
export function parseMessage(text: string): Message | undefined {
  const [message, ...others] = parseMessages(text);
  return others.length === 0 ? message : undefined;
}

/** Reads the messages of a text: one, or those of a batch, which servers up to 2025-03-26 may send. What is no message is left out. */
export function parseMessages(text: string): readonly Message[] {
  if (isNestedDeeperThan(text, maxDepth)) return [];
  try {
    const value = parseExactJson(text);
    return (Array.isArray(value) ? value : [value]).flatMap((item) => readMessage(item) ?? []);
  } catch {
    return [];
  }
}
