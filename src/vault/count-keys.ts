import type { RecordKind, Store } from "../store/store.ts";
import { keysOf } from "./seal-fields.ts";
import { eachPage } from "./sealed-records.ts";
import type { Vault } from "./vault.ts";

/** How many records of some kinds are sealed with each key, by its fingerprint. Reads all of them. Throws `StoreError`. */
export async function countKeys(
  store: Store,
  vault: Vault,
  kinds: readonly RecordKind[],
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const kind of kinds) {
    for await (const { records } of eachPage(store, kind)) {
      for (const { value } of records) {
        for (const fingerprint of keysOf(vault, value))
          counts.set(fingerprint, (counts.get(fingerprint) ?? 0) + 1);
      }
    }
  }
  return counts;
}
