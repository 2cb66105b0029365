/** A list as YAML writes it on one line, each item a text. */
export function writeFlowList(items: readonly string[]): string {
  return `[${items.map(writeFlowItem).join(", ")}]`;
}

/** A text as an item or a value between `[…]` or `{…}`, in quotes where YAML would take it for something else. */
export function writeFlowItem(text: string): string {
  const isPlain =
    /^[A-Za-z./-][\w./*?:@=+-]*$/.test(text) && !/^(-|null|true|false)$|^-?\.?\d|:$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}

/** The words of a command line, as a shell without expansions takes them apart. */
export function splitWords(line: string): readonly string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|\S+/g)].map(
    ([word, inDouble, inSingle]) => inDouble ?? inSingle ?? word,
  );
}
