import type { KeyStatus } from "../model/keys.ts";
import type { Store } from "../store/store.ts";
import { countKeys } from "./count-keys.ts";
import { readMarker } from "./key-marker.ts";
import { sealedKinds } from "./sealed-records.ts";
import type { Vault } from "./vault.ts";

/** Reads all records and counts. Throws `StoreError`. */
export async function readKeyStatus(store: Store, vault: Vault): Promise<KeyStatus> {
  const counts = await countKeys(store, vault, sealedKinds);
  const marked = await readMarker(store);
  const ring = vault.keys();
  const others = [...counts.keys()].filter((fingerprint) =>
    ring.every((key) => key.fingerprint !== fingerprint),
  );
  const recordsOf = (fingerprint: string) => counts.get(fingerprint) ?? 0;
  return {
    keys: [
      ...ring.map(({ fingerprint, id }, index) => ({
        fingerprint,
        id,
        configured: true,
        active: index === 0,
        records: recordsOf(fingerprint),
        // The last one in use is the newest: others may be about to seal with it.
        removable: index > 0 && recordsOf(fingerprint) === 0 && marked.at(-1) !== fingerprint,
      })),
      ...others.map((fingerprint) => ({
        ...{ fingerprint, id: undefined, configured: false, active: false, removable: false },
        records: recordsOf(fingerprint),
      })),
    ],
  };
}
