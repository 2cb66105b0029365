// `npm run bench:soak -- --minutes 10`: the heap of a busy gateway after forced collections, at five points.
import { parseArgs } from "node:util";
import { growthOf, runSoak } from "../test/load/run-soak.ts";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });
const minutes = Number(values.minutes);
const soak = await runSoak(minutes * 60_000);
const { heaps, answered, failures } = soak;
const inMegabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(2)} MB`;
for (const [point, heap] of heaps.entries()) console.log(`point ${point + 1}: ${inMegabytes(heap)}`);
console.log(`growth: ${inMegabytes(growthOf(soak))}`);
console.log(`${answered} calls answered in ${minutes} minutes, ${failures.length} failed`);
if (failures.length > 0) console.log([...new Set(failures)].slice(0, 10).join("\n"));
