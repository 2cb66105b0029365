import { asObject, isJsonObject } from "../../json-object.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";

const actions: readonly (JsonValue | undefined)[] = ["accept", "decline", "cancel"];

/**
 * Reads the `inputResponses` of a request: an object of objects. `undefined` where there are none. Throws `RpcError` (-32602) for
 * anything else (MCP 2026-07-28, multi round-trip requests, error handling).
 */
export function readResponses(params: JsonObject): JsonObject | undefined {
  const { inputResponses } = params;
  if (inputResponses === undefined) return undefined;
  if (!isJsonObject(inputResponses)) throw invalid("`inputResponses` must be an object.");
  for (const [key, response] of Object.entries(inputResponses)) {
    if (!isJsonObject(response)) throw invalid(`\`inputResponses.${key.slice(0, 100)}\` must be an object.`);
  }
  return inputResponses;
}

/** Whether a response answers such a request at all: what a client of a version with sessions would give as its result. */
export function isResponseTo(method: string, response: JsonValue | undefined): response is JsonObject {
  if (!isJsonObject(response)) return false;
  if (method === "roots/list") return Array.isArray(response["roots"]);
  if (method === "sampling/createMessage")
    return typeof response["role"] === "string" && response["content"] !== undefined;
  const { action, content } = response;
  return actions.includes(action) && (content === undefined || asObject(content) !== undefined);
}

/** The error for a response that answers something else. */
export function wrongResponse(key: string, method: string): RpcError {
  return invalid(`\`inputResponses.${key}\` is no answer to \`${method}\`. Send it again, in its form.`);
}

function invalid(message: string): RpcError {
  return new RpcError(rpcCodes.invalidParams, message);
}
