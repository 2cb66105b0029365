import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** The value below which that part of sorted values lies; NaN where there are none. */
export function percentile(ascending: readonly number[], part: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * part))] ?? Number.NaN;
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((one, other) => one - other),
    0.5,
  );
}

const ticksPerSecond = Number(spawnSync("getconf", ["CLK_TCK"], { encoding: "utf8" }).stdout) || 100;

/** User and system time of all threads of a process so far (Linux: /proc). */
export function cpuMilliseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1_000;
}

/** Resident memory of a process in bytes (Linux: /proc). */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes ?? 0) * 1_024;
}

/** Whether processes can be bound to cores here: there are two, and a program that does it. */
export function canPin(): boolean {
  return availableParallelism() >= 2 && spawnSync("taskset", ["-p", String(process.pid)]).status === 0;
}

/** Binds all threads of a process to one core, so that what loads does not take time of what is loaded. */
export function pin(pid: number, core: number): void {
  spawnSync("taskset", ["-a", "-cp", String(core), String(pid)]);
}
