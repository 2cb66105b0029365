/** A placeholder of a template language in a YAML text. */
export interface TemplatePlaceholder {
  readonly start: number;
  readonly end: number;
  readonly message: string;
}

/**
 * The first `{{NAME}}` that begins a value in a line; YAML takes its braces for mappings, and the author meant a variable.
 * Offsets count from the start of the text.
 */
export function describeTemplate(text: string): TemplatePlaceholder | undefined {
  const match = /(?<=^|[\s,[])\{\{-?\s*([^{}"'\n]{1,80}?)\s*-?\}\}/.exec(text);
  if (!match) return undefined;
  const name = /^\.?([A-Za-z_]\w*)$/.exec(match[1] ?? "")?.[1] ?? "NAME";
  return {
    start: match.index,
    end: match.index + match[0].length,
    message: `\`{{…}}\` is not filled in here, and YAML takes it for a mapping. A reference to a variable is written \`"\${env:${name}}"\`.`,
  };
}
