const plain = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;
const sentinel = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

/**
 * Writes a text as the value of an MCP header (`Mcp-Name`, `Mcp-Param-*`): as it is where a header can carry it, else in the
 * `=?base64?…?=` form (MCP 2026-07-28, Streamable HTTP, header encoding).
 */
export function encodeHeaderValue(text: string): string {
  if (plain.test(text) && !looksEncoded(text)) return text;
  return `=?base64?${Buffer.from(text, "utf8").toString("base64")}?=`;
}

/** Reads what {@link encodeHeaderValue} wrote; `undefined` for a `=?base64?…?=` form that is not base64 of UTF-8. */
export function decodeHeaderValue(value: string): string | undefined {
  const trimmed = trimBlanks(value);
  const encoded = sentinel.exec(trimmed)?.[1];
  if (encoded === undefined) return looksEncoded(trimmed) ? undefined : trimmed;
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.toString("base64") !== encoded) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** What is read as encoded, or refused as badly encoded, is never sent as it is. */
function looksEncoded(text: string): boolean {
  return text.startsWith("=?base64?") && text.endsWith("?=");
}

/** By hand: a regular expression for the blanks at the end takes time with the square of those inside. */
function trimBlanks(value: string): string {
  const isBlank = (character: string | undefined): boolean => character === " " || character === "\t";
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value[start])) start += 1;
  while (end > start && isBlank(value[end - 1])) end -= 1;
  return value.slice(start, end);
}
