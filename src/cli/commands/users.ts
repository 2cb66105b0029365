import type { Command } from "commander";
import { type AdministerFlags, placeOf, type Registration, repeated, withPlace } from "./registration.ts";

interface UserFlags extends AdministerFlags {
  readonly displayName?: string;
  readonly role?: readonly string[];
  readonly actsFor?: readonly string[];
  readonly passwordStdin?: boolean;
}

const passwordStdin = "--password-stdin";

/** `gateway users …`. */
export function registerUsers(program: Command, { console, add, finish }: Registration): void {
  const users = add(program, "users", "the people who sign in by name and password");
  withPlace(add(users, "list", "list the users of a tenant")).action(async (flags: AdministerFlags) => {
    const { listUsers } = await import("../users.ts");
    finish(await listUsers(placeOf(flags), console));
  });
  withDetails(add(users, "create", "create a user; the first of a store is an operator"))
    .option(passwordStdin, "take the password from standard input, in place of asking for it")
    .action(async (name: string, flags: UserFlags) => {
      const { createUser } = await import("../users.ts");
      finish(await createUser(name, detailsOf(flags), console, await prompt()));
    });
  withDetails(
    add(users, "update", "change display name, roles, or the tenants that a user may act for"),
  ).action(async (name: string, flags: UserFlags) => {
    const { updateUser } = await import("../users.ts");
    finish(await updateUser(name, detailsOf(flags), console));
  });
  withPlace(add(users, "password", "set another password, which ends all sessions of the user"))
    .argument("<name>", "name of the user")
    .option(passwordStdin, "take it from standard input (your own: the current one in the line before)")
    .action(async (name: string, flags: UserFlags) => {
      const { changePassword } = await import("../users.ts");
      finish(await changePassword(name, detailsOf(flags), console, await prompt()));
    });
  for (const [command, disabled, description] of [
    ["disable", true, "refuse a user and all tokens of theirs, until `enable`"],
    ["enable", false, "let a disabled user in again"],
  ] as const) {
    withPlace(add(users, command, description))
      .argument("<name>", "name of the user")
      .action(async (name: string, flags: AdministerFlags) => {
        const { setUserDisabled } = await import("../users.ts");
        finish(await setUserDisabled(name, disabled, placeOf(flags), console));
      });
  }
  withPlace(add(users, "remove", "remove a user, with all sessions and tokens"))
    .argument("<name>", "name of the user")
    .action(async (name: string, flags: AdministerFlags) => {
      const { removeUser } = await import("../users.ts");
      finish(await removeUser(name, placeOf(flags), console));
    });

  async function prompt() {
    const { processPrompt } = await import("../prompt.ts");
    return processPrompt(console);
  }
}

function withDetails(command: Command): Command {
  return withPlace(command)
    .argument("<name>", "what the user signs in by, unique in the gateway")
    .option("--display-name <text>", "how people call the user")
    .option("--role <role>", "a role; repeat for more (default of new users: member)", repeated)
    .option(
      "--acts-for <tenant>",
      "another tenant that the user may act for, or `any`; repeat for more",
      repeated,
    );
}

function detailsOf(flags: UserFlags) {
  const { displayName, role: roles = [], actsFor = [], passwordStdin = false } = flags;
  return { ...placeOf(flags), displayName, roles, actsFor, passwordStdin };
}
