import { isJsonObject } from "../../json-object.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";

/** Members by which servers tell where in their own code something went wrong, or what it asked of its database. */
const internals =
  /^(?:stack|stack_?traces?|trace|traces|back_?trace|debug|debug_?info|debug_?message|source_?file|internal)$/i;

/** Lines of a stack trace inside of a text, as JavaScript, Java, .NET and Python write them. */
const frames =
  /\n[ \t]+at [^\n]*|\nTraceback \(most recent call last\):[^\n]*|\n[ \t]+File "[^\n]*, line \d[^\n]*(?:\n[ \t]+[^\n]*)?/g;

/**
 * An answer without what its errors tell of the inside of the server: stack traces and debugging texts, wherever they stand
 * in an error and its `extensions`. The codes and all else stay. The very same answer when there is nothing of the kind.
 * The answer's depth is limited already.
 */
export function cleanErrors(answer: JsonObject): JsonObject {
  if (!isList(answer["errors"])) return answer;
  const errors = clean(answer["errors"]);
  return errors === answer["errors"] ? answer : { ...answer, errors };
}

function clean(value: JsonValue): JsonValue {
  if (typeof value === "string") return value.includes("\n") ? value.replace(frames, "") : value;
  if (isList(value)) {
    const items = value.map((item) => clean(item));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value);
  const kept = entries
    .filter(([key]) => !internals.test(key))
    .map(([key, member]): [string, JsonValue] => [key, clean(member)]);
  const isSame = kept.length === entries.length && kept.every(([key, member]) => member === value[key]);
  return isSame ? value : Object.fromEntries(kept);
}

/** `Array.isArray` does not narrow read-only arrays. */
function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
