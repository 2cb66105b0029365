import { type Change, type RecordKind, StoreError } from "../store.ts";
import { isUniqueViolation } from "./describe-failure.ts";
import type { Transaction } from "./group-commit.ts";
import { toKey } from "./text-key.ts";

/** A change in the form in which it is stored, made at the time of asking: what the caller does to its values later is of no effect. */
export type PreparedChange =
  | {
      readonly action: "put";
      readonly kind: RecordKind;
      readonly id: string;
      readonly value: string;
      readonly lookup: string | null;
      readonly expiresAt: number | null;
      readonly expected: number | "absent" | "any";
    }
  | {
      readonly action: "delete";
      readonly kind: RecordKind;
      readonly id: string;
      readonly expected: number | "any";
    };

/** Throws {@link StoreError} for what can't be stored. */
export function prepareChange(change: Change): PreparedChange {
  const id = toKey(change.id);
  if (change.action === "delete") {
    return { ...change, id };
  }
  const { action, kind, lookup, expiresAt, expected } = change;
  // Not a number would become NULL in SQLite, which means: never.
  if (expiresAt !== undefined && !Number.isSafeInteger(expiresAt)) {
    throw new StoreError(
      "unavailable",
      `A record can't expire at ${expiresAt}: that is no whole number of ms.`,
    );
  }
  return {
    action,
    kind,
    id,
    value: JSON.stringify(change.value),
    lookup: lookup === undefined ? null : toKey(lookup),
    expiresAt: expiresAt ?? null,
    expected,
  };
}

/** Changes one record of a tenant. Throws {@link StoreError} `conflict` when it is not as expected, or its lookup is taken. */
export function applyChange(transaction: Transaction, tenant: string, change: PreparedChange): void {
  const changed =
    change.action === "put" ? put(transaction, tenant, change) : remove(transaction, tenant, change);
  if (!changed) {
    throw new StoreError("conflict", `The ${change.kind} is not as expected: it was changed meanwhile.`);
  }
}

function put(
  { statements, counters, now }: Transaction,
  tenant: string,
  { kind, id, value, lookup, expiresAt, expected }: PreparedChange & { readonly action: "put" },
): boolean {
  if (lookup !== null) {
    statements("freeLookup").run(kind, lookup, now);
  }
  const row = [tenant, kind, id, counters.next(kind), value, lookup, expiresAt];
  try {
    switch (expected) {
      case "any":
        return statements("put").run(...row).changes === 1;
      case "absent":
        return statements("putAbsent").run(...row, now).changes === 1;
      default:
        return statements("putExpected").run(...row, now, expected).changes === 1;
    }
  } catch (error) {
    throw isUniqueViolation(error)
      ? new StoreError("conflict", `Another ${kind} has the same lookup.`, error)
      : error;
  }
}

function remove(
  { statements, counters, now }: Transaction,
  tenant: string,
  { kind, id, expected }: PreparedChange & { readonly action: "delete" },
): boolean {
  counters.next(kind);
  if (expected === "any") {
    statements("delete").run(tenant, kind, id);
    return true;
  }
  return statements("deleteExpected").run(tenant, kind, id, now, expected).changes === 1;
}
