import type { Change } from "../store/store.ts";
import { checkRecord, demand, member } from "./check-record.ts";
import { isId } from "./credential-form.ts";
import { isTenantId } from "./forms.ts";

/** Which user somebody is who signs in at an identity provider, as it is stored among the gateway's own records. */
export interface AccountRecord {
  /** See `accountId`. */
  readonly id: string;
  readonly version: number;
  readonly tenant: string;
  /** Id of the user there. */
  readonly user: string;
}

const isUserId = (value: unknown): value is string => isId("usr", value);

/** Believes the record of an account, or throws `MalformedRecordError`. */
export function readAccount(found: unknown, id: string): AccountRecord {
  const record = checkRecord(found, "account", ["tenant", "user"], id);
  demand(record.expiresAt === undefined, record, "end");
  return {
    ...{ id, version: record.version },
    tenant: member(record, "tenant", isTenantId),
    user: member(record, "user", isUserId),
  };
}

/** The change that stores which user an account is. */
export function putAccount(
  { id, tenant, user }: Omit<AccountRecord, "version">,
  expected: number | "absent",
): Change {
  return { action: "put", kind: "account", id, value: { tenant, user }, expected };
}
