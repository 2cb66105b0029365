// `npm run bench:faults`: what one provider of 20 in a bad state does to calls of the other 19, as ratios to the same load while it is well.
//
// For each state, rounds in which the one is well and in that state alternate; the medians of all rounds are printed. The gateway has one
// core, what loads it the other; what misbehaves has the lowest priority there, as it would be another machine. The arguments are the kind
// of the one (rest, graphql, mcp-json, mcp-sse; default mcp-sse), the number of rounds (3), and a pattern that names of states match (all).
import { setPriority } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { printTable } from "../scripts/report-tools.ts";
import { faults } from "../test/attack/faults/all-faults.ts";
import {
  type BadKind,
  type IsolationStage,
  startIsolationStage,
} from "../test/attack/faults/isolation-stage.ts";
import type { Kind } from "../test/attack/faults/wire.ts";
import { mcpCall } from "../test/load/calls.ts";
import { type LoadResult, runLoad } from "../test/load/generate-load.ts";
import { canPin, median, pin } from "../test/load/measure.ts";

const kinds: Readonly<Record<BadKind, Kind>> = {
  rest: "REST",
  graphql: "GraphQL",
  "mcp-json": "MCP JSON",
  "mcp-sse": "MCP SSE",
};
const [, , chosen = "mcp-sse", rounds = "3", pattern = ""] = process.argv;
const kind = (Object.keys(kinds) as BadKind[]).find((one) => one === chosen) ?? "mcp-sse";
const milliseconds = 2_000;
const requestsPerSecond = 190;

interface Row {
  readonly name: string;
  readonly failed: number;
  readonly calls: number;
  readonly p50: number;
  readonly p99: number;
}

const states = faults.filter(
  ({ name, act, expected }) =>
    act !== undefined && expected[kinds[kind]].kind !== "absent" && new RegExp(pattern).test(name),
);
await using stage = await startIsolationStage(kind);
if (canPin()) {
  pin(stage.gateway.pid, 0);
  pin(stage.badPid, 1);
  pin(process.pid, 1);
}
setPriority(stage.badPid, 19);
// Until everything is listed and warm.
await pause(2_000);
for (let count = 0; count < 3; count++) await load(stage);

const rows: Row[] = [];
for (const { name } of states) {
  const p50: number[] = [];
  const p99: number[] = [];
  const reasons = new Set<string>();
  let failed = 0;
  let calls = 0;
  for (let round = 0; round < Number(rounds); round++) {
    await stage.plague(undefined);
    const well = await load(stage);
    await stage.plague(name);
    const beside = await load(stage);
    p50.push(beside.p50 / well.p50);
    p99.push(beside.p99 / well.p99);
    for (const [reason, count] of beside.failed) {
      failed += count;
      reasons.add(reason);
    }
    calls += beside.ok;
  }
  const row = { name, failed, calls, p50: median(p50), p99: median(p99) };
  rows.push(row);
  const why = failed === 0 ? "" : ` (${[...reasons].join(", ")})`;
  console.log(`${name}: median ${row.p50.toFixed(2)}, p99 ${row.p99.toFixed(2)}, ${failed} failed${why}`);
}
printTable<Row>(
  [
    ["an upstream that", ({ name }) => name],
    ["median", ({ p50 }) => p50.toFixed(2)],
    ["p99", ({ p99 }) => p99.toFixed(2)],
    ["failed", ({ failed }) => String(failed)],
    ["calls", ({ calls }) => String(calls)],
  ],
  rows.toSorted((one, other) => other.p99 - one.p99).slice(0, 25),
);
console.log(
  `${rows.length} states of one ${kinds[kind]} provider: median of the others at most ${Math.max(...rows.map(({ p50 }) => p50)).toFixed(2)} times, p99 at most ${Math.max(...rows.map(({ p99 }) => p99)).toFixed(2)} times that beside a healthy one; half of the states at most ${median(rows.map(({ p50 }) => p50)).toFixed(2)} and ${median(rows.map(({ p99 }) => p99)).toFixed(2)}.`,
);

/** Calls the 19 in turn, and the one as often as each of them; what becomes of its calls is its own business. */
async function load({ gateway, wellTools, badTool }: IsolationStage): Promise<LoadResult> {
  const { url, headers } = gateway;
  const well = wellTools.map((name) => mcpCall(name, {}, headers));
  const first = mcpCall(wellTools[0] ?? "", {}, headers);
  const [result] = await Promise.all([
    runLoad({
      ...{ url, milliseconds, requestsPerSecond },
      request: (index) => well[index % well.length] ?? first,
    }),
    runLoad({
      ...{ url, milliseconds, requestsPerSecond: requestsPerSecond / 19, timeoutMilliseconds: 20_000 },
      request: mcpCall(badTool, {}, headers),
      judge: () => undefined,
    }),
  ]);
  return result;
}
