/** A part of a text that may hold references. */
export type TextPart =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "env";
      readonly source: string;
      readonly name: string;
      readonly fallback: string | undefined;
    }
  | { readonly kind: "file"; readonly source: string; readonly path: string }
  | { readonly kind: "invalid"; readonly source: string; readonly reason: string };

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Splits a text into plain parts and references: `${env:NAME}` or `${NAME}`, either with `:-default`, and `${file:PATH}`.
 * `$${` is a literal `${`.
 */
export function parseReferences(text: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  let plain = "";
  let offset = 0;
  while (offset < text.length) {
    const start = text.indexOf("${", offset);
    if (start === -1) break;
    if (text[start - 1] === "$" && start > offset) {
      plain += `${text.slice(offset, start - 1)}\${`;
      offset = start + 2;
      continue;
    }
    plain += text.slice(offset, start);
    if (plain !== "") parts.push({ kind: "text", text: plain });
    plain = "";
    const end = text.indexOf("}", start);
    if (end === -1) {
      const source = text.slice(start);
      return [...parts, { kind: "invalid", source, reason: "The closing `}` is missing." }];
    }
    parts.push(parseReference(text.slice(start, end + 1)));
    offset = end + 1;
  }
  plain += text.slice(offset);
  if (plain !== "") parts.push({ kind: "text", text: plain });
  return parts;
}

function parseReference(source: string): TextPart {
  const inner = source.slice(2, -1);
  const scheme = /^([A-Za-z]+):(?!-)/.exec(inner)?.[1];
  if (scheme === "file") {
    const path = inner.slice("file:".length);
    if (path.trim() === "")
      return { kind: "invalid", source, reason: "Write the path of a file after `file:`." };
    if (path.includes(":-")) {
      return {
        kind: "invalid",
        source,
        reason: "A default (`:-`) is possible for variables only, not for files.",
      };
    }
    return { kind: "file", source, path };
  }
  if (scheme !== undefined && scheme !== "env") {
    return {
      kind: "invalid",
      source,
      reason: `There is no \`${scheme}:\`. Write \`\${env:NAME}\` for a variable or \`\${file:PATH}\` for a file; for a literal \`\${\` write \`$\${\`.`,
    };
  }
  const expression = scheme === "env" ? inner.slice("env:".length) : inner;
  const separator = expression.indexOf(":-");
  const name = separator === -1 ? expression : expression.slice(0, separator);
  if (!variableName.test(name)) {
    return {
      kind: "invalid",
      source,
      reason:
        "A variable's name is letters, digits and `_`, and begins with no digit. For a literal `${` write `$${`.",
    };
  }
  return {
    kind: "env",
    source,
    name,
    fallback: separator === -1 ? undefined : expression.slice(separator + 2),
  };
}
