import type { JsonObject } from "../model/json.ts";
import type { Change } from "../store/store.ts";
import {
  type CheckedRecord,
  checkRecord,
  demand,
  isCount,
  isTime,
  member,
  optionalMember,
  wrongMember,
} from "./check-record.ts";
import { isId, sessionsOf } from "./credential-form.ts";
import { isPrintable } from "./forms.ts";

/** A browser's session as it is stored: everything but the secret of the cookie. */
export interface SessionRecord {
  readonly id: string;
  readonly hash: string;
  /** Id of the user. */
  readonly user: string;
  /** The user's at sign-in. */
  readonly generation: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly client: string | undefined;
}

/** What a session's value may hold. */
export const sessionMembers = ["user", "generation", "created_at", "client"] as const;

const isUserId = (value: unknown): value is string => isId("usr", value);
const isClient = (value: unknown): value is string => isPrintable(value, 200);

/** Believes a session's record, which has to be the one that was asked for by id, or throws `MalformedRecordError`. */
export function readSession(found: unknown, id?: string): SessionRecord {
  return sessionOf(checkRecord(found, "session", sessionMembers, id));
}

/** The same for a record whose outside was checked. */
export function sessionOf(record: CheckedRecord): SessionRecord {
  const { id, lookup: hash, expiresAt } = record;
  const user = member(record, "user", isUserId);
  demand(id.startsWith(sessionsOf(user)), record, "id");
  if (hash === undefined) throw wrongMember(record, "lookup");
  if (expiresAt === undefined) throw wrongMember(record, "end");
  return {
    ...{ id, hash, user, expiresAt },
    generation: member(record, "generation", isCount),
    createdAt: member(record, "created_at", isTime),
    client: optionalMember(record, "client", isClient),
  };
}

/** The change that stores a new session. */
export function putSession(session: SessionRecord): Change {
  const value: JsonObject = {
    user: session.user,
    generation: session.generation,
    created_at: session.createdAt,
    ...(session.client === undefined ? {} : { client: session.client }),
  };
  const { id, hash: lookup, expiresAt } = session;
  return { action: "put", kind: "session", id, value, lookup, expiresAt, expected: "absent" };
}
