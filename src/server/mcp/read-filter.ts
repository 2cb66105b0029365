import { isJsonObject } from "../../json-object.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { ListKind } from "./watch-lists.ts";

/** What a client of `subscriptions/listen` wants to hear of. */
export interface ListenFilter {
  readonly lists: readonly ListKind[];
  /** URIs, each once. */
  readonly resourceSubscriptions: readonly string[];
}

const kinds: readonly ListKind[] = ["tools", "prompts", "resources"];

/** Reads the filter of a `subscriptions/listen` request; throws `RpcError` (-32602) for what is none. */
export function readListenFilter(filter: JsonValue | undefined): ListenFilter {
  if (!isJsonObject(filter)) throw invalid("`notifications` must be an object.");
  return {
    lists: kinds.filter((kind) => readFlag(filter, `${kind}ListChanged`)),
    resourceSubscriptions: readUris(filter["resourceSubscriptions"]),
  };
}

function readFlag(filter: JsonObject, name: string): boolean {
  const value = filter[name];
  if (value === undefined || typeof value === "boolean") return value === true;
  throw invalid(`\`notifications.${name}\` must be true or false.`);
}

function readUris(uris: JsonValue | undefined): readonly string[] {
  if (uris === undefined) return [];
  const isUri = (uri: JsonValue): uri is string => typeof uri === "string";
  if (Array.isArray(uris) && uris.every(isUri)) return [...new Set(uris)];
  throw invalid("`notifications.resourceSubscriptions` must be a list of URIs.");
}

function invalid(message: string): RpcError {
  return new RpcError(rpcCodes.invalidParams, message);
}
