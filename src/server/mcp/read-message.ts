import { type JsonLimits, parseJsonBytes } from "../../json/parse-json-bytes.ts";
import { isJsonObject } from "../../json-object.ts";
import { isRequestId, type Message, type RequestId, readMessage, rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import { findLookAlike } from "./find-look-alike.ts";
import { HttpRefusal } from "./refusal.ts";

/**
 * Reads one message; throws an `HttpRefusal` (400, -32700 or -32600) for whatever is none.
 *
 * @param where what holds it, as the subject of a sentence: `the body`.
 */
export function readMessageBytes(bytes: Uint8Array, limits: JsonLimits, where: string): Message {
  const parsed = parseJsonBytes(bytes, limits);
  if (!parsed.ok) {
    const problem = `${where} ${parsed.problem}`;
    throw parsed.fault === "content" ? invalidMessage(problem) : unparsable(problem);
  }
  const { value, lossy } = parsed;
  if (Array.isArray(value)) {
    throw invalidMessage("JSON-RPC batches are not supported; send each message by itself");
  }
  const lookAlike = findLookAlike(value);
  if (lookAlike !== undefined) {
    const { name, meant } = lookAlike;
    throw invalidMessage(`${where} has \`${name}\`, which programs that ignore case take for \`${meant}\``);
  }
  const message = readMessage(value);
  if (message === undefined) {
    const id = isJsonObject(value) && isRequestId(value["id"]) ? value["id"] : undefined;
    throw invalidMessage(`${where} is not a JSON-RPC 2.0 message`, id);
  }
  if (lossy !== undefined) {
    throw invalidMessage(`${where} ${lossy}`, message.kind === "request" ? message.id : undefined);
  }
  return message;
}

/** The refusal of what can be read and is no message that may come here. */
export function invalidMessage(reason: string, id?: RequestId): HttpRefusal {
  const error = new RpcError(rpcCodes.invalidRequest, `Invalid Request: ${reason}`);
  return new HttpRefusal(
    400,
    error,
    id === undefined ? {} : { to: { kind: "request", id, method: "", params: {} } },
  );
}

function unparsable(reason: string): HttpRefusal {
  return new HttpRefusal(400, new RpcError(rpcCodes.parseError, `Parse error: ${reason}`));
}
