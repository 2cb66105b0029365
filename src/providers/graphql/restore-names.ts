import type { GraphqlAliases } from "../../model/catalog.ts";
import type { JsonValue } from "../../model/json.ts";

/**
 * Gives the fields of an answer their names in the schema back. Only the way to an alias is walked, so values of custom
 * scalars, which may hold any key, are never touched.
 */
export function restoreNames(value: JsonValue, aliases: GraphqlAliases): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (isArray(value)) return value.map((element) => restoreNames(element, aliases));
  const entries = Object.entries(value).map(([key, member]): [string, JsonValue] => {
    const alias = Object.hasOwn(aliases, key) ? aliases[key] : undefined;
    if (alias === undefined) return [key, member];
    return [alias.name, alias.selection === undefined ? member : restoreNames(member, alias.selection)];
  });
  return Object.fromEntries(entries);
}

/** `Array.isArray` does not narrow read-only arrays. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
