import type { JsonObject } from "../src/model/json.ts";
import type { MethodResult } from "../src/server/mcp/methods.ts";

/** The result of a request that asked its client nothing. */
export async function finished(outcome: MethodResult | Promise<MethodResult>): Promise<JsonObject> {
  const result = await outcome;
  if (result.kind === "input_required") throw new Error("The client was asked something.");
  return result.result;
}
