import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const projectRoot = fileURLToPath(new URL("../..", import.meta.url));
// The built one, as people have it; `GATEWAY_FROM=source` while nothing is built.
const program = process.env["GATEWAY_FROM"] === "source" ? "src/bin.ts" : "dist/bin.js";
/** The file that `node` runs for the command `gateway`. */
export const command = fileURLToPath(new URL(`../../${program}`, import.meta.url));

/** The gateway's command line as a program and its arguments, for whoever starts it by itself. */
export function gatewayCommand(commandLine: readonly string[]): {
  readonly command: string;
  readonly args: string[];
} {
  return { command: process.execPath, args: [command, ...commandLine] };
}

/** A gateway in a process of its own, as `gateway serve` starts it. */
export interface RunningGateway {
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything that it told people so far. */
  readonly told: () => string;
  /** Resolves once what it tells matches; rejects with all it told when it ends before that. */
  readonly tells: (pattern: RegExp) => Promise<string>;
  /** Ends it with SIGTERM and resolves to its exit code. */
  readonly stop: () => Promise<number | null>;
}

/** Starts `gateway serve` on a free port and resolves when every provider was tried. */
export async function startGateway(options: {
  readonly config: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  /** Options of Node itself. */
  readonly nodeFlags?: readonly string[];
  readonly cwd?: string;
}): Promise<RunningGateway> {
  const commandLine = [command, "serve", "-c", options.config, ...(options.flags ?? [])];
  const child = spawn(process.execPath, [...(options.nodeFlags ?? []), ...commandLine], {
    cwd: options.cwd ?? projectRoot,
    env: { ...process.env, PORT: "0", ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // A test that times out stops nothing; what it started must not outlive the run.
  const endWithRun = (): void => void child.kill("SIGKILL");
  process.once("exit", endWithRun);
  child.once("exit", () => process.off("exit", endWithRun));
  let text = "";
  const waiting = new Set<() => void>();
  const hear = (line: string): void => {
    text += `${line}\n`;
    for (const check of waiting) check();
  };
  createInterface({ input: child.stderr }).on("line", hear);
  createInterface({ input: child.stdout }).on("line", hear);
  const tells = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error(`The gateway ended before it said ${pattern}:\n${text}`));
      const check = (): void => {
        const match = pattern.exec(text);
        if (match === null) return;
        waiting.delete(check);
        child.off("close", ended);
        resolve(match[1] ?? match[0]);
      };
      waiting.add(check);
      child.once("close", ended);
      check();
    });
  const url = await tells(/listens on (http:\S+)/);
  await tells(/tools? on http/);
  await untilTried(url);
  return {
    url,
    process: child,
    told: () => text,
    tells,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, "close");
        child.kill("SIGTERM");
        await exit;
      }
      return child.exitCode;
    },
  };
}

/** Waits until every provider was tried; the summary is printed before that when one takes long. */
async function untilTried(url: string): Promise<void> {
  for (;;) {
    const state: unknown = await (await fetch(`${url}/readyz`)).json();
    if (!JSON.stringify(state).includes('"starting"')) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What a command printed. */
export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built `gateway` command to its end. */
export async function runGateway(
  commandLine: readonly string[],
  options: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly input?: string;
  } = {},
): Promise<CommandResult> {
  return runProcess(process.execPath, [command, ...commandLine], options);
}

/** Runs any program to its end. */
export async function runProcess(
  program: string,
  commandLine: readonly string[],
  options: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly input?: string;
  } = {},
): Promise<CommandResult> {
  const child = spawn(program, commandLine, {
    cwd: options.cwd ?? projectRoot,
    env: { ...process.env, ...options.environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.end(options.input ?? "");
  await once(child, "close");
  return { status: child.exitCode, stdout, stderr };
}
