import { endOfString } from "./end-of-string.ts";

const quote = 0x22;
const openingBracket = 0x5b;
const closingBracket = 0x5d;
const openingBrace = 0x7b;
const closingBrace = 0x7d;

/**
 * Tells whether a JSON text nests arrays and objects deeper than `limit`. Everything that walks JSON recurses, so texts from
 * outside are measured before anything walks them.
 */
export function isNestedDeeperThan(json: string, limit: number): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === quote) at = endOfString(json, at);
    else if (code === openingBracket || code === openingBrace) {
      depth += 1;
      if (depth > limit) return true;
    } else if (code === closingBracket || code === closingBrace) depth -= 1;
  }
  return false;
}
