import { stripHidden } from "../strip-hidden.ts";

const markup =
  /<\/?(?:a|b|br|code|div|em|h[1-6]|i|li|ol|p|pre|span|strong|table|tbody|td|th|thead|tr|u|ul)(?:\s[^<>]*)?\/?>/gi;

/** Words of printable ASCII with one blank between each: there is nothing to clean. */
const cleanText = /^[!-;=-~]+(?: [!-;=-~]+)*$/;

/** The text without HTML markup, hidden characters and needless blanks, cut at a word with `…` so that it has at most `limit` characters. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit && cleanText.test(text)) return text;
  // Only what can matter is looked at: descriptions of foreign documents may be of any length.
  const start = stripHidden(text.slice(0, limit * 8));
  const plain = start.includes("<") ? start.replace(markup, " ") : start;
  const compact = plain
    .replace(/[ \t]+/g, " ")
    .replace(/\s*\n\s*/g, "\n")
    .trim();
  if (compact.length <= limit) return compact;
  const cut = compact.slice(0, limit - 1);
  const space = cut.search(/\s\S*$/);
  const kept = (space > limit / 2 ? cut.slice(0, space) : cut).replace(/[\s,;:(]+$/, "");
  return `${kept.toWellFormed()}…`;
}
