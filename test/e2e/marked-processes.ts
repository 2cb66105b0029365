import { readdirSync, readFileSync } from "node:fs";

/**
 * Process ids of all that run with this text among their variables, children of children included: they inherit it. Linux only.
 *
 * @param mark a text that nothing else has, such as a UUID.
 */
export function markedProcesses(mark: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isMarked(pid, mark));
}

/** How many files, sockets and pipes a process has open. Linux only. */
export function openHandles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function isMarked(pid: number, mark: string): boolean {
  try {
    // A process that has ended and waits to be collected has no variables any more.
    return readFileSync(`/proc/${pid}/environ`, "latin1").includes(mark);
  } catch {
    // It has ended meanwhile, or is somebody else's.
    return false;
  }
}
