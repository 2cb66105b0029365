import { createHash } from "node:crypto";
import { isJsonObject } from "../../json-object.ts";
import type { GraphqlBinding } from "../../model/catalog.ts";
import type { GraphqlOperationConfig } from "../../model/config.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";

/** What a document is replaced by on the wire; the hash is made of the document as it would be sent. */
export function persist(
  document: string,
  persisted: GraphqlOperationConfig["persisted"],
): GraphqlBinding["persisted"] {
  if (persisted?.kind !== "hash" || persisted.hash !== "sha256") return persisted;
  return { kind: "hash", hash: createHash("sha256").update(document).digest("hex") };
}

/**
 * What a server that got only a hash wants next: the document to keep (`PersistedQueryNotFound`), the document without a
 * hash because it keeps none (`PersistedQueryNotSupported`), or nothing because it has answered.
 */
export function asksForDocument(
  answer: JsonObject | undefined,
): "document" | "only the document" | "nothing" {
  const errors = Array.isArray(answer?.["errors"]) ? (answer["errors"] as readonly JsonValue[]) : [];
  const words = errors.filter(isJsonObject).flatMap(({ message, extensions }) => {
    const code = isJsonObject(extensions) ? extensions["code"] : undefined;
    return [message, code].filter((word) => typeof word === "string");
  });
  if (words.some((word) => /^(?:PersistedQueryNotFound|PERSISTED_QUERY_NOT_FOUND)$/.test(word)))
    return "document";
  if (words.some((word) => /^(?:PersistedQueryNotSupported|PERSISTED_QUERY_NOT_SUPPORTED)$/.test(word)))
    return "only the document";
  return "nothing";
}
