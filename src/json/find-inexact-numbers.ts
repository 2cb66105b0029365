import { endOfString } from "./end-of-string.ts";

/** A number that a double can't hold, and where it stands. */
export interface InexactNumber {
  /** As it is written. */
  readonly source: string;
  /** Where in the text the list or object begins that holds it; `undefined`: it is the whole text. */
  readonly container: number | undefined;
  /** Its index or member name there. */
  readonly key: string | number;
  /** Indexes and member names from the root down to the container. Ask before the search goes on. */
  readonly way: () => readonly (string | number)[];
}

/** Only a text with a long number or an exponent can hold one; what looks like that inside of strings only costs a look. */
const suspicious = /(?:^|[:,[\s])-?(?:\d{16}|[\d.]+[eE])/;
const integer = /^-?\d+$/;
/** Every integer of so many digits comes back from a double as it was. */
const safeDigits = 15;

const quote = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const openingBracket = 0x5b;
const closingBracket = 0x5d;
const openingBrace = 0x7b;
const closingBrace = 0x7d;

/**
 * Finds the numbers of a valid JSON text that would arrive as others where they are read as doubles: integers whose digits
 * change, and numbers beyond the range. One pass over the characters, however large the text is.
 */
export function* findInexactNumbers(text: string): Generator<InexactNumber, undefined, undefined> {
  if (!suspicious.test(text)) return;
  /** For each open list or object: where it begins, whether it is a list, and the index, or where the member's name begins. */
  const starts: number[] = [];
  const lists: boolean[] = [];
  const places: number[] = [];
  let depth = -1;
  let awaitsName = false;
  const keyAt = (level: number): string | number => {
    const place = places[level] ?? 0;
    return lists[level] === true ? place : readName(text, place);
  };
  const way = (): readonly (string | number)[] =>
    Array.from({ length: depth }, (_none, level) => keyAt(level));
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      if (awaitsName) places[depth] = at;
      awaitsName = false;
      at = endOfString(text, at);
    } else if (code === openingBracket || code === openingBrace) {
      depth += 1;
      starts[depth] = at;
      lists[depth] = code === openingBracket;
      places[depth] = 0;
      awaitsName = code === openingBrace;
    } else if (code === closingBracket || code === closingBrace) {
      depth -= 1;
      awaitsName = false;
    } else if (code === comma) {
      if (lists[depth] === true) places[depth] = (places[depth] ?? 0) + 1;
      else awaitsName = true;
    } else if (code === minus || isDigit(code)) {
      const start = at;
      let hasExponent = false;
      for (let next = text.charCodeAt(at + 1); isNumberPart(next); next = text.charCodeAt(at + 1)) {
        hasExponent ||= (next | 0x20) === 0x65;
        at += 1;
      }
      if (!hasExponent && at - start < safeDigits) continue;
      const source = text.slice(start, at + 1);
      if (isExact(source)) continue;
      yield depth < 0
        ? { source, container: undefined, key: 0, way }
        : { source, container: starts[depth], key: keyAt(depth), way };
    }
  }
}

function isExact(source: string): boolean {
  const value = Number(source);
  if (!Number.isFinite(value)) return false;
  if (integer.test(source)) return source.length <= safeDigits || String(value) === source;
  return value !== 0 || !/[1-9]/.test(source.replace(/[eE].*/, ""));
}

function readName(text: string, start: number): string {
  const quoted = text.slice(start, endOfString(text, start) + 1);
  return quoted.includes("\\") ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Digits, `.`, `+`, `-`, `e` and `E`; NaN, behind the end of the text, is none of them. */
function isNumberPart(code: number): boolean {
  return isDigit(code) || code === 0x2e || code === 0x2b || code === minus || (code | 0x20) === 0x65;
}
