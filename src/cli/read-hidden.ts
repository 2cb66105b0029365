import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { GatewayError } from "../errors.ts";

/** A terminal that can be read key by key, with nothing shown. */
export interface TerminalInput extends Readable {
  setRawMode(on: boolean): unknown;
}

/** Nobody types more; a terminal that something else writes to would never come to an end. */
const longestAnswer = 4_096;

/** What arrow keys and the like send (ECMA-48 control sequences, and the keypad's); no part of an answer. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what keys send
const keySequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|O.)/g;

/**
 * Reads one line from a terminal that shows nothing of it. Backspace takes a character back, Control-U all of them. Throws
 * `cancelled` on Control-C and when the input ends.
 */
export function readHidden(terminal: TerminalInput): Promise<string> {
  return new Promise((resolve, reject) => {
    const decoder = new StringDecoder("utf8");
    let answer: string[] = [];
    const finish = (): void => {
      terminal.off("data", hear);
      terminal.off("end", giveUp);
      terminal.off("error", giveUp);
      terminal.setRawMode(false);
      terminal.pause();
    };
    const giveUp = (): void => {
      finish();
      reject(new GatewayError("cancelled", "Nothing was changed: the question was not answered."));
    };
    const hear = (chunk: Buffer | string): void => {
      const text = (typeof chunk === "string" ? chunk : decoder.write(chunk)).replaceAll(keySequences, "");
      const keys = [...text];
      for (const [index, key] of keys.entries()) {
        if (key === "\r" || key === "\n" || key === "\u0004") {
          finish();
          // What was typed ahead answers the next question.
          const rest = keys.slice(index + 1).join("");
          if (rest !== "") terminal.unshift(rest);
          resolve(answer.join(""));
          return;
        }
        if (key === "\u0003" || answer.length > longestAnswer) {
          giveUp();
          return;
        }
        if (key === "\u007f" || key === "\b") answer.pop();
        else if (key === "\u0015") answer = [];
        else if (key >= " ") answer.push(key);
      }
    };
    terminal.setRawMode(true);
    terminal.on("data", hear);
    terminal.on("end", giveUp);
    terminal.on("error", giveUp);
    terminal.resume();
  });
}
