/** Words that may be something encoded, of both alphabets (RFC 4648, sections 4 and 5). */
const encoded = /[A-Za-z0-9+/_-]{28,}/g;
const hexadecimal = /(?:[0-9a-f]{2}){24,}/gi;
/** What may stand between the pieces of something that was taken apart. */
const between = /[\s"'`,;\\]+/g;

/**
 * What a text may stand for, for those who look for secrets in it: itself, without escapes of URLs, with what was taken apart put together,
 * and what its words are the Base64 or the hexadecimal digits of.
 */
export function* spellingsOf(text: string): Generator<string, void> {
  yield text;
  const plain = withoutEscapes(text);
  if (plain !== text) yield plain;
  const whole = plain.replace(between, "");
  if (whole !== plain) yield whole;
  for (const one of new Set([plain, whole])) {
    for (const [word] of one.matchAll(encoded)) {
      // Other letters may stand before it, and shift it.
      for (let from = 0; from < 4; from += 1)
        yield Buffer.from(word.slice(from), "base64").toString("latin1");
    }
    for (const [word] of one.matchAll(hexadecimal)) yield Buffer.from(word, "hex").toString("latin1");
  }
}

function withoutEscapes(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_all, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
