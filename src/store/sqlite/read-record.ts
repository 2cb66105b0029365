import type { SQLOutputValue } from "node:sqlite";
import { isJsonObject } from "../../json-object.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { type RecordKind, type StoredRecord, StoreError } from "../store.ts";
import { fromKey } from "./text-key.ts";

/** A row as node:sqlite gives it. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/**
 * The record that a row holds. Throws {@link StoreError} `unavailable` for a row that the store can't have written, with its
 * place and without its content.
 */
export function readRecord(tenant: string, kind: RecordKind, row: Row): StoredRecord {
  const { id, version, lookup, expires_at: expiresAt } = row;
  if (
    typeof id !== "string" ||
    typeof version !== "number" ||
    (lookup !== null && typeof lookup !== "string") ||
    (expiresAt !== null && typeof expiresAt !== "number")
  ) {
    throw damaged(tenant, kind, String(id), "its columns are of other types");
  }
  return {
    kind,
    id: fromKey(id),
    version,
    value: readValue(tenant, kind, id, row["value"]),
    lookup: lookup === null ? undefined : fromKey(lookup),
    expiresAt: expiresAt ?? undefined,
  };
}

function readValue(
  tenant: string,
  kind: RecordKind,
  id: string,
  text: SQLOutputValue | undefined,
): JsonObject {
  let value: JsonValue | undefined;
  try {
    value = typeof text === "string" ? JSON.parse(text) : undefined;
  } catch {
    // Without the parser's own error, which quotes the value.
    throw damaged(tenant, kind, id, "its value is no JSON");
  }
  if (!isJsonObject(value)) {
    throw damaged(tenant, kind, id, "its value is no JSON object");
  }
  return value;
}

function damaged(tenant: string, kind: RecordKind, id: string, why: string): StoreError {
  const owner = tenant === "" ? "the gateway" : `tenant ${JSON.stringify(tenant)}`;
  return new StoreError(
    "unavailable",
    `The ${kind} ${JSON.stringify(id)} of ${owner} can't be read: ${why}. Something else has written to the store; put a backup in its place.`,
  );
}
