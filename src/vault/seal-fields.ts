import { isJsonObject } from "../json-object.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import { Secret } from "../secret.ts";
import type { RecordKind } from "../store/store.ts";
import { boundFacts } from "./bound-facts.ts";
import { type SealContext, type Vault, VaultError } from "./vault.ts";

/** A record with sealed fields: which one it is, and the version that its value names. */
export interface SealedRecord {
  /** Empty for the gateway's own. */
  readonly tenant: string;
  readonly kind: RecordKind;
  readonly id: string;
  /** Not the store's: `value.version`, from 1, which grows with everything that replaces the secrets. */
  readonly version: number;
  /** Its value, or what is to become of it, with or without `sealed`: some facts of it are part of what the secrets are sealed for. */
  readonly value: JsonObject;
}

/** The one field of a record without secrets, empty as well: its facts are sealed for, too. It is never given out. */
const emptyField = "";

/**
 * What a field of a record is sealed for. Ids of credentials are `OWNER/PROVIDER/CONNECTION/INSTANCE`; any other record is its own
 * owner.
 *
 * @param fields all fields of the record that are sealed.
 */
export function contextOf(
  { tenant, kind, id, version, value }: SealedRecord,
  field: string,
  fields: readonly string[],
): SealContext {
  const facts = boundFacts(kind, value, fields);
  const parts = kind === "credential" ? id.split("/") : [];
  const [owner = "", provider = "", connection = "", instance = ""] = parts;
  return parts.length === 4
    ? { tenant, owner, provider, connection, instance, field, version, facts }
    : { tenant, owner: `${kind}/${id}`, provider: "", connection: "", instance: "", field, version, facts };
}

/**
 * Seals the secrets of a record, for `value.sealed`; names of fields are not empty. {@link markInUse} comes before the write. Throws
 * {@link VaultError} `no_key`.
 */
export function sealFields(
  vault: Vault,
  record: SealedRecord,
  secrets: Readonly<Record<string, Secret>>,
): Readonly<Record<string, string>> {
  const all = Object.keys(secrets).length === 0 ? { [emptyField]: new Secret("") } : secrets;
  const fields = Object.keys(all);
  return Object.fromEntries(
    Object.entries(all).map(([field, secret]) => [
      field,
      vault.seal(secret, contextOf(record, field, fields)),
    ]),
  );
}

/**
 * Opens the secrets of a record, from its `value.sealed`, whatever that is. Throws {@link VaultError}: nothing is opened in part, and
 * nothing of a record that names other facts or lacks a field.
 */
export function openFields(
  vault: Vault,
  record: SealedRecord,
  sealed: JsonValue | undefined,
): Readonly<Record<string, Secret>> {
  const texts = sealedTexts(sealed);
  const fields = Object.keys(texts);
  if (fields.length === 0) throw new VaultError("forged", "A record has no sealed fields.");
  const opened = Object.entries(texts).map(
    ([field, text]) => [field, vault.open(text, contextOf(record, field, fields))] as const,
  );
  return Object.fromEntries(opened.filter(([field]) => field !== emptyField));
}

/** The sealed texts of a record by field. Throws {@link VaultError} `forged` for what is none. */
export function sealedTexts(sealed: JsonValue | undefined): Readonly<Record<string, string>> {
  if (!isJsonObject(sealed)) throw new VaultError("forged", "A record has no sealed fields.");
  const texts = Object.entries(sealed).map(([field, text]) => {
    if (typeof text !== "string") throw new VaultError("forged", "A sealed field is no text.");
    return [field, text] as const;
  });
  return Object.fromEntries(texts);
}

/** Fingerprints of the keys that a record's fields were sealed with; empty for a record without any. */
export function keysOf(vault: Vault, value: JsonObject): readonly string[] {
  const { sealed } = value;
  if (!isJsonObject(sealed)) return [];
  const fingerprints = Object.values(sealed).flatMap((text) =>
    typeof text === "string" ? (vault.keyOf(text) ?? []) : [],
  );
  return [...new Set(fingerprints)];
}

/**
 * The same record sealed with the first key of the ring; `undefined`: it is already. Throws {@link VaultError} when it can't be opened.
 */
export function rewrapped(
  vault: Vault,
  record: Omit<SealedRecord, "version" | "value">,
  value: JsonObject,
): JsonObject | undefined {
  const active = vault.keys()[0]?.fingerprint;
  if (active === undefined || keysOf(vault, value).every((fingerprint) => fingerprint === active))
    return undefined;
  const { version, sealed } = value;
  if (typeof version !== "number") throw new VaultError("forged", "A record has no version.");
  const own = { ...record, version, value };
  return { ...value, sealed: sealFields(vault, own, openFields(vault, own, sealed)) };
}
