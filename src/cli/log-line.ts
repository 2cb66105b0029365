import type { Console } from "./console.ts";
import { oneLine } from "./one-line.ts";

const deepestCause = 5;

/**
 * A line of the operator's log, and below it what caused it, unless the line says so already. Stack traces are printed only
 * when `GATEWAY_DEBUG` is set.
 */
export function logLine(message: string, cause: unknown, console: Console): void {
  console.say(message);
  let current = cause;
  for (let depth = 0; depth < deepestCause && current !== undefined; depth += 1) {
    const text = current instanceof Error ? current.message : String(current);
    if (!message.includes(text)) console.say(`  caused by: ${oneLine(String(current))}`);
    if (isDebugging() && current instanceof Error) console.say(current.stack ?? "");
    current = current instanceof Error ? current.cause : undefined;
  }
}

function isDebugging(): boolean {
  return (process.env["GATEWAY_DEBUG"] ?? "") !== "";
}
