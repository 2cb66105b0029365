import { GatewayError } from "../errors.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { UsageError } from "./usage-error.ts";

/** Tells a person what went wrong: one message, never a stack trace unless `GATEWAY_DEBUG` asks for it. */
export function reportFailure(error: unknown, console: Console): ExitCode {
  if (error instanceof GatewayError || error instanceof UsageError) {
    console.say(`gateway: ${error.message}`);
  } else {
    console.say(
      `gateway: an internal error occurred (${error instanceof Error ? error.message : String(error)}). Set GATEWAY_DEBUG=1 to see where, and please report it.`,
    );
  }
  if ((process.env["GATEWAY_DEBUG"] ?? "") !== "" && error instanceof Error) {
    console.say(error.stack ?? "");
    if (error.cause !== undefined) console.say(`caused by: ${String(error.cause)}`);
  }
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
}
