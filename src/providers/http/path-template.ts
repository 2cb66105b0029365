/** A piece of a path template: fixed text, or a variable to be filled in. */
type TemplatePart =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string };

/** Splits `/pets/{petId}.json` into its fixed and variable parts. Braces that enclose nothing are fixed text. */
export function parsePathTemplate(path: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of path.matchAll(/\{([^{}]+)\}/g)) {
    if (match.index > end) parts.push({ kind: "literal", text: path.slice(end, match.index) });
    parts.push({ kind: "variable", name: match[1] ?? "" });
    end = match.index + match[0].length;
  }
  if (end < path.length) parts.push({ kind: "literal", text: path.slice(end) });
  return parts;
}

/** The names of a template's variables, each once, in order. */
export function templateVariables(path: string): readonly string[] {
  const names = parsePathTemplate(path).flatMap((part) => (part.kind === "variable" ? [part.name] : []));
  return [...new Set(names)];
}
