import type { Readable, Writable } from "node:stream";

/** The one writer to the terminal: stdout is data, stderr is for people. */
export interface Console {
  /** Writes data to stdout, with a line end. */
  data(text: string): void;
  /** Writes data to stdout as it is; a line end follows on a terminal. */
  bytes(content: Uint8Array): void;
  /** Tells a person something on stderr, with a line end. */
  say(text: string): void;
  /** Whether to colour what goes to people: only on a terminal, and not when `NO_COLOR` is set. */
  readonly colour: boolean;
  readonly isTerminal: boolean;
}

/** The console of this process. */
export function processConsole(): Console {
  const { stdout, stderr, env } = process;
  const isTerminal = stderr.isTTY === true;
  // A reader that has seen enough (`| head`) or a log collector that restarts is no failure, least of all of a server.
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
  return {
    data: (text) => void stdout.write(`${text}\n`),
    bytes: (content) => {
      stdout.write(content);
      if (stdout.isTTY) stdout.write("\n");
    },
    say: (text) => void stderr.write(`${text}\n`),
    colour: isTerminal && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb",
    isTerminal,
  };
}

/** The pipes to the program that started this one, for messages and nothing else. */
export function standardStreams(): { readonly input: Readable; readonly output: Writable } {
  return { input: process.stdin, output: process.stdout };
}

/** Asks a person something on stderr: the cursor stays behind the question. */
export function writeQuestion(text: string): void {
  process.stderr.write(text);
}
