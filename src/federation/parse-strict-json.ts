import { asObject } from "../json-object.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";

const deepest = 20;

/** One object or list that the text is inside of: the names that were seen in it, none in a list. */
type Level = Set<string> | undefined;

/**
 * Reads a JSON object of a token. `undefined` for whatever two parsers may understand differently: a member that is there twice (RFC
 * 7519, section 4), one that is called `__proto__`, bytes that are not UTF-8, a byte order mark, and more than 20 levels.
 */
export function parseStrictObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: JsonValue = JSON.parse(text);
    return isUnambiguous(text) ? asObject(value) : undefined;
  } catch {
    return undefined;
  }
}

/** @param text what `JSON.parse` has taken, so that only strings and brackets matter. */
function isUnambiguous(text: string): boolean {
  const levels: Level[] = [];
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"\s*:?|[[\]{}]/g)) {
    if (token === "{" || token === "[") {
      if (levels.push(token === "{" ? new Set() : undefined) > deepest) return false;
    } else if (token === "}" || token === "]") levels.pop();
    else if (token.endsWith(":") && !isNew(token.slice(0, -1), levels.at(-1))) return false;
  }
  return true;
}

/** A name may be written with escapes, so it is compared as what it means. */
function isNew(written: string, seen: Level): boolean {
  const name: JsonValue = JSON.parse(written);
  if (typeof name !== "string" || name === "__proto__" || seen === undefined || seen.has(name)) return false;
  seen.add(name);
  return true;
}
