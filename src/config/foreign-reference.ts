/**
 * The reference that a text in the notation of another tool must mean (`$NAME`, `%NAME%`, `{{NAME}}`), with the rest of the
 * text behind it; `undefined` when it begins with none.
 */
export function referenceMeant(text: string): string | undefined {
  const match = /^(?:\$([A-Za-z_]\w*)|%([A-Za-z_]\w*)%|\{\{-?\s*\.?([A-Za-z_]\w*)\s*-?\}\})/.exec(text);
  const name = match?.[1] ?? match?.[2] ?? match?.[3];
  return match && name !== undefined ? `\${env:${name}}${text.slice(match[0].length)}` : undefined;
}
