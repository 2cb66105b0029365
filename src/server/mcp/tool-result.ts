import type { GatewayError } from "../../errors.ts";
import type { JsonObject, JsonSchema } from "../../model/json.ts";
import type { InvocationResult } from "../../model/result.ts";
import { gatewayMetaKeys } from "./gateway-meta.ts";
import { describeHttpResult } from "./http-result.ts";
import { createSchemaFit, type FitsSchema } from "./keep-promise.ts";
import { adaptMcpResult } from "./mcp-result.ts";

/**
 * Turns what a call came to into the result of `tools/call`, in the shape of the client's version.
 *
 * @param fits tells whether an answer keeps what the output schema promises.
 */
export function toToolResult(
  result: InvocationResult,
  outputSchema: JsonSchema | undefined,
  version: string,
  fits: FitsSchema = createSchemaFit(),
): JsonObject {
  // The modern face gives it back before it is anybody's answer.
  if (result.kind === "input_required") throw new Error("A question is no result of a tool.");
  return result.kind === "mcp"
    ? adaptMcpResult(result.result, outputSchema, version)
    : describeHttpResult(result, outputSchema, version, fits);
}

/** The result of a call that the gateway refused or could not carry out: a text to act on, and the code for programs. */
export function toErrorResult({ code, message, retryable, details }: GatewayError): JsonObject {
  return {
    content: [{ type: "text", text: message }],
    isError: true,
    _meta: { [gatewayMetaKeys.error]: { ...details, code, retryable } },
  };
}
