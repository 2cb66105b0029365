import { parseExactJson } from "../../json/exact-json.ts";
import { isJsonObject } from "../../json-object.ts";
import type { JsonValue } from "../../model/json.ts";

/** Writing JSON recurses; what nests deeper stays bytes. */
const deepest = 1000;

/** JSON bytes as a value with all digits of its numbers; `undefined` for what is no JSON after all, or nested too deep. */
export function parseJsonBytes(bytes: Uint8Array): JsonValue | undefined {
  try {
    return parseJsonText(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // What calls itself JSON and is none is the caller's to see.
    return undefined;
  }
}

/** The same for text. */
export function parseJsonText(text: string): JsonValue | undefined {
  try {
    return parseExactJson(text, deepest);
  } catch {
    return undefined;
  }
}

/** What stands at a path of member names; `-1` is the last item of a list. */
export function partAt(value: JsonValue, path: readonly string[]): JsonValue | undefined {
  let part: JsonValue | undefined = value;
  for (const name of path) {
    if (isList(part)) part = name === "-1" ? part.at(-1) : undefined;
    else part = isJsonObject(part) && Object.hasOwn(part, name) ? part[name] : undefined;
  }
  return part;
}

/** A copy of the value with another part at the path, which leads through objects. */
export function withPart(value: JsonValue, path: readonly string[], part: JsonValue): JsonValue {
  const [name, ...rest] = path;
  if (name === undefined) return part;
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([key, member]): [string, JsonValue] =>
    key === name ? [key, withPart(member, rest, part)] : [key, member],
  );
  // fromEntries defines own properties: a `__proto__` stays a member like any other.
  return Object.fromEntries(entries);
}

/** `Array.isArray` does not narrow readonly arrays. */
export function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
