import { type Message, type RequestId, rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import { type Exchange, sendJson } from "../exchange.ts";

/** A POST, GET or DELETE that is refused before it is run: an HTTP status with a JSON-RPC error as its body. */
export class HttpRefusal extends Error {
  override readonly name = "HttpRefusal";
  readonly status: number;
  readonly error: RpcError;
  /** Id of the refused request; null where there was none to read. */
  readonly id: RequestId | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    error: RpcError,
    options: { readonly to?: Message | undefined; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(error.message);
    this.status = status;
    this.error = error;
    this.id = options.to?.kind === "request" ? options.to.id : null;
    this.headers = options.headers ?? {};
  }
}

/** An HTTP-level refusal under the code that official SDKs use for all of them. */
export function refuse(status: number, message: string, to?: Message): HttpRefusal {
  return new HttpRefusal(status, new RpcError(rpcCodes.transport, message), { to });
}

/** Sends a refusal. */
export function sendRefusal(exchange: Exchange, { status, id, error, headers }: HttpRefusal): void {
  sendJson(exchange, status, { jsonrpc: "2.0", id, error: error.toObject() }, headers);
}
