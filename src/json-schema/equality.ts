import type { JsonValue } from "../model/json.ts";
import { CheckStopped, charge, stepCost } from "./budget.ts";
import { isArray } from "./json-type.ts";
import type { Run } from "./run.ts";

/**
 * A key for sets and maps: equal JSON values (JSON Schema 2020-12, Core section 4.2.2), and only they, have the same one.
 *
 * The cost is linear in the value and charged to the run.
 */
export function identityOf(run: Run, value: JsonValue): unknown {
  charge(run, stepCost.primitive);
  if (typeof value === "string") {
    charge(run, value.length / stepCost.charactersPerStep);
    return `"${value}`;
  }
  if (typeof value === "object" && value !== null) return canonicalText(run, value, 0);
  // 0 and -0 are one number.
  return value === 0 ? 0 : value;
}

/** JSON with sorted keys. Texts, and nothing else, start with a quotation mark, as in `identityOf`. */
function canonicalText(run: Run, value: JsonValue, depth: number): string {
  if (typeof value === "string") {
    charge(run, stepCost.primitive + value.length / stepCost.charactersPerStep);
    return JSON.stringify(value);
  }
  if (typeof value !== "object" || value === null) {
    charge(run, stepCost.primitive);
    return value === 0 ? "0" : String(value);
  }
  charge(run, stepCost.object);
  if (depth >= run.limits.depth) throw new CheckStopped();
  let text = "";
  if (isArray(value)) {
    for (const item of value) text += `${canonicalText(run, item, depth + 1)},`;
    return `[${text}]`;
  }
  const members = Object.entries(value);
  charge(run, members.length * stepCost.key);
  members.sort(([left], [right]) => (left < right ? -1 : 1));
  for (const [key, member] of members) {
    text += `${canonicalText(run, key, depth)}:${canonicalText(run, member, depth + 1)},`;
  }
  return `{${text}}`;
}
