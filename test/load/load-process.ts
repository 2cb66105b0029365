// A load in a process of its own: `node load-process.ts '<LoadOptions as JSON>'` prints `ready`, runs it, and prints what it came to.
import { type LoadOptions, runLoad } from "./generate-load.ts";

const options: LoadOptions = JSON.parse(process.argv[2] ?? "{}");
process.stdout.write("ready\n");
const { latencies: _left, failed, ...result } = await runLoad(options);
process.stdout.write(`${JSON.stringify({ ...result, failed: Object.fromEntries(failed) })}\n`);
