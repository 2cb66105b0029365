import { hash, randomBytes } from "node:crypto";
import type { JsonObject } from "../model/json.ts";
import type { Change } from "../store/store.ts";
import {
  type CheckedRecord,
  checkRecord,
  demand,
  isCount,
  isObject,
  isText,
  isTime,
  listOf,
  member,
  wrongMember,
} from "./check-record.ts";
import { isId } from "./credential-form.ts";
import { isPrintable } from "./forms.ts";

/** What a person allows an MCP client, as it is stored in the tenant of the person. */
export interface GrantRecord {
  /** Begins with what {@link grantsOf} gives for the user; also the record's lookup. */
  readonly id: string;
  readonly version: number;
  /** Id of the user. */
  readonly user: string;
  /** The user's when the grant was made: whatever ends the sessions of before ends it too. */
  readonly generation: number;
  readonly clientId: string;
  /** What may be shown of how the client calls itself. */
  readonly clientName: string;
  readonly clientKind: "static" | "metadata" | "registered";
  readonly scopes: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number;
  /** What the authorization server itself keeps. */
  readonly payload: JsonObject;
}

/** An access token as it is stored, beside its grant: everything but the token. */
export interface AccessRecord {
  /** Begins with what {@link tokensOf} gives for the grant. */
  readonly id: string;
  /** Hash of the token, see {@link hashOfToken}; the record's lookup. */
  readonly hash: string;
  readonly grant: string;
  readonly user: string;
  readonly generation: number;
  readonly scopes: readonly string[];
  /** The resource that it was issued for (RFC 8707), to the letter. */
  readonly audience: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly payload: JsonObject;
}

/** What a grant's value may hold; for `checkFound`. */
export const grantMembers = [
  ...["user", "generation", "client", "client_name", "client_kind"],
  ...["scopes", "created_at", "payload"],
] as const;
const accessMembers = [
  ...["grant", "user", "generation", "scopes", "audience", "created_at", "payload"],
] as const;

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/** A new grant's id. */
export function newGrantId(user: string): string {
  return `${grantsOf(user)}${[...randomBytes(16)].map((byte) => alphabet[byte & 31]).join("")}`;
}

/** What the ids of a user's grants begin with, and no other user's. */
export function grantsOf(user: string): string {
  return `gra_${user.slice("usr_".length)}_`;
}

/** What the ids of a grant's tokens and codes begin with. */
export function tokensOf(grant: string): string {
  return `${grant}/`;
}

/** SHA-256 of a token or code, as 43 characters of base64url: all that the store knows of it. */
export function hashOfToken(token: string): string {
  return hash("sha256", token, "base64url");
}

/** Believes a grant's record, or throws `MalformedRecordError`. */
export function readGrant(found: unknown, id?: string): GrantRecord {
  return grantOf(checkRecord(found, "grant", grantMembers, id));
}

/** The same for a record whose outside was checked. */
export function grantOf(record: CheckedRecord): GrantRecord {
  const { id, version, lookup, expiresAt } = record;
  const user = member(record, "user", isUserId);
  demand(id.startsWith(grantsOf(user)) && lookup === id, record, "id");
  if (expiresAt === undefined) throw wrongMember(record, "end");
  return {
    ...{ id, version, user, expiresAt },
    generation: member(record, "generation", isCount),
    clientId: member(record, "client", isClientId),
    clientName: member(record, "client_name", isClientName),
    clientKind: member(record, "client_kind", isClientKind),
    scopes: member(record, "scopes", listOf(isScopeName)),
    createdAt: member(record, "created_at", isTime),
    payload: member(record, "payload", isPayload),
  };
}

/** The change that stores a grant. */
export function putGrant(grant: Omit<GrantRecord, "version">, expected: number | "absent" | "any"): Change {
  const { id, user, generation, clientId, clientName, clientKind, scopes, createdAt, expiresAt, payload } =
    grant;
  const value: JsonObject = {
    ...{ user, generation, client: clientId, client_name: clientName, client_kind: clientKind },
    ...{ scopes, created_at: createdAt, payload },
  };
  return { action: "put", kind: "grant", id, value, lookup: id, expiresAt, expected };
}

/** What an access token's value may hold; for `checkFound`. */
export const accessTokenMembers: readonly string[] = accessMembers;

/** An access token from a record whose outside was checked. Throws `MalformedRecordError`. */
export function accessOf(record: CheckedRecord): AccessRecord {
  const { id, lookup: tokenHash, expiresAt } = record;
  const user = member(record, "user", isUserId);
  const grant = member(record, "grant", isText);
  demand(id.startsWith(tokensOf(grant)) && grant.startsWith(grantsOf(user)), record, "id");
  if (tokenHash === undefined) throw wrongMember(record, "lookup");
  if (expiresAt === undefined) throw wrongMember(record, "end");
  return {
    ...{ id, hash: tokenHash, grant, user, expiresAt },
    generation: member(record, "generation", isCount),
    scopes: member(record, "scopes", listOf(isScopeName)),
    audience: member(record, "audience", isText),
    createdAt: member(record, "created_at", isTime),
    payload: member(record, "payload", isPayload),
  };
}

/** The change that stores a new access token. Its id is made of grant and hash. */
export function putAccess(token: Omit<AccessRecord, "id">): Change {
  const { hash: lookup, grant, user, generation, scopes, audience, createdAt, expiresAt, payload } = token;
  const value: JsonObject = {
    ...{ grant, user, generation, scopes, audience, created_at: createdAt, payload },
  };
  const id = `${tokensOf(grant)}${lookup}`;
  return { action: "put", kind: "access", id, value, lookup, expiresAt, expected: "any" };
}

const isUserId = (value: unknown): value is string => isId("usr", value);
const isClientId = (value: unknown): value is string => isPrintable(value, 4_096);
const isClientName = (value: unknown): value is string => isPrintable(value, 200);
const isClientKind = (value: unknown): value is GrantRecord["clientKind"] =>
  value === "static" || value === "metadata" || value === "registered";
const isScopeName = (value: unknown): value is string =>
  typeof value === "string" && /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(value);
const isPayload = (value: unknown): value is JsonObject => isObject(value);
