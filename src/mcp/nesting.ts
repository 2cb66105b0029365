/**
 * Tells whether a JSON text nests arrays and objects deeper than `limit`. Everything that walks JSON recurses, so texts from
 * outside are measured before anything walks them.
 */
export function isNestedDeeperThan(json: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < json.length; index += 1) {
    const character = json[index];
    if (inString) {
      if (character === "\\") index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "[" || character === "{") {
      depth += 1;
      if (depth > limit) return true;
    } else if (character === "]" || character === "}") depth -= 1;
  }
  return false;
}
