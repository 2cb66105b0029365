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
import { isPrintable, isRole, isUserName } from "./forms.ts";
import { isPasswordHash } from "./password-hash.ts";

/** A user as it is stored. */
export interface UserRecord {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly displayName: string | undefined;
  /** In PHC string format. */
  readonly passwordHash: string;
  readonly roles: readonly string[];
  readonly actsFor: ActsFor;
  readonly disabled: boolean;
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
  "generation",
  "created_at",
] as const;

const isPassword = (value: unknown): value is string => isPasswordHash(value);
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
  return {
    id,
    version,
    name,
    displayName: optionalMember(record, "display_name", isDisplayName),
    passwordHash: member(record, "password", isPassword),
    roles: member(record, "roles", listOf(isRole)),
    actsFor: member(record, "acts_for", isActsFor),
    disabled: member(record, "disabled", isBoolean),
    generation: member(record, "generation", isCount),
    createdAt: member(record, "created_at", isTime),
  };
}

/** The change that stores a user: a new one, or in place of the version that was read. */
export function putUser(user: Omit<UserRecord, "version">, expected: number | "absent"): Change {
  const value: JsonObject = {
    ...(user.displayName === undefined ? {} : { display_name: user.displayName }),
    password: user.passwordHash,
    roles: user.roles,
    acts_for: user.actsFor,
    disabled: user.disabled,
    generation: user.generation,
    created_at: user.createdAt,
  };
  return { action: "put", kind: "user", id: user.id, value, lookup: user.name, expected };
}
