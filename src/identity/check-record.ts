import type { RecordKind } from "../store/store.ts";

/** What the store gave is no record as this room writes it. Nothing of it is believed. */
export class MalformedRecordError extends Error {
  override readonly name = "MalformedRecordError";
}

/** A record whose outside was checked; the members of `value` are checked one by one as they are read. */
export interface CheckedRecord {
  readonly kind: RecordKind;
  readonly id: string;
  readonly version: number;
  readonly lookup: string | undefined;
  readonly expiresAt: number | undefined;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Where a record is kept, and what it is. */
export interface FoundCheckedRecord {
  readonly tenant: unknown;
  readonly record: CheckedRecord;
}

/**
 * Checks the outside of a record that the store gave, whatever it is.
 *
 * @param members all that its value may hold.
 * @param asked the id that was asked for, if one was.
 * Throws {@link MalformedRecordError}.
 */
export function checkRecord(
  found: unknown,
  kind: RecordKind,
  members: readonly string[],
  asked?: string,
): CheckedRecord {
  if (!isObject(found)) throw new MalformedRecordError(`A ${kind} is no record.`);
  const { id, version, lookup, expiresAt, value } = found;
  if (found["kind"] !== kind || typeof id !== "string" || id === "") {
    throw new MalformedRecordError(`A ${kind} has another kind or no id.`);
  }
  const where = `The ${kind} ${JSON.stringify(id.slice(0, 100))}`;
  if (asked !== undefined && id !== asked) throw new MalformedRecordError(`${where} was not asked for.`);
  if (!isTime(version)) throw new MalformedRecordError(`${where} has no version.`);
  if (lookup !== undefined && typeof lookup !== "string")
    throw new MalformedRecordError(`${where} has a lookup of another type.`);
  if (expiresAt !== undefined && !isTime(expiresAt))
    throw new MalformedRecordError(`${where} has an end that is no time.`);
  if (!isObject(value)) throw new MalformedRecordError(`${where} has no value.`);
  const unknown = Object.keys(value).find((name) => !members.includes(name));
  if (unknown !== undefined) throw new MalformedRecordError(`${where} has an unknown member.`);
  return { kind, id, version, lookup, expiresAt, value };
}

/** The same for a record that was looked for in all tenants. */
export function checkFound(found: unknown, kind: RecordKind, members: readonly string[]): FoundCheckedRecord {
  if (!isObject(found)) throw new MalformedRecordError(`What was found of kind ${kind} is no record.`);
  return { tenant: found["tenant"], record: checkRecord(found["record"], kind, members) };
}

/** One member of a record's value. Throws {@link MalformedRecordError} unless it is what it has to be. */
export function member<Value>(
  record: CheckedRecord,
  name: string,
  is: (value: unknown) => value is Value,
): Value {
  const value = Object.hasOwn(record.value, name) ? record.value[name] : undefined;
  if (!is(value)) throw wrongMember(record, name);
  return value;
}

/** The same for one that may be absent, which is not the same as `null`. */
export function optionalMember<Value>(
  record: CheckedRecord,
  name: string,
  is: (value: unknown) => value is Value,
): Value | undefined {
  return Object.hasOwn(record.value, name) ? member(record, name, is) : undefined;
}

/** Throws {@link MalformedRecordError} where something that has to hold for a record does not. */
export function demand(holds: boolean, record: CheckedRecord, what: string): void {
  if (!holds) throw wrongMember(record, what);
}

/** What to throw where something that has to hold for a record does not. */
export function wrongMember(record: CheckedRecord, what: string): MalformedRecordError {
  const id = JSON.stringify(record.id.slice(0, 100));
  return new MalformedRecordError(`The ${record.kind} ${id} has a wrong or missing ${what}.`);
}

/** True for milliseconds since 1970. */
export function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** True for a whole number from 1. */
export function isCount(value: unknown): value is number {
  return isTime(value) && value >= 1;
}

/** True for `true` and `false`. */
export function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

/** True for a text that is not empty, and of a length that a record may hold. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= 4_096;
}

/** Makes the check of a list from that of its items. */
export function listOf<Item>(
  is: (value: unknown) => value is Item,
): (value: unknown) => value is readonly Item[] {
  return (value): value is readonly Item[] => Array.isArray(value) && Array.from(value, is).every(Boolean);
}

/** True for a plain object, not for lists. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
