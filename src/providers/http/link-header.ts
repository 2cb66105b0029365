/**
 * The target of the link with `rel="next"` in a `Link` header (RFC 8288 section 3), as it is written. A link with an `anchor` is
 * about another resource.
 */
export function nextLink(header: string): string | undefined {
  for (const { target, parameters } of parseLinks(header)) {
    const relations = parameters.get("rel")?.toLowerCase().split(/\s+/) ?? [];
    if (relations.includes("next") && !parameters.has("anchor")) return target;
  }
  return undefined;
}

interface Link {
  readonly target: string;
  /** Names in lower case; of a repeated name the first value counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

const parameterPattern = /\s*;\s*([^\s=;,"<>]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?/y;

function* parseLinks(header: string): Generator<Link> {
  let position = 0;
  for (;;) {
    const start = header.indexOf("<", position);
    const end = header.indexOf(">", start);
    if (start === -1 || end === -1) return;
    const parameters = new Map<string, string>();
    position = end + 1;
    for (;;) {
      parameterPattern.lastIndex = position;
      const match = parameterPattern.exec(header);
      if (match === null) break;
      position = parameterPattern.lastIndex;
      const name = (match[1] ?? "").toLowerCase();
      if (!parameters.has(name)) parameters.set(name, match[2]?.replace(/\\(.)/g, "$1") ?? match[3] ?? "");
    }
    yield { target: header.slice(start + 1, end).trim(), parameters };
  }
}
