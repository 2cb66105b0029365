import { createInterface } from "node:readline";
import { text as readAll } from "node:stream/consumers";
import { GatewayError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { type Console, writeQuestion } from "./console.ts";
import { readHidden } from "./read-hidden.ts";

/** What a command asks of whoever runs it. */
export interface Prompt {
  /** Whether somebody is there to answer. */
  readonly canAsk: boolean;
  /** Asks for what must not be seen. Throws `GatewayError` `cancelled` when the person gives up. */
  askSecret(question: string): Promise<Secret>;
  /** Asks for a line that may be seen. */
  askText(question: string): Promise<string>;
  /** True for `y` and `yes` alone. */
  askYes(question: string): Promise<boolean>;
  /** All of standard input. */
  readInput(): Promise<string>;
}

/** The person or the pipe in front of this process. */
export function processPrompt(console: Console): Prompt {
  const { stdin } = process;
  const readLine = async (): Promise<string | undefined> => {
    const lines = createInterface({ input: stdin });
    try {
      for await (const line of lines) return line.trim();
    } finally {
      lines.close();
    }
    return undefined;
  };
  return {
    canAsk: stdin.isTTY === true && console.isTerminal,
    askSecret: async (question) => {
      writeQuestion(`${question}: `);
      try {
        return new Secret(await readHidden(stdin));
      } finally {
        // The line end of the answer was not shown either.
        writeQuestion("\n");
      }
    },
    askText: async (question) => {
      writeQuestion(`${question}: `);
      return (await readLine()) ?? "";
    },
    askYes: async (question) => {
      writeQuestion(`${question} [y/N] `);
      return /^y(es)?$/i.test((await readLine()) ?? "");
    },
    readInput: async () => {
      if (stdin.isTTY === true)
        throw new GatewayError("bad_request", "Standard input is a terminal; pipe into the command.");
      return await readAll(stdin);
    },
  };
}
