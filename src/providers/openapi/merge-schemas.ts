import type { JsonSchema, JsonValue } from "../../model/json.ts";
import { asArray, asObject, isArray, isObject } from "./json-view.ts";

/**
 * One schema in place of an `allOf`, for clients that do not look into it. What can't be said in one schema stays in
 * an `allOf` of the result. `additionalProperties: false` is dropped: each part means only its own properties by it.
 */
export function mergeSchemas(parts: readonly JsonSchema[]): JsonSchema {
  const merged: Record<string, JsonValue> = {};
  const rest: JsonSchema[] = [];
  // Each once: what is included twice on every level would otherwise double with each.
  const keep = (part: JsonSchema): void => {
    if (!rest.some((other) => isSame(other, part))) rest.push(part);
  };
  for (const part of parts) {
    if (part["$ref"] !== undefined) {
      keep(part);
      continue;
    }
    for (const [key, value] of Object.entries(part)) {
      const existing = merged[key];
      if (key === "additionalProperties" && value === false && parts.length > 1) continue;
      if (key === "allOf") for (const inner of asArray(value).filter(isObject)) keep(inner);
      else if (existing === undefined || key === "description" || key === "default") merged[key] = value;
      else if (key === "properties") merged[key] = mergeProperties(asObject(existing), asObject(value));
      else if (key === "required") merged[key] = [...new Set([...asArray(existing), ...asArray(value)])];
      else if (key === "type") merged[key] = commonType(existing, value);
      else if (!isSame(existing, value)) keep({ [key]: value });
    }
  }
  return rest.length === 0 ? merged : { ...merged, allOf: rest };
}

/**
 * The choice between branches. With a branch that takes everything there is no choice, only members that may be given: those
 * of the other branches.
 */
export function describeChoice(branches: readonly JsonSchema[]): JsonSchema {
  if (branches.every((branch) => Object.keys(branch).length > 0)) return { anyOf: branches };
  const members = new Map<string, JsonValue[]>();
  for (const branch of branches) {
    for (const [name, schema] of Object.entries(asObject(branch["properties"]))) {
      const known = members.get(name) ?? [];
      if (!known.some((other) => isSame(other, schema))) members.set(name, [...known, schema]);
    }
  }
  if (members.size === 0) return {};
  const properties = [...members].map(([name, schemas]): [string, JsonValue] => {
    const [only] = schemas;
    return [name, schemas.length === 1 && only !== undefined ? only : { anyOf: schemas }];
  });
  return { properties: Object.fromEntries(properties) };
}

function mergeProperties(first: JsonSchema, second: JsonSchema): JsonSchema {
  const properties = new Map(Object.entries(first));
  for (const [name, schema] of Object.entries(second)) {
    const existing = properties.get(name);
    if (existing === undefined || isSame(existing, schema)) properties.set(name, schema);
    else properties.set(name, combine(asObject(existing), asObject(schema)));
  }
  return Object.fromEntries(properties);
}

/** Values in a schema, shared parts counted each time, beyond which it is not merged with another one member by member. */
const mostMerged = 5_000;

/**
 * A later declaration of a property refines the earlier one; only two objects can be merged without losing anything. Large ones
 * stay side by side: their members would be merged in turn, and those of these, where a document can make it endless.
 */
function combine(first: JsonSchema, second: JsonSchema): JsonSchema {
  if (Object.keys(first).length === 0) return second;
  if (isLarge(first) || isLarge(second)) return { allOf: [first, second] };
  return mergeSchemas([first, second]);
}

function isLarge(schema: JsonSchema): boolean {
  const waiting: JsonValue[] = [schema];
  let values = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    values += 1;
    if (values + waiting.length > mostMerged) return true;
    if (typeof next === "object" && next !== null) waiting.push(...Object.values<JsonValue>(next));
  }
  return false;
}

/** Types that both allow. Where there are none, the document contradicts itself and the later one counts. */
function commonType(first: JsonValue, second: JsonValue): JsonValue {
  const firstTypes = isArray(first) ? first : [first];
  const secondTypes = isArray(second) ? second : [second];
  const common = secondTypes.filter((type) => firstTypes.includes(type));
  if (common.length === 0) return second;
  return common.length === 1 && common[0] !== undefined ? common[0] : common;
}

/** Equal in content. Comparing stops after a while, because shared parts can make a schema endlessly large to walk. */
export function isSame(first: JsonValue, second: JsonValue): boolean {
  let steps = 0;
  const compare = (left: JsonValue | undefined, right: JsonValue | undefined): boolean => {
    steps += 1;
    if (left === right) return true;
    if (
      left === null ||
      right === null ||
      typeof left !== "object" ||
      typeof right !== "object" ||
      steps > 2_000
    ) {
      return false;
    }
    const keys = Object.keys(left);
    if (isArray(left) !== isArray(right) || keys.length !== Object.keys(right).length) return false;
    const [leftMembers, rightMembers] = [new Map(Object.entries(left)), new Map(Object.entries(right))];
    return keys.every((key) => rightMembers.has(key) && compare(leftMembers.get(key), rightMembers.get(key)));
  };
  return compare(first, second);
}
