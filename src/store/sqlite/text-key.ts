/*
 * SQLite compares UTF-8, which orders texts by code point and can't hold a lone surrogate. Keys are compared by code unit and have
 * to come back as they were given, whatever they are. Code units from U+D800 on are therefore kept as the code points from
 * U+10000 on, in the same order; all others, and with them nearly every key, are kept as they are.
 */

const firstSurrogate = 0xd800;
const firstReplacement = 0x10000;

/** A text as the database keeps it: two are equal, and in order, as they are by code unit. */
export function toKey(text: string): string {
  return text.replace(/[\ud800-\uffff]/g, (unit) =>
    String.fromCodePoint(unit.charCodeAt(0) - firstSurrogate + firstReplacement),
  );
}

/** The text that a key of the database stands for. */
export function fromKey(key: string): string {
  return key.replace(/[\u{10000}-\u{127ff}]/gu, (character) =>
    String.fromCharCode((character.codePointAt(0) ?? firstReplacement) - firstReplacement + firstSurrogate),
  );
}
