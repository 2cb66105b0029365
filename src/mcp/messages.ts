import { isJsonObject } from "../json-object.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";

/** A JSON-RPC request id, as MCP allows it: no null. */
export type RequestId = string | number;

/** A JSON-RPC 2.0 request. */
export interface RequestMessage {
  readonly kind: "request";
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject;
}

/** A JSON-RPC 2.0 notification. */
export interface NotificationMessage {
  readonly kind: "notification";
  readonly method: string;
  readonly params: JsonObject;
}

/** A JSON-RPC 2.0 response: a result, or an error. The id is null where the request could not be read. */
export type ResponseMessage =
  | { readonly kind: "result"; readonly id: RequestId; readonly result: JsonObject }
  | { readonly kind: "error"; readonly id: RequestId | null; readonly error: RpcErrorObject };

/** The `error` member of a response. */
export interface RpcErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: JsonValue;
}

/** Any message. */
export type Message = RequestMessage | NotificationMessage | ResponseMessage;

/** Error codes of JSON-RPC 2.0 and of MCP up to 2026-07-28. */
export const rpcCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** What older SDKs use for transport errors. */
  transport: -32000,
  sessionNotFound: -32001,
  /** Up to 2025-11-25; later ones say -32602. */
  resourceNotFound: -32002,
  headerMismatch: -32020,
  missingRequiredClientCapability: -32021,
  unsupportedProtocolVersion: -32022,
} as const;

/**
 * Reads one message out of parsed JSON; `undefined` when it is not a JSON-RPC 2.0 message. Batches (arrays) are not
 * messages: MCP removed them in 2025-06-18.
 */
export function readMessage(value: JsonValue): Message | undefined {
  if (!isJsonObject(value) || value["jsonrpc"] !== "2.0") return undefined;
  const { id, method, params = {}, result, error } = value;
  if (method !== undefined) {
    if (typeof method !== "string" || !isJsonObject(params)) return undefined;
    if (id === undefined) return { kind: "notification", method, params };
    return isRequestId(id) ? { kind: "request", id, method, params } : undefined;
  }
  if (isJsonObject(result)) return isRequestId(id) ? { kind: "result", id, result } : undefined;
  if (!isJsonObject(error)) return undefined;
  const { code, message, data } = error;
  if (typeof code !== "number" || typeof message !== "string") return undefined;
  if (id !== null && id !== undefined && !isRequestId(id)) return undefined;
  return { kind: "error", id: id ?? null, error: { code, message, ...(data === undefined ? {} : { data }) } };
}

/** Writes the answer to a request whose result is JSON text already. */
export function writeResultText(id: RequestId, result: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`;
}

/** Writes a message as JSON. */
export function writeMessage(message: Message): string {
  const { kind: _kind, ...members } = message;
  return JSON.stringify({ jsonrpc: "2.0", ...members });
}

/** True for an id that can be echoed exactly: integers beyond 2^53 have lost digits when they get here. */
export function isRequestId(value: JsonValue | undefined): value is RequestId {
  if (typeof value === "string") return true;
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  return !Number.isInteger(value) || Number.isSafeInteger(value);
}
