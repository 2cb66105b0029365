import { randomBytes } from "node:crypto";
import type { JsonObject } from "../model/json.ts";
import type { Change } from "../store/store.ts";
import { checkRecord, isText, isTime, listOf, member, wrongMember } from "./check-record.ts";
import { isPrintable } from "./forms.ts";

/** A client that registered itself, as it is stored in the gateway's own tenant. */
export interface RegistrationRecord {
  /** The client id: of {@link newRegistrationId}. */
  readonly id: string;
  readonly version: number;
  /** What it calls itself, as far as that can be shown. */
  readonly clientName: string;
  /** They were checked when it registered. Never empty. */
  readonly redirectUris: readonly string[];
  readonly authenticationMethod: "none" | "client_secret_basic" | "client_secret_post";
  /** Of the client's secret; `undefined` with the method `none` only. */
  readonly secretHash: string | undefined;
  readonly createdAt: number;
  /** When a token was last issued to it, to the day; `undefined`: none yet. */
  readonly usedAt: number | undefined;
  readonly expiresAt: number;
}

const members = [
  ...["client_name", "redirect_uris", "authentication_method", "secret", "created_at", "used_at"],
] as const;

const timeLength = 9;
const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/**
 * A new client id. Ids sort by the time they were made at, in milliseconds, so that the registrations of the last day stand together at the
 * end; they are random nevertheless.
 */
export function newRegistrationId(createdAt: number): string {
  return `${registrationsFrom(createdAt)}_${[...randomBytes(24)].map((byte) => alphabet[byte & 31]).join("")}`;
}

/** What sorts before the ids that are made from this time on, and behind all earlier ones. */
export function registrationsFrom(time: number): string {
  return `reg_${Math.max(0, Math.floor(time)).toString(36).padStart(timeLength, "0")}`;
}

/** True for what {@link newRegistrationId} gives. */
export function isRegistrationId(text: string): boolean {
  return /^reg_[0-9a-z]{9}_[a-z2-7]{24}$/.test(text);
}

/** Believes a registration's record, or throws `MalformedRecordError`. */
export function readRegistration(found: unknown, id?: string): RegistrationRecord {
  const record = checkRecord(found, "registration", members, id);
  if (!isRegistrationId(record.id)) throw wrongMember(record, "id");
  if (record.expiresAt === undefined) throw wrongMember(record, "end");
  const authenticationMethod = member(record, "authentication_method", isMethod);
  const secretHash = member(record, "secret", isHashOrNone);
  const redirectUris = member(record, "redirect_uris", listOf(isText));
  if ((authenticationMethod === "none") !== (secretHash === "none")) throw wrongMember(record, "secret");
  if (redirectUris.length === 0) throw wrongMember(record, "redirect_uris");
  const usedAt = member(record, "used_at", isTimeOrNever);
  return {
    ...{ id: record.id, version: record.version, expiresAt: record.expiresAt },
    ...{ redirectUris, authenticationMethod },
    clientName: member(record, "client_name", isClientName),
    secretHash: secretHash === "none" ? undefined : secretHash,
    createdAt: member(record, "created_at", isTime),
    usedAt: usedAt === "never" ? undefined : usedAt,
  };
}

/** The change that stores a registration. */
export function putRegistration(
  registration: Omit<RegistrationRecord, "version">,
  expected: number | "absent",
): Change {
  const { id, clientName, redirectUris, authenticationMethod, secretHash, createdAt, usedAt, expiresAt } =
    registration;
  const value: JsonObject = {
    ...{ client_name: clientName, redirect_uris: redirectUris, authentication_method: authenticationMethod },
    ...{ secret: secretHash ?? "none", created_at: createdAt, used_at: usedAt ?? "never" },
  };
  return { action: "put", kind: "registration", id, value, expiresAt, expected };
}

const isClientName = (value: unknown): value is string => isPrintable(value, 200);
const isMethod = (value: unknown): value is RegistrationRecord["authenticationMethod"] =>
  value === "none" || value === "client_secret_basic" || value === "client_secret_post";
const isHashOrNone = (value: unknown): value is string =>
  typeof value === "string" && /^(?:none|sha256\$[A-Za-z0-9_-]{43})$/.test(value);
const isTimeOrNever = (value: unknown): value is number | "never" => value === "never" || isTime(value);
