import type { Broker } from "../../broker/broker.ts";
import type { CatalogView } from "../../catalog/view.ts";
import { asObject } from "../../json-object.ts";
import type { RpcError } from "../../mcp/rpc-error.ts";
import type { Feature } from "../../model/features.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Principal } from "../../model/principal.ts";
import type { ConnectableCall } from "./connect-in-band.ts";
import { invalidParams, toClientError } from "./feature-error.ts";
import { gatewayMetaKeys } from "./gateway-meta.ts";
import type { Caller, FinishedResult, MethodResult } from "./methods.ts";

/** A method of an upstream that calls no tool. */
export interface FeatureCall {
  readonly caller: Caller;
  /** As the client sent them. */
  readonly params: JsonObject;
  readonly method: string;
  readonly feature: Feature;
  /** What clients call that which is meant. */
  readonly name: string;
  /** Where it is, in the view of the caller as it is then; `undefined`: nowhere. */
  readonly find: (view: CatalogView) => FeatureTarget | undefined;
  /** The error where it is nowhere: the same for what is hidden and what was never there. */
  readonly unknown: (view: CatalogView) => RpcError;
  readonly toResult: (result: JsonObject, view: CatalogView) => FinishedResult;
}

/** Where a method goes, and with which params. */
export interface FeatureTarget {
  readonly provider: string;
  /** With the names that the upstream knows. */
  readonly arguments: JsonObject;
  /** See `Offering.instances`. */
  readonly instances: readonly string[] | undefined;
}

/** What such calls go through. */
export interface FeatureParts {
  readonly broker: Broker;
  readonly view: (principal: Principal) => CatalogView;
  /** Makes a call, and asks the person behind it to connect what it lacks. */
  readonly connecting: (call: ConnectableCall) => Promise<MethodResult>;
}

/** Makes a call of an upstream's prompt or resource. Throws `RpcError` for whatever keeps it from having a result. */
export async function callFeature(parts: FeatureParts, call: FeatureCall): Promise<MethodResult> {
  const { broker, view } = parts;
  const { caller, params, method, feature, name, find } = call;
  const wanted = readInstance(params);
  const unknown = (): RpcError => call.unknown(view(caller.principal));
  const invoke = async (principal: Principal): Promise<MethodResult> => {
    // It may be there only since somebody has connected, or be elsewhere by now.
    const seen = view(principal);
    const target = find(seen);
    if (target === undefined) throw unknown();
    const result = await broker.invoke({
      principal,
      via: "mcp",
      target: { kind: "feature", provider: target.provider, feature, method },
      arguments: target.arguments,
      instance: chooseInstance(wanted, target),
      header: caller.header,
      meta: caller.meta,
      peer: caller.peer,
      signal: caller.signal,
    });
    if (result.kind === "input_required") return result;
    if (result.kind === "http") throw new Error(`A method of an MCP server was answered over plain HTTP.`);
    return call.toResult(result.result, seen);
  };
  const target = find(view(caller.principal));
  if (target === undefined) throw unknown();
  const { providers } = view(caller.principal);
  try {
    return await parts.connecting({
      ...{ caller, params, name, invoke },
      instance: chooseInstance(wanted, target),
      nameOf: (provider) => providers.find((known) => known.name === provider)?.displayName ?? provider,
    });
  } catch (error) {
    throw toClientError(error, caller.signal, unknown);
  }
}

/** The one that the client names, else the only one that has what is meant. */
export function chooseInstance(
  wanted: string | undefined,
  { instances = [] }: Pick<FeatureTarget, "instances">,
): string | undefined {
  return wanted ?? (instances.length === 1 ? instances[0] : undefined);
}

/** The instance that a request names in its `_meta`; throws `RpcError` for what is no name. */
export function readInstance({ _meta }: JsonObject): string | undefined {
  const instance = asObject(_meta)?.[gatewayMetaKeys.instance];
  if (instance === undefined || typeof instance === "string") return instance;
  throw invalidParams(`\`_meta["${gatewayMetaKeys.instance}"]\` must be a string.`);
}
