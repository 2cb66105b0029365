import { compileSchema } from "../src/json-schema/compile-schema.ts";
import { inspectSchema } from "../src/json-schema/inspect-schema.ts";
import { hostileCases } from "../test/json-schema/hostile-cases.ts";

// Prints the CPU time that hostile schemas hold the thread for: the first check, the second one, and the inspection.

/** Milliseconds of CPU, of all threads, so that other processes do not count. */
function cpuOf(task: () => unknown): number {
  const before = process.cpuUsage();
  task();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1_000;
}

let longest = 0;
console.log("  first  second inspect  end      case");
for (const { name, schema, value } of hostileCases()) {
  const checker = compileSchema(schema);
  let end = "";
  const first = cpuOf(() => {
    const [mistake] = checker.check(value);
    end = mistake === undefined ? "fits" : mistake.keyword === "limit" ? "limit" : "refused";
  });
  const second = cpuOf(() => checker.check(value));
  const inspection = cpuOf(() => inspectSchema(schema));
  longest = Math.max(longest, first, second, inspection);
  const columns = [first, second, inspection].map((milliseconds) => milliseconds.toFixed(1).padStart(7));
  console.log(`${columns.join(" ")}  ${end.padEnd(8)} ${name}`);
}
console.log(`\nlongest task: ${longest.toFixed(1)} ms of CPU`);
