import { isJsonObject } from "../../json-object.ts";
import type { RpcError } from "../../mcp/rpc-error.ts";
import type { JsonObject } from "../../model/json.ts";
import { callFeature, type FeatureParts } from "./call-feature.ts";
import { invalidParams } from "./feature-error.ts";
import { findAbsent } from "./find-absent.ts";
import { adaptPrompt } from "./mcp-result.ts";
import type { Method } from "./methods.ts";

/** `prompts/get`. A prompt that the caller can't see does not exist (-32602). */
export function createGetPrompt(parts: FeatureParts): Method {
  return (params, caller) => {
    const { name, arguments: given } = params;
    if (typeof name !== "string") throw invalidParams("`name` must be the name of a prompt.");
    if (given !== undefined && !isJsonObject(given)) throw invalidParams("`arguments` must be an object.");
    const paramsFor = (id: string): JsonObject => ({
      name: id,
      ...(given === undefined ? {} : { arguments: given }),
    });
    return callFeature(parts, {
      ...{ caller, params, name },
      method: "prompts/get",
      feature: "prompts",
      find: (view) => {
        const prompt = view.findPrompt(name);
        if (prompt !== undefined) {
          const { provider, id, instances } = prompt;
          return { provider, arguments: paramsFor(id), instances };
        }
        const absent = findAbsent(view, ({ toolPrefix }) => name.startsWith(toolPrefix));
        if (absent === undefined) return undefined;
        const id = name.slice(absent.toolPrefix.length);
        return { provider: absent.name, arguments: paramsFor(id), instances: undefined };
      },
      unknown: (view) => unknownPrompt(name, view.notice),
      toResult: (result) => ({ kind: "once", result: adaptPrompt(result, caller.version) }),
    });
  };
}

/** One text for what is hidden and what was never there. */
export function unknownPrompt(name: string, notice: string | undefined): RpcError {
  const unknown = `Unknown prompt: ${name.slice(0, 200)}`;
  return invalidParams(notice === undefined ? unknown : `${unknown}. ${notice}`);
}
