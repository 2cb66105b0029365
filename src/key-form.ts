import { isUtf8 } from "node:buffer";

/** How an operator gets a good key; the end of every message about a bad one. */
export const howToMakeKey = "Make one with `gateway keys generate`.";

/** Bytes of a key of AES-256. */
export const keyBytes = 32;

/** A random key holds fewer different bytes than this once in more than 10^20 keys. */
const leastDistinct = 16;

/** What placeholders are made of; in the digits of random keys it stands once in ten million. */
const words = /change_?-?me|password|secret|example|default|insecure|placeholder|replace|gateway/i;
const lowerCaseLetters = /[a-z]{24}/;

/**
 * The 32 bytes that a text stands for: 64 hexadecimal digits, base64 or base64url, with or without padding, white space around it
 * aside; `undefined` for everything else. A pass phrase is no key, and nothing makes one of it.
 */
export function parseKey(text: string): Buffer | undefined {
  const written = text.trim();
  if (/^[0-9a-f]{64}$/i.test(written)) return Buffer.from(written, "hex");
  // 43 digits hold 258 bits: the last two of the last digit are zero, or another text would be the same key.
  if (!/^(?:[A-Za-z0-9+/]{43}|[A-Za-z0-9_-]{43})=?$/.test(written)) return undefined;
  const key = Buffer.from(written, "base64");
  const isCanonical = key.toString("base64url") === toUrlAlphabet(written);
  return key.length === keyBytes && isCanonical ? key : undefined;
}

/**
 * What is wrong with a key: a phrase that goes on from "The key"; `undefined` when nothing is. Refused are texts of another form, and
 * bytes that nobody drew at random.
 */
export function describeKeyFault(text: string): string | undefined {
  const key = parseKey(text);
  if (key === undefined) return `is not ${keyBytes} bytes as base64, base64url or 64 hexadecimal digits`;
  if (isSequence(key)) return "is a sequence that anybody can guess";
  if (new Set(key).size < leastDistinct) return "is made of a few bytes that repeat";
  // Of random keys, one in a hundred million happens to be a text.
  if (isUtf8(key)) return "is a text, and not random bytes";
  if (words.test(text) || lowerCaseLetters.test(text)) return "is made of words";
  return undefined;
}

function toUrlAlphabet(text: string): string {
  return text.replace(/=$/, "").replaceAll("+", "-").replaceAll("/", "_");
}

/** The same step from each byte to the next, such as 0x00, 0x01, 0x02 …, or the same half twice. */
function isSequence(key: Buffer): boolean {
  const step = difference(key, 1);
  if (key.every((_byte, index) => index === 0 || difference(key, index) === step)) return true;
  return key.subarray(0, keyBytes / 2).equals(key.subarray(keyBytes / 2));
}

function difference(key: Buffer, index: number): number {
  return ((key[index] ?? 0) - (key[index - 1] ?? 0)) & 0xff;
}
