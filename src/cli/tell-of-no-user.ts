import type { GatewayConfig } from "../model/config.ts";
import type { OpenState } from "../open-state.ts";
import { hasNoUser } from "./administer.ts";
import type { Console } from "./console.ts";
import { logLine } from "./log-line.ts";

/** With nobody who could sign in, all that clients get is a refusal: says how the first user is made. */
export async function tellOfNoUser(
  callers: OpenState,
  { auth }: GatewayConfig,
  option: string | undefined,
  console: Console,
): Promise<void> {
  if (auth.provider === "none") return;
  try {
    if (!(await hasNoUser(callers))) return;
  } catch (error) {
    // Who serves may try again; requests are refused for as long as the store is away.
    logLine("Whether there are users could not be found out.", error, console);
    return;
  }
  const file = option === undefined ? "" : ` -c ${option}`;
  console.say(
    `Nobody can sign in yet. \`gateway users create NAME${file}\` makes the first user, an operator.`,
  );
}
