import type { Tool } from "../model/catalog.ts";
import type { JsonObject } from "../model/json.ts";

/**
 * The arguments of a call without those that say nothing: models write `null` for parameters that they leave out. Members of a body stay,
 * because there `null` is a value, and where its schema does not take it the caller has to know.
 */
export function withoutAbsent({ binding }: Pick<Tool, "binding">, callArguments: JsonObject): JsonObject {
  if (binding.kind !== "http" || !Object.values(callArguments).includes(null)) return callArguments;
  const absent = new Set(
    binding.parameters
      .filter(({ required, default: value }) => !required || value !== undefined)
      .map(({ argument }) => argument),
  );
  const given = Object.entries(callArguments).filter(([name, value]) => value !== null || !absent.has(name));
  return Object.fromEntries(given);
}
