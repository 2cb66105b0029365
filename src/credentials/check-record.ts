/** What the store gave is no record as this room writes it. Nothing of it is believed. */
export class MalformedRecordError extends Error {
  override readonly name = "MalformedRecordError";
}

/** The members of a record's value, believed one by one as they are read. */
export interface Members {
  /** Throws {@link MalformedRecordError} unless the member is there and of this form. */
  required<Value>(name: string, is: (value: unknown) => value is Value): Value;
  /** The same for one that may be absent, which is not the same as `null`. */
  optional<Value>(name: string, is: (value: unknown) => value is Value): Value | undefined;
}

/**
 * Reads the members of an object.
 *
 * @param what names it in errors, which quote nothing of its content.
 * @param names all that it may hold. Throws {@link MalformedRecordError} for anything else.
 */
export function membersOf(value: unknown, what: string, names: readonly string[]): Members {
  if (!isObject(value)) throw new MalformedRecordError(`${what} is no object.`);
  if (Object.keys(value).some((name) => !names.includes(name)))
    throw new MalformedRecordError(`${what} has an unknown member.`);
  const required = <Value>(name: string, is: (member: unknown) => member is Value): Value => {
    const member = Object.hasOwn(value, name) ? value[name] : undefined;
    if (!is(member)) throw new MalformedRecordError(`${what} has a wrong or missing ${name}.`);
    return member;
  };
  return {
    required,
    optional: (name, is) => (Object.hasOwn(value, name) ? required(name, is) : undefined),
  };
}

/** True for any text. */
export function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** True for milliseconds since 1970, and for whole numbers from 0 in general. */
export function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** True for a list of texts. */
export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && Array.from(value, isText).every(Boolean);
}

/** True for an object whose members are texts. */
export function isTextRecord(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every(isText);
}

/** Makes the check of one of several words. */
export function oneOf<const Word extends string>(
  ...words: readonly Word[]
): (value: unknown) => value is Word {
  return (value): value is Word => words.some((word) => word === value);
}

/** True for a plain object, not for lists. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
