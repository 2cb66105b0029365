import { GatewayError } from "../../errors.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Caller, Method } from "./methods.ts";
import type { ResultWriter } from "./result-writer.ts";

/** How a request ended: the text of its result, an error, or nothing since nobody waits for it. */
export type Outcome =
  | { readonly kind: "result"; readonly text: string }
  | { readonly kind: "error"; readonly error: RpcError }
  | { readonly kind: "cancelled" };

/** Runs a method to its end, whatever that is. A fault of ours goes to the log, and to the client without its cause. */
export async function runMethod(
  name: string,
  method: Method | undefined,
  params: JsonObject,
  caller: Caller,
  write: ResultWriter,
  log: (message: string, cause?: unknown) => void,
): Promise<Outcome> {
  try {
    if (method === undefined) throw methodNotFound(name);
    return { kind: "result", text: write(await method(params, caller)) };
  } catch (error) {
    if (caller.signal.aborted) return { kind: "cancelled" };
    if (error instanceof RpcError) return { kind: "error", error };
    log(`MCP request ${name} failed.`, error instanceof GatewayError ? (error.cause ?? error) : error);
    return {
      kind: "error",
      error: new RpcError(rpcCodes.internalError, "The gateway failed to handle this request."),
    };
  }
}

/** The error for a method that does not exist here. */
export function methodNotFound(name: string): RpcError {
  return new RpcError(rpcCodes.methodNotFound, `Method not found: ${name.slice(0, 200)}`);
}
