import { resolve } from "node:path";
import { openState } from "../open-state.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { loadForStore } from "./load-for-store.ts";
import { logLine } from "./log-line.ts";

/** `gateway backup`: a consistent copy of the store in a new file, also while a gateway is serving from it. */
export async function backup(
  options: { readonly config: string | undefined; readonly file: string },
  console: Console,
): Promise<ExitCode> {
  const config = await loadForStore(options.config, console);
  if (config === undefined) return exitCodes.invalid;
  const opened = await openState(config, { log: (message, cause) => logLine(message, cause, console) });
  try {
    await opened.backup(resolve(options.file));
  } finally {
    await opened.close();
  }
  console.say(
    `The store was copied to \`${options.file}\`. Keep it like the store itself: who can read it can try passwords.`,
  );
  return exitCodes.ok;
}
