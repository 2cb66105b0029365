import type { JsonSchema, JsonValue } from "../../model/json.ts";
import { isArray, isObject } from "./json-view.ts";

/**
 * Visits the schemas directly inside of a converted one. The step that leads to the value of each is `mark` and `name` together: `.name`,
 * `[]`, `.*`, or nothing for another schema of the same value; few are ever written. What stands in defaults and enums is no schema,
 * whatever it looks like.
 */
export function visitParts(
  schema: JsonSchema,
  visit: (part: JsonSchema, mark: string, name: string) => void,
): void {
  const add = (value: JsonValue | undefined, mark: string, name = ""): void => {
    if (isObject(value)) visit(value, mark, name);
  };
  const { properties, items, additionalProperties, not, anyOf, allOf, prefixItems } = schema;
  if (isObject(properties)) for (const name of Object.keys(properties)) add(properties[name], ".", name);
  add(items, "[]");
  add(additionalProperties, ".*");
  add(not, "");
  if (isArray(anyOf)) for (const branch of anyOf) add(branch, "");
  if (isArray(allOf)) for (const branch of allOf) add(branch, "");
  if (isArray(prefixItems)) for (const [index, item] of prefixItems.entries()) add(item, `[${index}]`);
}
