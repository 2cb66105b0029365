import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A program of a load test in a process of its own. */
export interface Child {
  readonly pid: number;
  /** The first line that it printed. */
  readonly said: string;
  /** Its next line; rejects when it ends before that. */
  readonly next: () => Promise<string>;
  /** Ends it, and waits for that. */
  readonly stop: () => Promise<void>;
}

/** Starts a file with arguments; resolves with its first line. It ends with this process. */
export async function startChild(file: string, ...line: readonly string[]): Promise<Child> {
  const child = spawn(process.execPath, [file, ...line], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  const endWithRun = (): void => void child.kill("SIGKILL");
  process.once("exit", endWithRun);
  child.once("close", () => process.off("exit", endWithRun));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`${file} ended before it said anything more.`);
    return value;
  };
  const said = await next();
  return {
    pid: child.pid ?? 0,
    said,
    next,
    stop: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
