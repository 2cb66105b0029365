import type { JsonValue } from "../model/json.ts";
import type { JsonMeasure } from "./measure-json.ts";

/**
 * What is wrong with the names in a parsed text, as the end of a sentence; `undefined`: nothing. A name that comes twice shows in that
 * fewer members have arrived than were written.
 */
export function findBadNames(
  value: JsonValue,
  { members, hasEscapes }: Pick<JsonMeasure, "members" | "hasEscapes">,
  text: string,
): string | undefined {
  if (members === 0) return undefined;
  const found = countMembers(value, hasEscapes);
  if (typeof found === "string") return found;
  if (found === members) return undefined;
  const twice = findRepeatedName(text);
  return `holds the name ${JSON.stringify((twice ?? "").slice(0, 100))} twice in one object, which programs read differently; send it once`;
}

/** How many members all objects have, or what is wrong with one. Depth was bounded before. */
function countMembers(value: JsonValue, hasEscapes: boolean): number | string {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) {
      const inside = countMembers(item, hasEscapes);
      if (typeof inside === "string") return inside;
      count += inside;
    }
    return count;
  }
  for (const [name, member] of Object.entries(value)) {
    if (name === "__proto__")
      return "holds the name `__proto__`, which nothing here has: it means something to programs";
    if (hasEscapes && !name.isWellFormed())
      return "holds a name with half of a surrogate pair, which is no text";
    const inside = countMembers(member, hasEscapes);
    if (typeof inside === "string") return inside;
    count += inside + 1;
  }
  return count;
}

/** The first name that comes twice in an object of a valid text. */
function findRepeatedName(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token, written] of text.matchAll(/"(?:[^"\\]|\\.)*"[ \t\r\n]*(:?)|[{}]/gs)) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (written === ":") {
      const name = String(JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)));
      const names = open.at(-1);
      if (names?.has(name) === true) return name;
      names?.add(name);
    }
  }
  return undefined;
}
