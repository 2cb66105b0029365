import { GatewayError } from "../../errors.ts";
import { CostlyJsonError, parseExactJson } from "../../json/exact-json.ts";
import { type Message, readMessage } from "../../mcp/messages.ts";
import { findAnsweredId } from "./find-answered-id.ts";
import type { Receiver } from "./transport.ts";

/** Deeper than any honest message, and far from where writing it again would exhaust the stack. */
const maxDepth = 500;
/** Characters at either end of a message in which the id stands, if it is not among the result's own. */
const edge = 256;

/** Reads one message; `undefined` for text that is no JSON-RPC 2.0 message or is nested absurdly deep. */
export function parseMessage(text: string): Message | undefined {
  const [message, ...others] = parseMessages(text);
  return others.length === 0 ? message : undefined;
}

/**
 * Reads the messages of a text: one, or those of a batch, which servers up to 2025-03-26 may send. What is no message is left out.
 * Throws `answer_too_large` for what would take too long to read.
 */
export function parseMessages(text: string): readonly Message[] {
  try {
    const value = parseExactJson(text, maxDepth);
    return (Array.isArray(value) ? value : [value]).flatMap((item) => readMessage(item) ?? []);
  } catch (error) {
    if (error instanceof CostlyJsonError)
      throw new GatewayError(
        "answer_too_large",
        `The MCP server's message ${error.message}. Ask for less, such as a smaller page or a filter.`,
      );
    return [];
  }
}

/** The same for a connection that all requests share: of what takes too long to read only its own request fails. */
export function takeMessages(text: string, receiver: Receiver): "taken" | "no-message" {
  let messages: readonly Message[];
  try {
    messages = parseMessages(text);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const id = findAnsweredId({ head: text.slice(0, edge), tail: text.slice(-edge) });
    if (id !== undefined) receiver.oversized(id);
    return "taken";
  }
  for (const message of messages) receiver.message(message, undefined);
  return messages.length === 0 ? "no-message" : "taken";
}
