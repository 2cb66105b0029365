import { GatewayError } from "../../errors.ts";
import { asObject } from "../../json-object.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import { isModernVersion } from "../../mcp/versions.ts";
import type { JsonObject } from "../../model/json.ts";
import { instanceArgument } from "../instance-argument.ts";
import { gatewayMetaKeys } from "./gateway-meta.ts";

/** Refusals that are about what the client sent. */
const aboutParams: ReadonlySet<string> = new Set(["bad_request", "invalid_arguments", "arguments_denied"]);

/**
 * A refusal or failure of the gateway's own as a JSON-RPC error, for methods whose results have no place for one: the message to act on,
 * and `{…details, code, retryable}` for programs.
 */
export function toRpcError({ code, message, retryable, details }: GatewayError): RpcError {
  return new RpcError(
    aboutParams.has(code) ? rpcCodes.invalidParams : rpcCodes.internalError,
    // Refusals say how tools are told which instance is meant; there is no argument for that here.
    message.replaceAll(`\`${instanceArgument}\``, `\`_meta["${gatewayMetaKeys.instance}"]\``),
    { ...details, code, retryable },
  );
}

/** The error for a resource that there is not, or not for this caller: up to 2025-11-25 it has a code of its own. */
export function resourceNotFound(uri: string, version: string, notice?: string): RpcError {
  const unknown = `Resource not found: ${uri.slice(0, 200)}`;
  return new RpcError(
    isModernVersion(version) ? rpcCodes.invalidParams : rpcCodes.resourceNotFound,
    notice === undefined ? unknown : `${unknown}. ${notice}`,
    { uri },
  );
}

/** An upstream's error about a resource: that there is none is said in the client's version, by the URI that the client knows. */
export function adaptResourceError(error: RpcError, uri: string, version: string): RpcError {
  const { code, message, data } = error;
  const isNotFound =
    code === rpcCodes.resourceNotFound ||
    (code === rpcCodes.invalidParams && typeof asObject(data)?.["uri"] === "string");
  if (!isNotFound) return error;
  const kept: JsonObject = { ...asObject(data), uri };
  return new RpcError(
    isModernVersion(version) ? rpcCodes.invalidParams : rpcCodes.resourceNotFound,
    message,
    kept,
  );
}

/** The error for params that a method can't be called with. */
export function invalidParams(message: string): RpcError {
  return new RpcError(rpcCodes.invalidParams, message);
}

/** What a client gets for a failure: `unknown` where the gateway found nothing, faults of ours and all that reaches nobody as they are. */
export function toClientError(error: unknown, signal: AbortSignal, unknown: () => RpcError): unknown {
  if (!(error instanceof GatewayError) || signal.aborted || error.code === "internal") return error;
  return error.code === "not_found" ? unknown() : toRpcError(error);
}
