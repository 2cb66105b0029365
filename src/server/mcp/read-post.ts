import { GatewayError } from "../../errors.ts";
import { type Message, rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import { type Exchange, isJsonMediaType, readBody } from "../exchange.ts";
import { header } from "./http-origin.ts";
import { readMessageBytes } from "./read-message.ts";
import { HttpRefusal, refuse } from "./refusal.ts";

/** Reads the one message of a POST; throws an `HttpRefusal` for whatever is none. */
export async function readPost(exchange: Exchange): Promise<Message> {
  if (!isJsonMediaType(header(exchange, "content-type"))) {
    throw refuse(415, "Unsupported Media Type: Content-Type must be application/json");
  }
  return readMessageBytes(await readBytes(exchange), exchange.limits, "the body");
}

async function readBytes(exchange: Exchange): Promise<Buffer> {
  try {
    return await readBody(exchange);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "too_large") throw error;
    const reason = new RpcError(rpcCodes.transport, `Payload Too Large: ${error.message}`);
    // What is left of the body would be read as the next request.
    throw new HttpRefusal(413, reason, { headers: { connection: "close" } });
  }
}
