import { describe, expect, test } from "vitest";
import { heavyInputs } from "./heavy-inputs.ts";
import { type MeasuredTask, measureTasks } from "./measure-tasks.ts";

/** Milliseconds of CPU that the serving thread may spend in one piece, whatever comes. */
const longest = 100;
const tries = 3;

describe.each([...new Set(heavyInputs.map(({ row }) => row))])("row %i", (row) => {
  test.each(heavyInputs.filter((input) => input.row === row))(
    "$name: no task of the serving thread takes more than 100 ms",
    { timeout: 300_000 },
    async (input) => {
      let worst: MeasuredTask | undefined;
      // A first attempt is slower where others use the machine too; what is always slow is slow each time.
      for (let count = 0; count < tries; count += 1) {
        const measured = await measureTasks((other) => other === input);
        const slowest = measured.toSorted((one, other) => other.withoutPauses - one.withoutPauses)[0];
        if (worst === undefined || (slowest?.withoutPauses ?? 0) < worst.withoutPauses) worst = slowest;
        if ((worst?.withoutPauses ?? 0) <= longest) break;
      }
      const { name, milliseconds, withoutPauses } = worst ?? { name: "", milliseconds: 0, withoutPauses: 0 };
      process.stdout.write(
        `Longest task of row ${row}: ${withoutPauses.toFixed(0)} ms of CPU, ${milliseconds.toFixed(0)} ms with collecting garbage (${name}).\n`,
      );
      expect(withoutPauses, name).toBeLessThanOrEqual(longest);
    },
  );
});

test("there are at least 150 schemas, answers, bodies, lists and documents", async () => {
  let count = 0;
  for (const { prepare } of heavyInputs) {
    const { requests = [], upstreams } = await prepare();
    count += 1 + requests.length;
    for (const upstream of upstreams) await upstream[Symbol.asyncDispose]();
  }
  expect(count).toBeGreaterThanOrEqual(150);
});
