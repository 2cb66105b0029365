import type { CatalogView } from "../../catalog/view.ts";
import { asObject, isJsonObject } from "../../json-object.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { Feature, Offering } from "../../model/features.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { callFeature, type FeatureParts, type FeatureTarget } from "./call-feature.ts";
import { invalidParams } from "./feature-error.ts";
import { findResourceTarget } from "./find-resource.ts";
import { unknownPrompt } from "./get-prompt.ts";
import type { FinishedResult, Method } from "./methods.ts";

/** What an argument is completed of. */
interface Reference {
  readonly feature: Feature;
  readonly name: string;
  /** Where it is, with the reference as the upstream knows it. */
  readonly find: (view: CatalogView) => FeatureTarget | undefined;
  readonly unknown: (view: CatalogView) => RpcError;
}

/**
 * `completion/complete`, of an argument of a prompt or of a resource template. Where the upstream completes nothing, there is nothing to
 * propose. Nobody is asked to connect anything: they are about to type, and since 2026-07-28 no answer of this method can be a question.
 */
export function createComplete(parts: Pick<FeatureParts, "broker" | "view">): Method {
  const direct: FeatureParts = { ...parts, connecting: ({ invoke, caller }) => invoke(caller.principal) };
  return async (params, caller) => {
    const { ref, argument, context } = params;
    const reference = readReference(ref);
    checkArgument(argument);
    if (context !== undefined && !isJsonObject(context)) throw invalidParams("`context` must be an object.");
    const { feature, name, unknown } = reference;
    try {
      return await callFeature(direct, {
        ...{ caller, params, name, feature, unknown },
        method: "completion/complete",
        find: (view) => {
          const target = reference.find(view);
          if (target === undefined) return undefined;
          const given = { ref: target.arguments, argument, ...(context === undefined ? {} : { context }) };
          return { ...target, arguments: given };
        },
        toResult: (result) => ({ kind: "once", result }),
      });
    } catch (error) {
      if (error instanceof RpcError && completesNothing(error)) return nothing;
      throw error;
    }
  };
}

const nothing: FinishedResult = { kind: "once", result: { completion: { values: [] } } };

/** Whether an upstream has no completion at all, by its own words or by what it declares. */
function completesNothing({ code, data }: RpcError): boolean {
  return code === rpcCodes.methodNotFound || asObject(data)?.["code"] === "unsupported";
}

function readReference(ref: JsonValue | undefined): Reference {
  const given = asObject(ref) ?? {};
  const { type, name, uri } = given;
  if (type === "ref/prompt" && typeof name === "string") return promptReference(given, name);
  if (type === "ref/resource" && typeof uri === "string") return resourceReference(given, uri);
  throw invalidParams("`ref` must be `{type: ref/prompt, name}` or `{type: ref/resource, uri}`.");
}

function promptReference(ref: JsonObject, name: string): Reference {
  return {
    ...{ feature: "prompts", name },
    find: (view) => {
      const prompt = view.findPrompt(name);
      return prompt === undefined ? undefined : targetOf(prompt, { ...ref, name: prompt.id });
    },
    unknown: ({ notice }) => unknownPrompt(name, notice),
  };
}

/** The URI is a template's mostly; one of a resource is allowed as well. */
function resourceReference(ref: JsonObject, uri: string): Reference {
  return {
    ...{ feature: "resources", name: uri },
    find: (view) => {
      const template = view.findTemplate(uri);
      if (template !== undefined) return targetOf(template, { ...ref, uri: template.id });
      const target = findResourceTarget(view, uri);
      return target === undefined ? undefined : { ...target, arguments: { ...ref, ...target.arguments } };
    },
    unknown: ({ notice }) => {
      const unknown = `Unknown resource template: ${uri.slice(0, 200)}`;
      return invalidParams(notice === undefined ? unknown : `${unknown}. ${notice}`);
    },
  };
}

function targetOf({ provider, instances }: Offering, reference: JsonObject): FeatureTarget {
  return { provider, instances, arguments: reference };
}

function checkArgument(argument: JsonValue | undefined): asserts argument is JsonObject {
  const { name, value } = asObject(argument) ?? {};
  if (typeof name !== "string" || typeof value !== "string")
    throw invalidParams("`argument` must be an object with a `name` and a `value`, both strings.");
}
