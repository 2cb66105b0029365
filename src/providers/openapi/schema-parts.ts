import type { JsonSchema, JsonValue } from "../../model/json.ts";
import { isArray, isObject } from "./json-view.ts";

/**
 * The schemas directly inside of a converted one, each with the step that leads to its value: `.name`, `[]`, `.*`, or nothing for another
 * schema of the same value. What stands in defaults and enums is no schema, whatever it looks like.
 */
export function partsOf(schema: JsonSchema): readonly (readonly [string, JsonSchema])[] {
  const parts: (readonly [string, JsonSchema])[] = [];
  const add = (step: string, value: JsonValue | undefined): void => {
    if (isObject(value)) parts.push([step, value]);
  };
  const { properties, items, additionalProperties, not, anyOf, allOf, prefixItems } = schema;
  if (isObject(properties)) for (const name of Object.keys(properties)) add(`.${name}`, properties[name]);
  add("[]", items);
  add(".*", additionalProperties);
  add("", not);
  for (const branches of [anyOf, allOf])
    if (isArray(branches)) for (const branch of branches) add("", branch);
  if (isArray(prefixItems)) for (const [index, item] of prefixItems.entries()) add(`[${index}]`, item);
  return parts;
}
