import { isJsonObject } from "../../json-object.ts";
import type { GraphqlAliases } from "../../model/catalog.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";

/** Gives the fields of an answer their names in the schema back, in its data and in the paths of its errors. */
export function restoreAnswer(answer: JsonObject, aliases: GraphqlAliases): JsonObject {
  const { data, errors } = answer;
  return {
    ...answer,
    ...(data !== undefined && { data: restoreNames(data, aliases) }),
    ...(isArray(errors) && { errors: errors.map((error) => restoreError(error, aliases)) }),
  };
}

/**
 * Gives the fields of a value their names in the schema back. Only the way to an alias is walked, so values of custom
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

function restoreError(error: JsonValue, aliases: GraphqlAliases): JsonValue {
  if (!isJsonObject(error) || !isArray(error["path"])) return error;
  return { ...error, path: restorePath(error["path"], aliases) };
}

function restorePath(path: readonly JsonValue[], aliases: GraphqlAliases): readonly JsonValue[] {
  let inside: GraphqlAliases | undefined = aliases;
  return path.map((step) => {
    // Numbers are the places in lists.
    if (typeof step !== "string") return step;
    const alias: GraphqlAliases[string] | undefined =
      inside && Object.hasOwn(inside, step) ? inside[step] : undefined;
    inside = alias?.selection;
    return alias?.name ?? step;
  });
}

/** `Array.isArray` does not narrow read-only arrays. */
function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
