import { sessionToJson } from "../administration-json.ts";
import { type AdministerOptions, administer } from "./administer.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { printList, shortTime } from "./print-list.ts";

/** `gateway sessions list`. */
export function listSessions(options: AdministerOptions, console: Console): Promise<ExitCode> {
  return administer(options, console, async ({ administration }) => {
    printList(
      await administration.listSessions(),
      {
        json: options.json,
        noun: "session",
        toJson: sessionToJson,
        columns: [
          ["ID", ({ id, current }) => (current ? `${id} (this one)` : id)],
          ["USER", ({ user }) => user],
          ["SIGNED IN", ({ createdAt }) => shortTime(createdAt)],
          ["ENDS", ({ expiresAt }) => shortTime(expiresAt)],
          ["LAST USED", ({ lastUsedAt }) => shortTime(lastUsedAt)],
          ["CLIENT", ({ client }) => client ?? ""],
        ],
      },
      console,
    );
    return exitCodes.ok;
  });
}

/** `gateway sessions revoke`. */
export function revokeSession(id: string, options: AdministerOptions, console: Console): Promise<ExitCode> {
  return administer(options, console, async ({ administration }) => {
    await administration.revokeSession(id);
    console.say(`Session \`${id}\` has ended.`);
    return exitCodes.ok;
  });
}
