import { endOfString } from "./end-of-string.ts";

/** Shorter texts are read in less than 50 ms of CPU, whatever is in them. */
const leastMeasured = 256 * 1024;
/** Steps of about 40 ns: what is allowed is parsed, walked and written again in less than 100 ms of CPU together. */
const mostSteps = 1_000_000;
/** What parts of a text cost, in steps; measured in V8, which has a hash to make for each new name, and objects for long numbers. */
const steps = { value: 0.5, container: 1, newName: 10, longNumber: 10 } as const;
/** Numbers of so many characters may be beyond what a double holds, and are kept apart. */
const longNumber = 16;

const quote = 0x22;
const comma = 0x2c;
const openingBracket = 0x5b;
const closingBracket = 0x5d;
const openingBrace = 0x7b;
const closingBrace = 0x7d;
const colon = 0x3a;

/** Why a JSON text is not parsed. */
export type JsonExcess = "deep" | "costly";

/**
 * Looks at a JSON text before anything parses it, in one pass that ends as soon as it is sure. `deep`: it nests deeper than
 * `deepest`, and whatever walks JSON recurses. `costly`: it costs far more to read than its bytes suggest; some ten megabytes can be a
 * million members, each of a name of its own, for which `JSON.parse` alone holds the thread a third of a second. What is no JSON
 * gets an answer too.
 */
export function findJsonExcess(text: string, deepest: number): JsonExcess | undefined {
  // Nobody outside can choose names that have the same hash.
  const seed = Math.trunc(Math.random() * 0x7fffffff) | 1;
  const names = new Set<number>();
  const measured = text.length >= leastMeasured;
  let left: number = mostSteps;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      const end = endOfString(text, at);
      if (measured && isName(text, end + 1)) {
        const before = names.size;
        names.add(hashOf(text, at + 1, end, seed));
        if (names.size > before) left -= steps.newName;
      }
      at = end;
    } else if (code === openingBracket || code === openingBrace) {
      left -= steps.container;
      depth += 1;
      if (depth > deepest) return "deep";
    } else if (code === closingBracket || code === closingBrace) depth -= 1;
    else if (code === comma) left -= steps.value;
    else if (measured && isDigit(code)) {
      const start = at;
      while (isDigit(text.charCodeAt(at + 1))) at += 1;
      if (at - start >= longNumber - 1) left -= steps.longNumber;
    }
    if (left < 0) return "costly";
  }
  return undefined;
}

function isName(text: string, after: number): boolean {
  let at = after;
  while (text.charCodeAt(at) <= 0x20) at += 1;
  return text.charCodeAt(at) === colon;
}

function hashOf(text: string, start: number, end: number, seed: number): number {
  let hash = seed;
  for (let at = start; at < end; at += 1) hash = (Math.imul(hash, seed) + text.charCodeAt(at)) | 0;
  return hash ^ (end - start);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
