import type { ActsFor } from "../model/administration.ts";
import type { JsonObject } from "../model/json.ts";
import type { Change } from "../store/store.ts";
import { isActsFor } from "./acts-for.ts";
import {
  type CheckedRecord,
  checkRecord,
  demand,
  isBoolean,
  isCount,
  isTime,
  listOf,
  member,
  optionalMember,
  wrongMember,
} from "./check-record.ts";
import { isId } from "./credential-form.ts";
import { isPrintable, isRole, isTenantId, isUserName } from "./forms.ts";
import { isPasswordHash } from "./password-hash.ts";

/** A user as it is stored. */
export interface UserRecord {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly displayName: string | undefined;
  /** In PHC string format; `undefined`: an identity provider vouches for the user, and no password is right. */
  readonly passwordHash: string | undefined;
  readonly roles: readonly string[];
  readonly actsFor: ActsFor;
  readonly disabled: boolean;
  /**
   * The tenant that the user's person belongs to by now, where that is why the user is disabled; signing in for this one again ends it.
   */
  readonly movedTo: string | undefined;
  /** Grows with all that ends the user's sessions: a session of an earlier one is over, whether its record is still there or not. */
  readonly generation: number;
  readonly createdAt: number;
}

/** What a user's value may hold. */
export const userMembers = [
  "display_name",
  "password",
  "roles",
  "acts_for",
  "disabled",
  "moved_to",
  "generation",
  "created_at",
] as const;

// A word of its own: a password that was lost is not the same as none.
const noPassword = "none";
const isPassword = (value: unknown): value is string => value === noPassword || isPasswordHash(value);
const isDisplayName = (value: unknown): value is string => isPrintable(value, 200);

/** Believes a user's record, which has to be the one that was asked for by id, or throws `MalformedRecordError`. */
export function readUser(found: unknown, id?: string): UserRecord {
  return userOf(checkRecord(found, "user", userMembers, id));
}

/** The same for a record whose outside was checked. */
export function userOf(record: CheckedRecord): UserRecord {
  const { id, version, lookup: name } = record;
  demand(isId("usr", id), record, "id");
  demand(record.expiresAt === undefined, record, "end");
  if (!isUserName(name)) throw wrongMember(record, "name");
  const password = member(record, "password", isPassword);
  const disabled = member(record, "disabled", isBoolean);
  const movedTo = optionalMember(record, "moved_to", isTenantId);
  demand(disabled || movedTo === undefined, record, "moved_to");
  return {
    id,
    version,
    name,
    displayName: optionalMember(record, "display_name", isDisplayName),
    passwordHash: password === noPassword ? undefined : password,
    roles: member(record, "roles", listOf(isRole)),
    actsFor: member(record, "acts_for", isActsFor),
    ...{ disabled, movedTo },
    generation: member(record, "generation", isCount),
    createdAt: member(record, "created_at", isTime),
  };
}

/** The change that stores a user: a new one, or in place of the version that was read. */
export function putUser(user: Omit<UserRecord, "version">, expected: number | "absent"): Change {
  const value: JsonObject = {
    ...(user.displayName === undefined ? {} : { display_name: user.displayName }),
    password: user.passwordHash ?? noPassword,
    roles: user.roles,
    acts_for: user.actsFor,
    disabled: user.disabled,
    ...(user.movedTo === undefined ? {} : { moved_to: user.movedTo }),
    generation: user.generation,
    created_at: user.createdAt,
  };
  return { action: "put", kind: "user", id: user.id, value, lookup: user.name, expected };
}
