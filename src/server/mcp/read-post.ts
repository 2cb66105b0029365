import { GatewayError } from "../../errors.ts";
import { isJsonObject } from "../../json-object.ts";
import { findInexactNumber } from "../../mcp/exact-json.ts";
import { isRequestId, type Message, readMessage, rpcCodes } from "../../mcp/messages.ts";
import { isNestedDeeperThan } from "../../mcp/nesting.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { JsonValue } from "../../model/json.ts";
import { type Exchange, isJsonMediaType, readBody } from "../exchange.ts";
import { header } from "./face.ts";
import type { McpLimits } from "./limits.ts";
import { Refusal, refuse } from "./refusal.ts";

/** Reads the one message of a POST; throws a `Refusal` for whatever is none. */
export async function readPost(exchange: Exchange, limits: McpLimits): Promise<Message> {
  if (!isJsonMediaType(header(exchange, "content-type"))) {
    throw refuse(415, "Unsupported Media Type: Content-Type must be application/json");
  }
  const text = await readText(exchange, limits);
  if (isNestedDeeperThan(text, limits.bodyNesting)) {
    throw invalid(`the body is nested deeper than ${limits.bodyNesting} levels`);
  }
  const value = parse(text);
  if (Array.isArray(value)) throw invalid("JSON-RPC batches are not supported; POST each message by itself");
  const message = readMessage(value);
  if (message === undefined) {
    const id = isJsonObject(value) && isRequestId(value["id"]) ? value["id"] : undefined;
    throw invalid("the body is not a JSON-RPC 2.0 message", id);
  }
  const number = findInexactNumber(text);
  if (number !== undefined) {
    const reason = `the number ${number.slice(0, 100)} would lose digits on its way; send it as a string`;
    throw invalid(reason, message.kind === "request" ? message.id : undefined);
  }
  return message;
}

async function readText(exchange: Exchange, limits: McpLimits): Promise<string> {
  try {
    const bytes = await readBody(exchange.request, limits.bodyBytes);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw unparsable("the body is not UTF-8");
    if (!(error instanceof GatewayError) || error.code !== "too_large") throw error;
    const reason = new RpcError(rpcCodes.transport, `Payload Too Large: ${error.message}`);
    // What is left of the body would be read as the next request.
    throw new Refusal(413, reason, { headers: { connection: "close" } });
  }
}

function parse(text: string): JsonValue {
  try {
    // JSON.parse gives JSON values and nothing else.
    return JSON.parse(text) as JsonValue;
  } catch {
    throw unparsable(text.trim() === "" ? "the body is empty" : "the body is not JSON");
  }
}

function unparsable(reason: string): Refusal {
  return new Refusal(400, new RpcError(rpcCodes.parseError, `Parse error: ${reason}`));
}

function invalid(reason: string, id?: string | number): Refusal {
  const error = new RpcError(rpcCodes.invalidRequest, `Invalid Request: ${reason}`);
  return new Refusal(
    400,
    error,
    id === undefined ? {} : { to: { kind: "request", id, method: "", params: {} } },
  );
}
