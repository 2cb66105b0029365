import { rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { Freshness } from "../../model/features.ts";
import type { JsonObject } from "../../model/json.ts";
import { callFeature, type FeatureParts } from "./call-feature.ts";
import { adaptResourceError, invalidParams, resourceNotFound } from "./feature-error.ts";
import { findResourceTarget } from "./find-resource.ts";
import type { FinishedResult, Method } from "./methods.ts";

/** `resources/read`. A resource that the caller can't see does not exist: -32602, up to 2025-11-25 -32002. */
export function createReadResource(parts: FeatureParts): Method {
  return async (params, caller) => {
    const { uri } = params;
    if (typeof uri !== "string") throw invalidParams("`uri` must be the URI of a resource.");
    try {
      return await callFeature(parts, {
        ...{ caller, params },
        name: uri,
        method: "resources/read",
        feature: "resources",
        find: (view) => findResourceTarget(view, uri),
        unknown: ({ notice }) => resourceNotFound(uri, caller.version, notice),
        toResult: (result, { freshness }) => toReadResult(result, freshness.scope),
      });
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      // A server that does not know the method has no resources; of the gateway the client knows that it has the method.
      throw error.code === rpcCodes.methodNotFound
        ? resourceNotFound(uri, caller.version)
        : adaptResourceError(error, uri, caller.version);
    }
  };
}

/** How long it keeps is for the upstream to say; that it is everybody's only counts where all that is offered is. */
function toReadResult(
  { ttlMs, cacheScope, ...result }: JsonObject,
  scope: Freshness["scope"],
): FinishedResult {
  return {
    kind: "cacheable",
    result,
    freshness: {
      // Clients refuse a result whose time is no whole number.
      ttlMs: typeof ttlMs === "number" && ttlMs > 0 ? Math.floor(ttlMs) : 0,
      scope: cacheScope === "public" ? scope : "private",
    },
  };
}
