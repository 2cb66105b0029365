import fc from "fast-check";
import { test } from "vitest";

const isFull = process.env["ATTACK_FULL"] === "1";
/** Milliseconds of one target where time is short; altogether they take about a minute and a half. */
const usualMilliseconds = 4_000;
const fullRuns = 100_000;

/** Something that the two kinds of properties of fast-check have in common. */
type Property<Values> = fc.IProperty<Values> | fc.IAsyncProperty<Values>;

/**
 * A test that gives a target as many made-up inputs as its time allows, and prints how many they were; with `ATTACK_FULL=1` 100,000.
 * `FUZZ_SEED` repeats a run; a failure prints the seed and the smallest input that fails.
 */
export function fuzz<Values>(target: string, makeProperty: () => Property<Values>): void {
  test(target, { timeout: isFull ? 1_800_000 : 60_000 }, async () => {
    const given = process.env["FUZZ_SEED"];
    const seed = given === undefined ? Math.trunc(Math.random() * 0x7fffffff) : Number(given);
    const limits = isFull
      ? { numRuns: fullRuns }
      : {
          numRuns: fullRuns,
          interruptAfterTimeLimit: usualMilliseconds,
          markInterruptAsFailure: false,
        };
    const outcome = await fc.check(makeProperty(), { ...limits, seed });
    if (outcome.failed) throw new Error(fc.defaultReportMessage(outcome));
    process.stdout.write(`Fuzzed ${target}: ${outcome.numRuns} inputs (seed ${seed}).\n`);
  });
}

/** Pieces of a grammar, put together in any order. */
export function soup(...pieces: readonly string[]): fc.Arbitrary<string> {
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...pieces) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 4 }) },
  );
  return fc.array(piece, { maxLength: 24 }).map((parts) => parts.join(""));
}
