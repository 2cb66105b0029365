import type { Rotation, RotationProgress, SealedPlace } from "../model/keys.ts";
import { type Store, type StoredRecord, StoreError, type TenantStore } from "../store/store.ts";
import { markInUse } from "./key-marker.ts";
import { rewrapped } from "./seal-fields.ts";
import { eachPage, sealedKinds } from "./sealed-records.ts";
import { type Vault, VaultError } from "./vault.ts";

/** So many of those that failed are named. */
const mostNamed = 100;
/** So often a record that others change meanwhile is read again. */
const attempts = 20;
/** Records that are written while the first rounds go on are found by the last one. */
const rounds = 3;

/**
 * Seals every record with the first key of the ring that is sealed with another one: while others use them, as often as one likes, and
 * after it was ended anywhere. Throws {@link VaultError} `no_key`, and {@link StoreError}.
 */
export async function rotateKeys(options: {
  readonly store: Store;
  readonly vault: Vault;
  /** Called after each batch. */
  readonly progress?: (progress: RotationProgress) => void;
}): Promise<Rotation> {
  const { store, vault, progress } = options;
  const active = vault.keys()[0]?.fingerprint;
  if (active === undefined)
    throw new VaultError("no_key", vault.problem() ?? "No encryption key is configured.");
  // Whoever asks for this means the first key, also where it was in use before the others.
  await markInUse(store, vault, true);
  let seen = 0;
  let total = 0;
  let failed = 0;
  let failures: readonly SealedPlace[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    let changed = 0;
    seen = 0;
    failed = 0;
    failures = [];
    for (const kind of sealedKinds) {
      for await (const { tenant, records } of eachPage(store, kind)) {
        const outcomes = await Promise.all(records.map((record) => rewrap(vault, tenant, record)));
        seen += records.length;
        changed += outcomes.filter((outcome) => outcome === "rewrapped").length;
        const lost = records.filter((_record, index) => outcomes[index] === "failed");
        failed += lost.length;
        failures = [...failures, ...lost.map(({ id }) => ({ tenant: tenant.tenant, kind, id }))].slice(
          0,
          mostNamed,
        );
        progress?.({ seen, rewrapped: total + changed });
      }
    }
    total += changed;
    if (changed === 0) break;
  }
  return { active, seen, rewrapped: total, failed, failures };
}

async function rewrap(
  vault: Vault,
  tenant: TenantStore,
  first: StoredRecord,
): Promise<"rewrapped" | "unchanged" | "failed"> {
  const { kind, id } = first;
  let record: StoredRecord | undefined = first;
  for (let attempt = 1; record !== undefined; attempt += 1) {
    const { lookup, expiresAt, version } = record;
    try {
      const value = rewrapped(vault, { tenant: tenant.tenant, kind, id }, record.value);
      if (value === undefined) return "unchanged";
      await tenant.write([{ action: "put", kind, id, value, lookup, expiresAt, expected: version }]);
      return "rewrapped";
    } catch (error) {
      if (error instanceof VaultError) return "failed";
      if (!(error instanceof StoreError && error.code === "conflict") || attempt === attempts) throw error;
      record = await tenant.get(kind, id);
    }
  }
  return "unchanged";
}
