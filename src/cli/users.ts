import { userToJson } from "../administration-json.ts";
import type { User, UserChanges } from "../model/administration.ts";
import { actsForOption } from "./acts-for.ts";
import { type AdministerOptions, administer, type Workplace } from "./administer.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { listed, printList, shortTime } from "./print-list.ts";
import type { Prompt } from "./prompt.ts";
import { type PasswordSource, readNewPassword, readPasswordChange } from "./read-password.ts";
import { tellOfUnknown } from "./tell-of-unknown.ts";
import { UsageError } from "./usage-error.ts";

/** What is known of a user beside the name; what was not given stays as it is, or becomes the default. */
export interface UserDetails {
  readonly displayName: string | undefined;
  readonly roles: readonly string[];
  readonly actsFor: readonly string[];
}

/** `gateway users list`. */
export function listUsers(options: AdministerOptions, console: Console): Promise<ExitCode> {
  return administer(options, console, async ({ administration }) => {
    printList(
      await administration.listUsers(),
      {
        json: options.json,
        noun: "user",
        toJson: userToJson,
        columns: [
          ["NAME", ({ name }) => name],
          ["ROLES", ({ roles }) => listed(roles)],
          ["ACTS FOR", ({ actsFor }) => listed(actsFor)],
          ["LAST USED", ({ lastUsedAt }) => shortTime(lastUsedAt)],
          ["STATE", ({ disabled }) => (disabled ? "disabled" : "active")],
          ["DISPLAY NAME", ({ displayName }) => displayName ?? ""],
        ],
      },
      console,
    );
    return exitCodes.ok;
  });
}

/** `gateway users create`: the first user of a store is an operator unless other roles are named, since somebody has to be one. */
export function createUser(
  name: string,
  options: AdministerOptions & UserDetails & PasswordSource,
  console: Console,
  prompt: Prompt,
): Promise<ExitCode> {
  return administer(options, console, async (place) => {
    const actsFor = actsForOption(options.actsFor);
    const isFirst = await place.hasNoUser();
    const password = await readNewPassword(options, prompt);
    const roles = options.roles.length > 0 ? options.roles : isFirst ? ["operator"] : undefined;
    const user = await place.administration.createUser({
      name,
      displayName: options.displayName,
      password,
      roles,
      actsFor,
    });
    const first =
      isFirst && options.roles.length === 0
        ? " It is the first user, and so an operator, who may do everything in every tenant; `--role` makes others."
        : "";
    const words = `was created in tenant \`${user.tenant}\` with the role${user.roles.length === 1 ? "" : "s"} ${listed(user.roles)}.${first}`;
    printUser(user, words, options, console);
    await tellOfUnknown(place, user, console);
    if (place.notice !== undefined) console.say(place.notice);
    return exitCodes.ok;
  });
}

/** `gateway users update`: display name, roles, tenants that the user may act for. */
export async function updateUser(
  name: string,
  options: AdministerOptions & UserDetails,
  console: Console,
): Promise<ExitCode> {
  const { displayName, roles } = options;
  const actsFor = actsForOption(options.actsFor);
  if (displayName === undefined && roles.length === 0 && actsFor === undefined)
    throw new UsageError("say what to change: `--display-name`, `--role` or `--acts-for`.");
  const changes = { displayName, roles: roles.length > 0 ? roles : undefined, actsFor };
  return change(name, changes, "was changed.", options, console);
}

/** `gateway users disable` and `enable`. */
export function setUserDisabled(
  name: string,
  disabled: boolean,
  options: AdministerOptions,
  console: Console,
): Promise<ExitCode> {
  const words = disabled
    ? "is disabled: sessions have ended, tokens are refused."
    : "may sign in again; tokens work again.";
  return change(name, { disabled }, words, options, console);
}

/** `gateway users password`: a new one; one's own takes the current one as well. */
export function changePassword(
  name: string,
  options: AdministerOptions & PasswordSource,
  console: Console,
  prompt: Prompt,
): Promise<ExitCode> {
  return administer(options, console, async (place) => {
    const changes = (await isOwn(name, place))
      ? await readPasswordChange(options, prompt).then(({ current, next }) => ({
          currentPassword: current,
          password: next,
        }))
      : { password: await readNewPassword(options, prompt) };
    const user = await place.administration.updateUser(name, changes);
    printUser(user, "has another password now; all sessions have ended.", options, console);
    return exitCodes.ok;
  });
}

async function isOwn(name: string, place: Workplace): Promise<boolean> {
  const caller = await place.caller();
  return caller.kind === "user" && caller.name === name.toLowerCase();
}

/** `gateway users remove`. */
export function removeUser(name: string, options: AdministerOptions, console: Console): Promise<ExitCode> {
  return administer(options, console, async ({ administration }) => {
    await administration.removeUser(name);
    console.say(`User \`${name}\` was removed, with all sessions and tokens.`);
    return exitCodes.ok;
  });
}

function change(
  name: string,
  changes: UserChanges,
  words: string,
  options: AdministerOptions,
  console: Console,
): Promise<ExitCode> {
  return administer(options, console, async (place) => {
    const user = await place.administration.updateUser(name, changes);
    printUser(user, words, options, console);
    const { roles, actsFor } = changes;
    await tellOfUnknown(place, { roles: roles ?? [], actsFor: actsFor ?? [] }, console);
    return exitCodes.ok;
  });
}

function printUser(user: User, words: string, { json }: AdministerOptions, console: Console): void {
  if (json) console.data(JSON.stringify(userToJson(user), undefined, 2));
  console.say(`User \`${user.name}\` ${words}`);
}
