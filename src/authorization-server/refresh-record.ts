import { randomBytes } from "node:crypto";
import {
  type CheckedRecord,
  checkFound,
  demand,
  isCount,
  isText,
  isTime,
  listOf,
  member,
  wrongMember,
} from "../identity/check-record.ts";
import { isTenantId } from "../identity/forms.ts";
import { hashOfToken, tokensOf } from "../identity/grant-record.ts";
import type { JsonObject } from "../model/json.ts";
import type { Change } from "../store/store.ts";
import { isTokenUse, type TokenUse, writeTokenUse } from "./code-record.ts";

/**
 * The refresh tokens of a grant, as they are stored. All of them begin with the same random text, by which the record is found: only one
 * of them counts, and any other was used before. So what is kept does not grow as tokens are refreshed.
 */
export interface RefreshRecord {
  readonly tenant: string;
  /** Of the record; for `Change.expected`. */
  readonly version: number;
  /** Hash of what the tokens begin with; the record's lookup. */
  readonly family: string;
  /** Hash of the token that counts. */
  readonly current: string;
  readonly grant: string;
  readonly user: string;
  readonly generation: number;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly resource: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** The last uses, oldest first; from the last one comes the current token. Earlier ones are kept as long as they are answered again. */
  readonly uses: readonly TokenUse[];
}

const members = [
  ...["current", "grant", "user", "generation", "client", "scopes", "resource", "created_at", "uses"],
] as const;

const prefix = "gst_ort_";
/** 128 random bits that all tokens of a grant share. */
const familyCharacters = 22;
/** 126 random bits of each. */
const ownCharacters = 21;
const form = /^gst_ort_[A-Za-z0-9_-]{43}$/;

/** A new token: of the family of another one, or the first of its own. */
export function newRefreshToken(predecessor?: string): string {
  const family =
    predecessor?.slice(prefix.length, prefix.length + familyCharacters) ?? randomText(familyCharacters);
  return `${prefix}${family}${randomText(ownCharacters)}`;
}

/** Hash of what the tokens of a family begin with; `undefined`: the text has not the form of a refresh token. */
export function familyOf(token: string): string | undefined {
  return form.test(token) ? hashOfToken(token.slice(0, prefix.length + familyCharacters)) : undefined;
}

/** The tokens of what the store has found, or throws `MalformedRecordError`. */
export function readRefresh(found: unknown): RefreshRecord {
  const { tenant, record } = checkFound(found, "refresh", members);
  demand(isTenantId(tenant), record, "tenant");
  return refreshOf(String(tenant), record);
}

function refreshOf(tenant: string, record: CheckedRecord): RefreshRecord {
  const { id, version, lookup: family, expiresAt } = record;
  const grant = member(record, "grant", isText);
  demand(id === refreshId(grant), record, "id");
  if (family === undefined) throw wrongMember(record, "lookup");
  if (expiresAt === undefined) throw wrongMember(record, "end");
  return {
    ...{ tenant, version, family, grant, expiresAt },
    current: member(record, "current", isText),
    user: member(record, "user", isText),
    generation: member(record, "generation", isCount),
    clientId: member(record, "client", isText),
    scopes: member(record, "scopes", listOf(isText)),
    resource: member(record, "resource", isText),
    createdAt: member(record, "created_at", isTime),
    uses: member(record, "uses", listOf(isTokenUse)),
  };
}

/** The change that stores them. */
export function putRefresh(tokens: Omit<RefreshRecord, "version">, expected: number | "absent"): Change {
  const { current, grant, user, generation, clientId, scopes, resource, createdAt, uses } = tokens;
  const value: JsonObject = {
    ...{ current, grant, user, generation, client: clientId, scopes, resource, created_at: createdAt },
    uses: uses.map(writeTokenUse),
  };
  return {
    ...{ action: "put", kind: "refresh", id: refreshId(grant), value },
    ...{ lookup: tokens.family, expiresAt: tokens.expiresAt, expected },
  };
}

function refreshId(grant: string): string {
  return `${tokensOf(grant)}refresh`;
}

function randomText(characters: number): string {
  return randomBytes(characters).toString("base64url").slice(0, characters);
}
