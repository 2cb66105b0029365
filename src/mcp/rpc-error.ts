import type { JsonValue } from "../model/json.ts";
import type { RpcErrorObject } from "./messages.ts";

/** A JSON-RPC error: thrown where a request is refused, sent as its `error` member. The message goes to the other side. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: number;
  readonly data: JsonValue | undefined;

  constructor(code: number, message: string, data?: JsonValue) {
    super(message);
    this.code = code;
    this.data = data;
  }

  /** The error as a message carries it. */
  toObject(): RpcErrorObject {
    const { code, message, data } = this;
    return data === undefined ? { code, message } : { code, message, data };
  }
}
