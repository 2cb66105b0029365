import type { JsonObject } from "../model/json.ts";
import type { Tenant, TenantExposure } from "../model/tenant.ts";
import type { Change } from "../store/store.ts";
import { checkRecord, demand, isObject, listOf, member } from "./check-record.ts";
import { isPrintable, isTenantId } from "./forms.ts";

/** A tenant of the store, as it is stored there. */
export interface TenantRecord extends Tenant {
  readonly version: number;
}

const members = ["display_name", "exposure"] as const;
const isText = (value: unknown): value is string => isPrintable(value, 200);
const isTexts = listOf(isText);

/** Believes a tenant's record, or throws `MalformedRecordError`. */
export function readTenant(found: unknown, asked?: string): TenantRecord {
  const record = checkRecord(found, "tenant", members, asked);
  const { id, version, lookup, expiresAt } = record;
  demand(isTenantId(id), record, "id");
  demand(lookup === undefined && expiresAt === undefined, record, "lookup");
  const displayName = member(record, "display_name", isText);
  return { id, version, displayName, exposure: member(record, "exposure", isExposure), origin: "store" };
}

/** The change that stores a tenant: a new one, or in place of the version that was read. */
export function putTenant(tenant: Omit<TenantRecord, "version">, expected: number | "absent"): Change {
  const { id, displayName, exposure } = tenant;
  const value: JsonObject = {
    display_name: displayName,
    exposure:
      exposure.kind === "all"
        ? { kind: "all" }
        : { kind: "selected", providers: exposure.providers, tools: exposure.tools },
  };
  return { action: "put", kind: "tenant", id, value, expected };
}

/** True for what a tenant may get of the catalog, each name of 1 to 200 visible characters, and for nothing else. */
export function isExposure(value: unknown): value is TenantExposure {
  if (!isObject(value)) return false;
  const { kind, providers, tools, ...others } = value;
  if (Object.keys(others).length > 0) return false;
  return kind === "all"
    ? !("providers" in value) && !("tools" in value)
    : kind === "selected" && isTexts(providers) && isTexts(tools);
}
