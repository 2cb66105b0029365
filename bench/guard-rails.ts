// `npm run bench:guard`: what slow clients, too much load and a noisy tenant do to everybody else, as ratios to the same load without them.
//
// The gateway, its upstream and what loads it are processes of their own; where the machine has two cores, the gateway and its upstream
// have one and what loads them the other. Each figure is the median of rounds in which the healthy run and the other one alternate. The first argument is the number
// of rounds (3), the second the seconds of overload (60).
import { besideNoisyTenant, besideSlowSockets, overload, ratioOf } from "../test/load/guard-scenarios.ts";
import { type GuardStage, type GuardStageOptions, startGuardStage } from "../test/load/guard-stage.ts";
import { canPin, cpuMilliseconds, median, pin, residentBytes } from "../test/load/measure.ts";

const rounds = Number(process.argv[2] ?? 3);
const seconds = Number(process.argv[3] ?? 60);
const pins = canPin();

async function stageOf(options: GuardStageOptions = {}): Promise<GuardStage> {
  const stage = await startGuardStage(options);
  if (pins) {
    pin(stage.pids.gateway, 0);
    pin(stage.pids.upstream, 0);
    pin(process.pid, 1);
  }
  return stage;
}

const show = (value: number, digits = 2): string => value.toFixed(digits);

async function slowSockets(): Promise<void> {
  await using stage = await stageOf();
  const ratios: number[] = [];
  let heads = 0;
  let bodies = 0;
  for (let round = 0; round < rounds; round += 1) {
    const load = { sockets: 2_000, milliseconds: 12_000, requestsPerSecond: 200 };
    const { lasted, ...compared } = await besideSlowSockets(stage, load);
    ratios.push(ratioOf(compared));
    heads = Math.max(heads, lasted.heads);
    bodies = Math.max(bodies, lasted.bodies);
  }
  console.log(
    `2,000 slow sockets: p99 of good traffic ${show(median(ratios))} times that without them (${ratios.map((ratio) => show(ratio)).join(", ")}); ` +
      `heads were cut off after ${show(heads / 1_000, 1)} s, bodies after ${show(bodies / 1_000, 1)} s at the latest.`,
  );
}

async function noisyTenant(): Promise<void> {
  const quiet = ["ash", "birch", "cedar", "elm"];
  await using stage = await stageOf({ tenants: [...quiet, "noisy"] });
  const ratios: number[] = [];
  let refusedQuiet = 0;
  let calls = 0;
  for (let round = 0; round < rounds; round += 1) {
    const load = { quiet, noisy: "noisy", times: 50, milliseconds: 10_000, requestsPerSecond: 20 };
    const compared = await besideNoisyTenant(stage, load);
    ratios.push(ratioOf(compared));
    for (const count of compared.beside.failed.values()) refusedQuiet += count;
    calls += compared.beside.ok;
  }
  console.log(
    `A tenant at 50 times the rate of each of four others: their p99 ${show(median(ratios))} times that without it ` +
      `(${ratios.map((ratio) => show(ratio)).join(", ")}); of their ${calls} calls ${refusedQuiet} failed.`,
  );
}

async function overloaded(): Promise<void> {
  await using stage = await stageOf();
  const before = cpuMilliseconds(stage.pids.gateway);
  const began = performance.now();
  const { peak, during, goodput, recovery } = await overload(stage, {
    ...{ times: 5, milliseconds: seconds * 1_000, connections: 1_000 },
  });
  const share = (cpuMilliseconds(stage.pids.gateway) - before) / (performance.now() - began);
  const failed = [...during.failed].map(([reason, count]) => `${count} ${reason}`).join(", ");
  console.log(
    `5 times the peak of ${show(peak, 0)} calls a second for ${seconds} s: goodput ${show(goodput * 100, 0)} % of the peak, ` +
      `last failure ${show(recovery / 1_000, 1)} s after its end (failed: ${failed}; the gateway had ${show(share * 100, 0)} % of its core, ` +
      `${show(residentBytes(stage.pids.gateway) / 1024 / 1024, 0)} MB resident).`,
  );
}

await slowSockets();
await noisyTenant();
await overloaded();
