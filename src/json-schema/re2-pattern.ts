import { RE2JS } from "re2js";
import { estimatePattern } from "./pattern-cost.ts";

/** What became of a regular expression in re2's own syntax. */
export type Re2Outcome =
  | { readonly ok: true; readonly test: (text: string) => boolean }
  | {
      readonly ok: false;
      /** Why it is not used, as the end of a sentence. */
      readonly refusal: string;
    };

/** A program of so many instructions takes some milliseconds for 100,000 characters. */
const mostInstructions = 1_000;

/**
 * Compiles a regular expression as re2 reads it, as the policy language has it (those of schemas are ECMAScript's, see
 * `pattern.ts`). Its time is linear in the text whatever the pattern; it fits when any part of the text does.
 */
export function compileRe2(source: string): Re2Outcome {
  if (estimatePattern(source).instructions > mostInstructions)
    return { ok: false, refusal: "it is too costly" };
  try {
    const compiled = RE2JS.compile(source);
    if (compiled.programSize() > mostInstructions) return { ok: false, refusal: "it is too costly" };
    return { ok: true, test: (text) => compiled.test(text) };
  } catch (error) {
    return { ok: false, refusal: error instanceof Error ? error.message : String(error) };
  }
}
