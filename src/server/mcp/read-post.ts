import { GatewayError } from "../../errors.ts";
import { isJsonObject } from "../../json-object.ts";
import { isRequestId, type Message, readMessage, rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import { type Exchange, isJsonMediaType, readBody } from "../exchange.ts";
import { parseJsonBytes } from "../parse-json-bytes.ts";
import { header } from "./http-origin.ts";
import type { McpLimits } from "./limits.ts";
import { HttpRefusal, refuse } from "./refusal.ts";

/** Reads the one message of a POST; throws an `HttpRefusal` for whatever is none. */
export async function readPost(exchange: Exchange, limits: McpLimits): Promise<Message> {
  if (!isJsonMediaType(header(exchange, "content-type"))) {
    throw refuse(415, "Unsupported Media Type: Content-Type must be application/json");
  }
  const parsed = parseJsonBytes(await readBytes(exchange, limits), limits.bodyNesting);
  if (!parsed.ok) {
    const problem = `the body ${parsed.problem}`;
    throw parsed.fault === "nesting" ? invalid(problem) : unparsable(problem);
  }
  const { value, lossy } = parsed;
  if (Array.isArray(value)) throw invalid("JSON-RPC batches are not supported; POST each message by itself");
  const message = readMessage(value);
  if (message === undefined) {
    const id = isJsonObject(value) && isRequestId(value["id"]) ? value["id"] : undefined;
    throw invalid("the body is not a JSON-RPC 2.0 message", id);
  }
  if (lossy !== undefined) {
    throw invalid(`the body ${lossy}`, message.kind === "request" ? message.id : undefined);
  }
  return message;
}

async function readBytes(exchange: Exchange, limits: McpLimits): Promise<Buffer> {
  try {
    return await readBody(exchange.request, limits.bodyBytes);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "too_large") throw error;
    const reason = new RpcError(rpcCodes.transport, `Payload Too Large: ${error.message}`);
    // What is left of the body would be read as the next request.
    throw new HttpRefusal(413, reason, { headers: { connection: "close" } });
  }
}

function unparsable(reason: string): HttpRefusal {
  return new HttpRefusal(400, new RpcError(rpcCodes.parseError, `Parse error: ${reason}`));
}

function invalid(reason: string, id?: string | number): HttpRefusal {
  const error = new RpcError(rpcCodes.invalidRequest, `Invalid Request: ${reason}`);
  return new HttpRefusal(
    400,
    error,
    id === undefined ? {} : { to: { kind: "request", id, method: "", params: {} } },
  );
}
