import { measureTasks } from "../test/attack/measure-tasks.ts";

// `npm run bench:tasks [row…]`: the longest task of the serving thread under the heaviest inputs of each row of the threat table.
const rows = process.argv.slice(2).map(Number);
const measured = await measureTasks((input) => rows.length === 0 || rows.includes(input.row));
const sorted = measured.toSorted((one, other) => other.withoutPauses - one.withoutPauses);
console.log("      CPU  without pauses of the garbage collector");
for (const { row, name, milliseconds, withoutPauses } of sorted)
  console.log(
    `${milliseconds.toFixed(1).padStart(6)} ms  ${withoutPauses.toFixed(1).padStart(6)} ms  row ${row}, ${name}`,
  );
