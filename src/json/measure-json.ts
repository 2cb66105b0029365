/** How much a JSON text holds, whether or not it is valid. */
export interface JsonMeasure {
  /** Levels of lists and objects. */
  readonly depth: number;
  /** Scalars, lists and objects. */
  readonly values: number;
  /** Members of all objects. */
  readonly members: number;
  /** Characters of the longest string or name, as written. */
  readonly longestString: number;
  /** Whether anything is written as `\u…`: only so can a half of a surrogate pair stand alone. */
  readonly hasEscapes: boolean;
  /** Whether a number is so long, or written in such a way, that it may not arrive as it is. */
  readonly hasLongNumber: boolean;
}

const quote = 0x22;
const colon = 0x3a;
const letterU = 0x75;
const openingBracket = 0x5b;
const backslash = 0x5c;
const closingBracket = 0x5d;
const openingBrace = 0x7b;
const closingBrace = 0x7d;
/** Every number of so few characters without an exponent is exact as far as a double goes. */
const safeDigits = 15;

/**
 * Measures a text in one pass over its characters, before anything is made of it: what is too much is not even parsed, and what walks
 * JSON recurses.
 */
export function measureJson(text: string): JsonMeasure {
  let depth = 0;
  let deepest = 0;
  let values = 0;
  let members = 0;
  let longestString = 0;
  let hasEscapes = false;
  let hasLongNumber = false;
  const { length } = text;
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at += 1;
      const start = at;
      let inside = text.charCodeAt(at);
      while (inside !== quote && at < length) {
        if (inside === backslash) {
          at += 1;
          hasEscapes ||= text.charCodeAt(at) === letterU;
        }
        at += 1;
        inside = text.charCodeAt(at);
      }
      if (at - start > longestString) longestString = at - start;
      values += 1;
    } else if (code === openingBrace || code === openingBracket) {
      depth += 1;
      values += 1;
      if (depth > deepest) deepest = depth;
    } else if (code === closingBrace || code === closingBracket) {
      depth -= 1;
    } else if (code === colon) {
      // The string before it was a name.
      members += 1;
      values -= 1;
    } else if (isScalarPart(code)) {
      const start = at;
      let hasExponent = false;
      for (let next = code; isScalarPart(next); next = text.charCodeAt(at)) {
        hasExponent ||= (next | 0x20) === 0x65;
        at += 1;
      }
      // `true` and `false` have an e as well, and begin with a letter.
      hasLongNumber ||= at - start > safeDigits || (hasExponent && code < 0x41);
      at -= 1;
      values += 1;
    }
  }
  return { depth: deepest, values, members, longestString, hasEscapes, hasLongNumber };
}

/** Digits, letters, `.`, `+` and `-`: of numbers and of `true`, `false` and `null`. */
function isScalarPart(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) ||
    code === 0x2b ||
    code === 0x2d ||
    code === 0x2e
  );
}
