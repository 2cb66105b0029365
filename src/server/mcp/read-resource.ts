import { rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { Freshness } from "../../model/features.ts";
import type { JsonObject } from "../../model/json.ts";
import { callFeature, type FeatureParts } from "./call-feature.ts";
import { adaptResourceError, invalidParams, resourceNotFound } from "./feature-error.ts";
import { findResourceTarget } from "./find-resource.ts";
import { isResultUri, type KeptResult, type KeptResults } from "./kept-results.ts";
import type { FinishedResult, Method } from "./methods.ts";

/**
 * `resources/read`: of upstreams' resources, and of whole results that the gateway keeps for whoever may still use the tool that gave
 * them. A resource that the caller can't see does not exist: -32602, up to 2025-11-25 -32002.
 */
export function createReadResource(parts: FeatureParts, results: KeptResults): Method {
  return async (params, caller) => {
    const { uri } = params;
    if (typeof uri !== "string") throw invalidParams("`uri` must be the URI of a resource.");
    const kept = results.find(uri, caller.principal);
    if (kept !== undefined && parts.view(caller.principal).findTool(kept.tool) !== undefined)
      return toKeptResult(kept);
    const isResult = isResultUri(uri);
    try {
      return await callFeature(parts, {
        ...{ caller, params },
        name: uri,
        method: "resources/read",
        feature: "resources",
        find: (view) => findResourceTarget(view, uri),
        unknown: ({ notice }) => resourceNotFound(uri, caller.version, isResult ? resultGone : notice),
        toResult: (result, { freshness }) => toReadResult(result, freshness.scope),
      });
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      // It was not this upstream's, most likely.
      if (isResult) throw resourceNotFound(uri, caller.version, resultGone);
      // A server that does not know the method has no resources; of the gateway the client knows that it has the method.
      throw error.code === rpcCodes.methodNotFound
        ? resourceNotFound(uri, caller.version)
        : adaptResourceError(error, uri, caller.version);
    }
  };
}

const resultGone =
  "Whole results are kept for a short time, and for the caller only that they were given to. Make the call again, or ask for less.";

function toKeptResult({ uri, contents, milliseconds }: KeptResult): FinishedResult {
  return {
    kind: "cacheable",
    result: {
      contents: contents.map(({ mimeType, text }) => ({ uri, mimeType, text: text.toString("utf8") })),
    },
    freshness: { ttlMs: Math.floor(milliseconds), scope: "private" },
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
