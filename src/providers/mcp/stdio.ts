import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { GatewayError } from "../../errors.ts";
import { type Message, writeMessage } from "../../mcp/messages.ts";
import { createLineSplitter, type Line } from "../../mcp/split-lines.ts";
import { missingPermission } from "../../missing-permission.ts";
import type { McpSurface } from "../../model/config.ts";
import { revealed } from "../../secret.ts";
import { findAnsweredId } from "./find-answered-id.ts";
import { limitLines } from "./limit-lines.ts";
import { takeMessages } from "./parse-message.ts";
import type { Receiver, Transport } from "./transport.ts";

/** What a local server needs to run at all; everything else, and with it every secret, comes from the configuration. */
const inheritedVariables =
  process.platform === "win32"
    ? ["PATH", "PATHEXT", "COMSPEC", "SYSTEMROOT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP"]
    : ["PATH", "HOME", "LANG", "TMPDIR"];
/** Time for a server to end by itself once its input has ended, and again once it was asked to (SIGTERM). */
const defaultGraceMilliseconds = 1_000;
const maxLogLineBytes = 16 * 1024;
/** Most bytes that may wait for a server that does not read its input. */
const maxWaitingBytes = 10 * 1024 * 1024;

type Command = Extract<McpSurface["transport"], { readonly kind: "command" }>;

/** What a local server is started with. */
export interface StdioOptions {
  /** The variables of the gateway's own process. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A line that the server wrote to its standard error, or something that it wrote to its output by mistake. */
  readonly log: (line: string) => void;
  /** In ms; default 1,000. */
  readonly grace?: number;
  /** Most bytes of one message. */
  readonly messageBytes: number;
  /** Where the operator's file sets that, for messages; absent: nowhere. */
  readonly setAt?: string;
}

/** A local server as a child process: JSON messages on its standard input and output, one per line. */
export class Stdio implements Transport {
  readonly kind = "stdio";
  readonly messageBytes: number;
  readonly setAt: string | undefined;
  readonly #command: Command;
  readonly #inherited: StdioOptions["environment"];
  readonly #log: (line: string) => void;
  readonly #grace: number;
  #child: ChildProcessByStdio<Writable, Readable, Readable> | undefined;
  #ended: Promise<void> = Promise.resolve();
  #closing = false;

  constructor(command: Command, options: StdioOptions) {
    this.#command = command;
    this.messageBytes = options.messageBytes;
    this.setAt = options.setAt;
    this.#inherited = options.environment;
    this.#log = limitLines(options.log, () => performance.now());
    this.#grace = options.grace ?? defaultGraceMilliseconds;
  }

  async open(receiver: Receiver): Promise<void> {
    const [program] = this.#command.command;
    const child = this.#spawn();
    this.#child = child;
    if (child.pid !== undefined) this.#endWithGateway(child);
    this.#read(child, receiver);
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (cause) => reject(notStarted(program, cause)));
    });
    this.#ended = new Promise((resolve) => {
      let outcome = "";
      child.once("exit", (code, signal) => {
        outcome = signal ?? `exit code ${code}`;
        // Nobody is left to end what the server itself has started.
        this.#signal("SIGKILL");
        // What it wrote last is still read, unless somebody who left the group keeps the pipes open.
        const overdue = setTimeout(() => {
          child.stdout.destroy();
          child.stderr.destroy();
        }, this.#grace);
        child.once("close", () => clearTimeout(overdue));
      });
      child.once("close", () => {
        resolve();
        if (!this.#closing) receiver.closed(endedByItself(program, outcome));
      });
    });
  }

  agree(): void {
    // Pipes carry no version.
  }

  async send(message: Message): Promise<"sent"> {
    const child = this.#child;
    if (child !== undefined && child.stdin.writableLength > maxWaitingBytes) {
      throw stoppedReading(this.#command.command[0]);
    }
    await new Promise<void>((resolve, reject) => {
      child?.stdin.write(`${writeMessage(message)}\n`, (cause) => {
        if (cause) reject(stoppedReading(this.#command.command[0], cause));
        else resolve();
      });
    });
    return "sent";
  }

  async listen(): Promise<void> {
    // The output brings everything.
  }

  async close(): Promise<void> {
    this.#closing = true;
    const child = this.#child;
    if (child?.pid === undefined) return;
    child.stdin.end();
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (await endsWithin(this.#ended, this.#grace)) return;
      this.#signal(signal);
    }
    await this.#ended;
  }

  #spawn(): ChildProcessByStdio<Writable, Readable, Readable> {
    const [program, ...args] = this.#command.command;
    try {
      return spawn(program, args, {
        cwd: this.#command.workingDirectory,
        env: this.#environment(),
        stdio: ["pipe", "pipe", "pipe"],
        shell: false,
        windowsHide: true,
        // A process group of its own: whatever the server starts ends with it.
        detached: process.platform !== "win32",
      });
    } catch (cause) {
      // A NUL in the command, an argument or a variable.
      throw notStarted(program, cause);
    }
  }

  #environment(): Record<string, string> {
    const environment: Record<string, string> = {};
    for (const name of inheritedVariables) {
      const value = this.#inherited[name];
      if (value !== undefined) environment[name] = value;
    }
    for (const [name, value] of Object.entries(this.#command.environment)) {
      environment[name] = revealed(value);
    }
    return environment;
  }

  #read(child: ChildProcessByStdio<Writable, Readable, Readable>, receiver: Receiver): void {
    const output = createLineSplitter(this.messageBytes);
    const errors = createLineSplitter(maxLogLineBytes);
    child.stdout.on("data", (chunk: Buffer) => {
      for (const line of output.push(chunk)) this.#take(line, receiver);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      for (const line of errors.push(chunk)) {
        this.#log(line.kind === "line" ? line.bytes.toString("utf8") : "(a very long line was dropped)");
      }
    });
    // A server that has gone shows itself by its exit; its broken pipes say nothing more.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on("error", () => {});
  }

  #take(line: Line, receiver: Receiver): void {
    if (line.kind === "too-long") {
      this.#log("(a message of more than 10 MiB was dropped)");
      const id = findAnsweredId(line.edges);
      if (id !== undefined) receiver.oversized(id);
      return;
    }
    const text = line.bytes.toString("utf8");
    if (takeMessages(text, receiver) === "no-message" && text.trim() !== "")
      this.#log(`(not a message) ${text.slice(0, 200)}`);
  }

  /** Also where the gateway's process is ended at once, nothing that it started is left. */
  #endWithGateway(child: ChildProcessByStdio<Writable, Readable, Readable>): void {
    const kill = (): void => this.#signal("SIGKILL");
    // One listener for each child is no leak.
    process.setMaxListeners(process.getMaxListeners() + 1);
    process.once("exit", kill);
    child.once("close", () => {
      process.off("exit", kill);
      process.setMaxListeners(process.getMaxListeners() - 1);
    });
  }

  /** To the whole process group; where there is none any more, to nobody. */
  #signal(signal: "SIGTERM" | "SIGKILL"): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      if (process.platform === "win32") this.#child?.kill(signal);
      else process.kill(-pid, signal);
    } catch {
      // It has ended already.
    }
  }
}

async function endsWithin(ended: Promise<void>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, milliseconds, false);
  });
  const inTime = await Promise.race([ended.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

function notStarted(program: string, cause: unknown): GatewayError {
  const permission = missingPermission(cause);
  if (permission !== undefined) {
    const forbidden = `Node may not start the command \`${program}\`. Start the gateway with ${permission}.`;
    return new GatewayError("provider_unavailable", forbidden, { cause });
  }
  const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
  return new GatewayError(
    "provider_unavailable",
    missing
      ? `The command \`${program}\` was not found, or its working directory does not exist. Install it, or give its path.`
      : `The command \`${program}\` could not be started. Is it executable?`,
    { cause },
  );
}

function endedByItself(program: string, outcome: string): GatewayError {
  return new GatewayError("upstream_failed", `The command \`${program}\` ended (${outcome}).`, {
    retryable: true,
  });
}

function stoppedReading(program: string, cause?: Error): GatewayError {
  return new GatewayError("upstream_failed", `The command \`${program}\` no longer reads its input.`, {
    cause,
    retryable: true,
  });
}
