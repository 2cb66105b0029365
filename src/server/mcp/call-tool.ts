import type { Broker } from "../../broker/broker.ts";
import type { CatalogView } from "../../catalog/view.ts";
import { GatewayError } from "../../errors.ts";
import { isJsonObject } from "../../json-object.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { Tool } from "../../model/catalog.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Principal } from "../../model/principal.ts";
import { declaresInstance, instanceArgument } from "../instance-argument.ts";
import type { ConnectableCall } from "./connect-in-band.ts";
import { createSchemaFit } from "./keep-promise.ts";
import type { LimitResult } from "./limit-result.ts";
import type { Method, MethodResult } from "./methods.ts";
import { toErrorResult, toToolResult } from "./tool-result.ts";

/**
 * `tools/call`. A tool that the caller can't see does not exist (-32602); every other refusal and failure of a call is a result
 * with `isError`, for the model to read.
 */
export function createCallTool(
  broker: Broker,
  view: (principal: Principal) => CatalogView,
  connecting: (call: ConnectableCall) => Promise<MethodResult>,
  limit: LimitResult,
): Method {
  const fits = createSchemaFit();
  return async (params, caller) => {
    const { name, arguments: given = {} } = params;
    if (typeof name !== "string") throw invalidParams("`name` must be the name of a tool.");
    if (!isJsonObject(given)) throw invalidParams("`arguments` must be an object.");
    const { findTool, providers } = view(caller.principal);
    const { instance } = splitInstance(given, findTool(name));
    const invoke = async (principal: Principal): Promise<MethodResult> => {
      // It may be there only since somebody has connected, or be another one by now.
      const tool = view(principal).findTool(name);
      const { instance, callArguments } = splitInstance(given, tool);
      const result = await broker.invoke({
        principal,
        via: "mcp",
        target: { kind: "tool", name },
        arguments: callArguments,
        instance,
        header: caller.header,
        meta: caller.meta,
        peer: caller.peer,
        signal: caller.signal,
      });
      if (result.kind === "input_required") return result;
      const { version } = caller;
      const whole = toToolResult(result, tool?.outputSchema, version, fits);
      const reader = {
        ...{ principal, version, tool: name },
        promisesStructure: tool?.outputSchema !== undefined,
        isStructureInText: result.kind === "http",
      };
      return { kind: "once", result: limit(whole, reader) };
    };
    try {
      return await connecting({
        ...{ caller, name, instance, invoke },
        nameOf: (wanted) => providers.find((provider) => provider.name === wanted)?.displayName ?? wanted,
      });
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      if (error.code === "not_found") throw unknownTool(name, view(caller.principal));
      if (error.code === "internal" || caller.signal.aborted) throw error;
      return { kind: "once", result: toErrorResult(error) };
    }
  };
}

/** `_instance` picks a credential and is no argument, unless the tool itself has one of that name. Throws `RpcError` for no string. */
function splitInstance(
  given: JsonObject,
  tool: Tool | undefined,
): { readonly instance: string | undefined; readonly callArguments: JsonObject } {
  if (!Object.hasOwn(given, instanceArgument) || (tool !== undefined && declaresInstance(tool.inputSchema))) {
    return { instance: undefined, callArguments: given };
  }
  const { [instanceArgument]: instance, ...callArguments } = given;
  if (typeof instance !== "string") throw invalidParams("`_instance` must be a string.");
  return { instance, callArguments };
}

/** One text for what is hidden and what was never there: it depends on nothing but the name and the view. */
function unknownTool(name: string, { notice }: CatalogView): RpcError {
  const unknown = `Unknown tool: ${name.slice(0, 200)}`;
  return invalidParams(notice === undefined ? unknown : `${unknown}. ${notice}`);
}

function invalidParams(message: string): RpcError {
  return new RpcError(rpcCodes.invalidParams, message);
}
