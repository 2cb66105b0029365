import { checkRecord, isObject, member, wrongMember } from "../identity/check-record.ts";
import type { JsonObject } from "../model/json.ts";
import type { Change } from "../store/store.ts";

/** A question to a browser, as it is stored in the gateway's own tenant until it was answered and the browser has come back. */
export interface InteractionRecord {
  readonly id: string;
  readonly version: number;
  readonly expiresAt: number;
  /** What the protocol library keeps: the request's parameters, where the browser goes on, and the answer. */
  readonly payload: JsonObject;
}

/** Believes a record, or throws `MalformedRecordError`. */
export function readInteraction(found: unknown, id: string): InteractionRecord {
  const record = checkRecord(found, "interaction", ["payload"], id);
  if (record.expiresAt === undefined) throw wrongMember(record, "end");
  const payload = member(record, "payload", isPayload);
  return { id, version: record.version, expiresAt: record.expiresAt, payload };
}

/** The change that stores one. */
export function putInteraction(
  { id, expiresAt, payload }: Omit<InteractionRecord, "version">,
  expected: number | "absent",
): Change {
  return { action: "put", kind: "interaction", id, value: { payload }, expiresAt, expected };
}

const isPayload = (value: unknown): value is JsonObject => isObject(value);
