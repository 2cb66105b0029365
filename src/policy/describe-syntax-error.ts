/**
 * Says why the text of a condition is no expression, better than the parser where a bracket or a quote is missing.
 *
 * @param found what the parser says.
 */
export function describeSyntaxError(when: string, found: string): string {
  if (when.trim() === "") return "The condition is empty. Write `true` for a policy that always matches.";
  const open = findUnclosed(when);
  if (open !== undefined) return `The condition is no CEL expression: ${open}.`;
  return `The condition is no CEL expression: ${found.replace(/ but expecting .{80,}$/s, "")}.`;
}

/** The usual mistake, which a parser tells as something else far away. */
function findUnclosed(when: string): string | undefined {
  const open: string[] = [];
  for (let at = 0; at < when.length; at += 1) {
    const char = when.charAt(at);
    if (char === '"' || char === "'") {
      const end = endOfText(when, at, char);
      if (end === undefined)
        return `the text that begins with ${char}${when.slice(at + 1, at + 20)} has no end`;
      at = end;
    } else if (when.startsWith("//", at)) {
      const end = when.indexOf("\n", at);
      at = end === -1 ? when.length : end;
    } else if ("([{".includes(char)) open.push(char);
    else if (")]}".includes(char)) {
      const last = open.pop();
      if (last === undefined) return `\`${char}\` closes nothing`;
      if (last !== { ")": "(", "]": "[", "}": "{" }[char]) return `\`${last}\` is closed by \`${char}\``;
    }
  }
  const last = open.pop();
  return last === undefined ? undefined : `\`${last}\` is not closed`;
}

function endOfText(when: string, start: number, quote: string): number | undefined {
  for (let at = start + 1; at < when.length; at += 1) {
    if (when.charAt(at) === "\\") at += 1;
    else if (when.charAt(at) === quote) return at;
  }
  return undefined;
}
