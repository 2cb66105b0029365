import {
  type CheckedRecord,
  checkFound,
  demand,
  isCount,
  isObject,
  isText,
  isTime,
  listOf,
  member,
  optionalMember,
  wrongMember,
} from "../identity/check-record.ts";
import { isTenantId } from "../identity/forms.ts";
import { hashOfToken, tokensOf } from "../identity/grant-record.ts";
import type { JsonObject } from "../model/json.ts";
import type { Change } from "../store/store.ts";

/** An authorization code as it is stored: everything but the code. */
export interface CodeRecord {
  readonly tenant: string;
  /** Of the record; for `Change.expected`. */
  readonly version: number;
  /** Hash of the code; the record's lookup. */
  readonly hash: string;
  readonly grant: string;
  readonly user: string;
  readonly generation: number;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly resource: string;
  readonly redirectUri: string;
  /** S256 (RFC 7636). */
  readonly challenge: string;
  readonly createdAt: number;
  /** Until then it can be exchanged; the record lasts longer, to notice replays. */
  readonly endsAt: number;
  /** Its only use. */
  readonly used: TokenUse | undefined;
}

/** A use of what counts once, with what it was answered. */
export interface TokenUse {
  /** Hash of the code or refresh token. */
  readonly hash: string;
  readonly at: number;
  /** What else the request said; the same use asks for the same. */
  readonly request: string;
  /** Sealed with the code or token. */
  readonly answer: string;
}

const members = [
  ...["grant", "user", "generation", "client", "scopes", "resource", "redirect_uri"],
  ...["challenge", "created_at", "ends_at", "used"],
] as const;

/** A record is kept for so long after a code was made: replays are noticed until then. */
const keptMilliseconds = 600_000;

/** The code of what the store has found, or throws `MalformedRecordError`. */
export function readCode(found: unknown): CodeRecord {
  const { tenant, record } = checkFound(found, "code", members);
  demand(isTenantId(tenant), record, "tenant");
  return codeOf(String(tenant), record);
}

function codeOf(tenant: string, record: CheckedRecord): CodeRecord {
  const { id, version, lookup: hash } = record;
  const grant = member(record, "grant", isText);
  if (hash === undefined || id !== codeId(grant, hash)) throw wrongMember(record, "lookup");
  return {
    ...{ tenant, version, hash, grant },
    user: member(record, "user", isText),
    generation: member(record, "generation", isCount),
    clientId: member(record, "client", isText),
    scopes: member(record, "scopes", listOf(isText)),
    resource: member(record, "resource", isText),
    redirectUri: member(record, "redirect_uri", isText),
    challenge: member(record, "challenge", isText),
    createdAt: member(record, "created_at", isTime),
    endsAt: member(record, "ends_at", isTime),
    used: optionalMember(record, "used", isTokenUse),
  };
}

/** The record's id. */
export function codeId(grant: string, hash: string): string {
  return `${tokensOf(grant)}${hash}`;
}

/** The change that stores a code. */
export function putCode(code: Omit<CodeRecord, "version">, expected: number | "absent"): Change {
  const value: JsonObject = {
    ...{ grant: code.grant, user: code.user, generation: code.generation, client: code.clientId },
    ...{ scopes: code.scopes, resource: code.resource, redirect_uri: code.redirectUri },
    ...{ challenge: code.challenge, created_at: code.createdAt, ends_at: code.endsAt },
    ...(code.used === undefined ? {} : { used: writeTokenUse(code.used) }),
  };
  return {
    ...{ action: "put", kind: "code", id: codeId(code.grant, code.hash), value, lookup: code.hash },
    ...{ expiresAt: code.createdAt + keptMilliseconds, expected },
  };
}

/** True for a use as {@link writeTokenUse} writes it. */
export function isTokenUse(value: unknown): value is TokenUse {
  if (!isObject(value)) return false;
  const { hash, at, request, answer } = value;
  return isText(hash) && isTime(at) && isText(request) && typeof answer === "string";
}

/** A use as a part of a record. */
export function writeTokenUse({ hash, at, request, answer }: TokenUse): JsonObject {
  return { hash, at, request, answer };
}

/** Hash of what a request says besides the code or token. */
export function hashOfRequest(...parts: readonly (string | undefined)[]): string {
  return hashOfToken(JSON.stringify(parts.map((part) => part ?? null)));
}
