import { GatewayError } from "../errors.ts";
import { Secret } from "../secret.ts";
import type { Prompt } from "./prompt.ts";
import { UsageError } from "./usage-error.ts";

/** Where passwords come from. */
export interface PasswordSource {
  /** From standard input, for programs; otherwise somebody is asked. */
  readonly passwordStdin: boolean;
}

/** The password of somebody who has one already. */
export async function readPassword({ passwordStdin }: PasswordSource, prompt: Prompt): Promise<Secret> {
  if (passwordStdin) return filled(new Secret(onlyLine(await prompt.readInput())));
  refuseSilence(prompt);
  return filled(await prompt.askSecret("Password"));
}

/** A new password, asked for twice so that it is what was meant. */
export async function readNewPassword({ passwordStdin }: PasswordSource, prompt: Prompt): Promise<Secret> {
  if (passwordStdin) return filled(new Secret(onlyLine(await prompt.readInput())));
  refuseSilence(prompt);
  return askTwice(prompt);
}

/** A password and the one in place of it; from standard input they are two lines. */
export async function readPasswordChange(
  { passwordStdin }: PasswordSource,
  prompt: Prompt,
): Promise<{ readonly current: Secret; readonly next: Secret }> {
  if (passwordStdin) {
    const [current = "", next, ...more] = withoutLastEnd(await prompt.readInput()).split(/\r?\n/);
    if (next === undefined || more.length > 0)
      throw new UsageError(
        "changing your own password needs two lines on standard input: the current one, then the new one.",
      );
    return { current: filled(new Secret(current)), next: filled(new Secret(next)) };
  }
  refuseSilence(prompt);
  const current = filled(await prompt.askSecret("Current password"));
  return { current, next: await askTwice(prompt) };
}

async function askTwice(prompt: Prompt): Promise<Secret> {
  const first = filled(await prompt.askSecret("New password"));
  const second = await prompt.askSecret("The same again");
  if (first.equals(second)) return first;
  throw new GatewayError("bad_request", "The two passwords differ. Nothing was changed; try once more.");
}

function refuseSilence(prompt: Prompt): void {
  if (prompt.canAsk) return;
  throw new UsageError(
    "nobody is here to type a password. Pipe it in with `--password-stdin`, or run the command on a terminal.",
  );
}

function filled(password: Secret): Secret {
  if (password.reveal() !== "") return password;
  throw new GatewayError("bad_request", "The password is empty. Nothing was changed.");
}

/** A text file ends with a line end, which is no part of the password; a password has no other. */
function onlyLine(text: string): string {
  const line = withoutLastEnd(text);
  if (/[\r\n]/.test(line))
    throw new UsageError("standard input has several lines; it has to be one password and nothing else.");
  return line;
}

function withoutLastEnd(text: string): string {
  return text.replace(/\r?\n$/, "");
}
