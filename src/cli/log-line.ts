import type { Console } from "./console.ts";

/** A line of the operator's log. The cause of a failure is printed when `GATEWAY_DEBUG` is set. */
export function logLine(message: string, cause: unknown, console: Console): void {
  console.say(message);
  if (!(cause instanceof Error) || (process.env["GATEWAY_DEBUG"] ?? "") === "") return;
  console.say(cause.stack ?? cause.message);
  if (cause.cause !== undefined) console.say(`caused by: ${String(cause.cause)}`);
}
