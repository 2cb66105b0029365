import { callerToJson } from "../administration-json.ts";
import { GatewayError } from "../errors.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { oneLine } from "./one-line.ts";
import { shortTime } from "./print-list.ts";
import type { Prompt } from "./prompt.ts";
import { type PasswordSource, readPassword } from "./read-password.ts";
import { connectTo } from "./remote/http.ts";
import { parseServerUrl } from "./remote/server-url.ts";
import { signIn, signOut } from "./remote/sign-in.ts";
import { readSessions, sessionsFile, writeSessions } from "./saved-sessions.ts";
import { UsageError } from "./usage-error.ts";

/** Options of `gateway login` and `gateway logout`. */
export interface LoginOptions {
  /** `undefined`: `GATEWAY_SERVER`. */
  readonly server: string | undefined;
  readonly insecure: boolean;
  readonly json: boolean;
}

/** `gateway login`: signs in at a gateway that runs elsewhere, and keeps the session for later commands. */
export async function login(
  name: string | undefined,
  options: LoginOptions & PasswordSource,
  console: Console,
  prompt: Prompt,
): Promise<ExitCode> {
  const file = sessionsFile(process.env);
  const server = options.server ?? process.env["GATEWAY_SERVER"] ?? "";
  if (server === "") throw new UsageError("sign in where? Name the gateway with `--server URL`.");
  const url = parseServerUrl(server, options.insecure);
  const sessions = new Map(await readSessions(file));
  const user = name ?? sessions.get(url.origin)?.name;
  if (user === undefined) throw new UsageError("sign in as whom? Name the user behind `login`.");
  const password = await readPassword(options, prompt);
  const ask = connectTo({ url, credential: undefined, tenant: undefined, howToSignIn: "" });
  const { caller, session, endsAt } = await signIn(ask, user, password);
  sessions.set(url.origin, { server: url.href, session, name: caller.name, endsAt });
  await writeSessions(file, sessions);
  if (options.json) console.data(JSON.stringify(callerToJson(caller), undefined, 2));
  const until =
    endsAt === undefined ? "" : ` until ${shortTime(new Date(endsAt).toISOString())} at the latest`;
  const { name: who, tenant } = caller;
  console.say(`Signed in at ${url.origin} as ${oneLine(who)}, tenant \`${oneLine(tenant)}\`${until}.`);
  if ((process.env["GATEWAY_TOKEN"] ?? "") !== "")
    console.say("The variable GATEWAY_TOKEN is set: commands use that token in place of the session.");
  return exitCodes.ok;
}

/** `gateway logout`: ends the session at its gateway, and forgets it here whether that could be told or not. */
export async function logout(options: LoginOptions, console: Console): Promise<ExitCode> {
  const file = sessionsFile(process.env);
  const sessions = new Map(await readSessions(file));
  const server =
    options.server ??
    (process.env["GATEWAY_SERVER"] || onlyOne([...sessions.values()].map((session) => session.server)));
  if (server === undefined) {
    console.say("You are signed in nowhere.");
    return exitCodes.ok;
  }
  const url = parseServerUrl(server, options.insecure);
  const saved = sessions.get(url.origin);
  if (saved === undefined) {
    console.say(`You are not signed in at ${url.origin}.`);
    return exitCodes.ok;
  }
  sessions.delete(url.origin);
  await writeSessions(file, sessions);
  const credential = { kind: "session", secret: saved.session } as const;
  try {
    await signOut(connectTo({ url, credential, tenant: undefined, howToSignIn: "" }));
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    // It had ended there before.
    if (error.code !== "unauthenticated") {
      console.say(`gateway: ${error.message}`);
      console.say("The session is forgotten here, but the gateway keeps it until it ends by itself.");
      return exitCodes.failed;
    }
  }
  console.say(`Signed out of ${url.origin}.`);
  return exitCodes.ok;
}

function onlyOne(servers: readonly string[]): string | undefined {
  if (servers.length > 1)
    throw new UsageError(
      `sign out where? You are signed in at ${servers.join(", ")}; name one with \`--server\`.`,
    );
  return servers[0];
}
