import type { ActsFor } from "../model/administration.ts";
import type { JsonObject } from "../model/json.ts";
import type { Change } from "../store/store.ts";
import { isActsFor } from "./acts-for.ts";
import {
  type CheckedRecord,
  checkRecord,
  demand,
  isCount,
  isTime,
  listOf,
  member,
  optionalMember,
  wrongMember,
} from "./check-record.ts";
import { isId } from "./credential-form.ts";
import { isPrintable, isRole, isScope } from "./forms.ts";

/** An API token as it is stored: everything but the secret. */
export interface TokenRecord {
  readonly id: string;
  readonly version: number;
  readonly hash: string;
  readonly name: string;
  /** Id of the user that it acts as; `undefined`: a service token. */
  readonly user: string | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly roles: readonly string[];
  readonly actsFor: ActsFor;
  readonly createdAt: number;
  readonly rotatedAt: number | undefined;
  /** Milliseconds from its making or rotation. */
  readonly lifetime: number | "never";
  /** Milliseconds since 1970; follows from the lifetime. */
  readonly expiresAt: number | undefined;
  readonly hint: string;
}

/** What a token's value may hold. */
export const tokenMembers = [
  "name",
  "kind",
  "user",
  "scopes",
  "roles",
  "acts_for",
  "created_at",
  "rotated_at",
  "lifetime",
  "hint",
] as const;

const isName = (value: unknown): value is string => isPrintable(value, 100);
const isHint = (value: unknown): value is string =>
  typeof value === "string" && /^gst_api_[\w-]{4}$/.test(value);
const isUserId = (value: unknown): value is string => isId("usr", value);
const isKind = (value: unknown): value is "user" | "service" => value === "user" || value === "service";
const isScopeList = listOf(isScope);
// Nothing that could be lost or damaged stands for "not narrowed", "of no user" or "without end": each is a word of its own.
const isScopes = (value: unknown): value is "all" | readonly string[] =>
  value === "all" || isScopeList(value);
const isLifetime = (value: unknown): value is number | "never" => value === "never" || isCount(value);

/** Believes a token's record, which has to be the one that was asked for by id, or throws `MalformedRecordError`. */
export function readToken(found: unknown, id?: string): TokenRecord {
  return tokenOf(checkRecord(found, "token", tokenMembers, id));
}

/** The same for a record whose outside was checked. */
export function tokenOf(record: CheckedRecord): TokenRecord {
  const { id, version, lookup: hash, expiresAt } = record;
  demand(isId("tok", id), record, "id");
  if (hash === undefined) throw wrongMember(record, "lookup");
  const kind = member(record, "kind", isKind);
  const user = optionalMember(record, "user", isUserId);
  demand((kind === "user") === (user !== undefined), record, "user");
  const roles = member(record, "roles", listOf(isRole));
  const actsFor = member(record, "acts_for", isActsFor);
  demand(kind === "service" || (roles.length === 0 && actsFor.length === 0), record, "roles");
  const createdAt = member(record, "created_at", isTime);
  const rotatedAt = optionalMember(record, "rotated_at", isTime);
  const lifetime = member(record, "lifetime", isLifetime);
  demand(expiresAt === endOf(rotatedAt ?? createdAt, lifetime), record, "end");
  const scopes = member(record, "scopes", isScopes);
  return {
    ...{ id, version, hash, user, roles, actsFor, createdAt, rotatedAt, lifetime, expiresAt },
    name: member(record, "name", isName),
    scopes: scopes === "all" ? undefined : scopes,
    hint: member(record, "hint", isHint),
  };
}

/** When a token ends that was made or rotated at a time. */
export function endOf(from: number, lifetime: number | "never"): number | undefined {
  return lifetime === "never" ? undefined : from + lifetime;
}

/** The change that stores a token: a new one, or in place of the version that was read. */
export function putToken(token: Omit<TokenRecord, "version">, expected: number | "absent"): Change {
  const value: JsonObject = {
    name: token.name,
    ...(token.user === undefined ? { kind: "service" } : { kind: "user", user: token.user }),
    scopes: token.scopes ?? "all",
    roles: token.roles,
    acts_for: token.actsFor,
    created_at: token.createdAt,
    ...(token.rotatedAt === undefined ? {} : { rotated_at: token.rotatedAt }),
    lifetime: token.lifetime,
    hint: token.hint,
  };
  const { id, hash: lookup, expiresAt } = token;
  return { action: "put", kind: "token", id, value, lookup, expiresAt, expected };
}
