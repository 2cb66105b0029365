import type { Console } from "../../src/cli/console.ts";

/** A console that keeps what it is given. */
export interface RecordingConsole extends Console {
  /** What went to stdout, by lines. */
  readonly printed: () => readonly string[];
  /** What people were told on stderr, by lines. */
  readonly told: () => readonly string[];
}

/** Makes a console without colour, as behind a pipe. */
export function recordingConsole(): RecordingConsole {
  const printed: string[] = [];
  const told: string[] = [];
  return {
    data: (text) => void printed.push(...text.split("\n")),
    bytes: (content) => void printed.push(Buffer.from(content).toString("utf8")),
    say: (text) => void told.push(...text.split("\n")),
    colour: false,
    isTerminal: false,
    printed: () => printed,
    told: () => told,
  };
}
