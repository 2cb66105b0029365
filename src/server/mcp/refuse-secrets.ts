import { type Message, rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { JsonValue } from "../../model/json.ts";
import { type HoldsSecret, holdsAnywhere, secretNotPassed } from "../presented-secrets.ts";
import { HttpRefusal } from "./refusal.ts";

/**
 * Refuses a message with what its own request proves with who sends it: all of a message may go to an upstream, be it params or the answer
 * to a question. Throws `HttpRefusal`.
 */
export function refuseSecrets(message: Message, holdsSecret: HoldsSecret): void {
  if (!holdsAnywhere(contentOf(message), holdsSecret)) return;
  const { message: text } = secretNotPassed("The message");
  throw new HttpRefusal(400, new RpcError(rpcCodes.invalidParams, text), { to: message });
}

function contentOf(message: Message): JsonValue {
  switch (message.kind) {
    case "result":
      return message.result;
    case "error":
      return [message.error.message, message.error.data ?? null];
    default:
      return [message.method, message.params];
  }
}
