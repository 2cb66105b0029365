import { GatewayError } from "../errors.ts";
import type { JsonValue } from "../model/json.ts";
import { type Store, type StoredRecord, StoreError } from "../store/store.ts";
import type { Vault } from "./vault.ts";

const kind = "vault";
const id = "state";

/** A write that loses its compare-and-swap is tried so often: others write to it once per key. */
const attempts = 20;
/** So many keys that are out of use are remembered. */
const mostRetired = 100;

interface Marker {
  /** In use, in the order in which they came into use. */
  readonly fingerprints: readonly string[];
  /** Out of use: older than all those in use, whatever else is known of them. */
  readonly retired: readonly string[];
}

/**
 * Fingerprints of the keys that may have sealed something, in the order in which they came into use: the last one is the newest.
 * Throws `StoreError`.
 */
export async function readMarker(store: Store): Promise<readonly string[]> {
  return markerOf(await store.gateway.get(kind, id)).fingerprints;
}

/**
 * Makes sure that the store knows of the active key, before something is written that was sealed with it. `newest`: it counts as the
 * newest one, also where it was known before. Throws `StoreError`.
 */
export async function markInUse(store: Store, vault: Vault, newest = false): Promise<void> {
  const active = vault.keys()[0]?.fingerprint;
  if (active === undefined) return;
  await change(store, (marker) => {
    const { fingerprints, retired } = marker;
    const isKnown = fingerprints.includes(active);
    if (isKnown && !(newest && fingerprints.at(-1) !== active)) return marker;
    const others = fingerprints.filter((fingerprint) => fingerprint !== active);
    // A process that was not told of a change of keys brings an old one back: it is not the newest by that.
    const isOld = retired.includes(active) && !newest;
    return {
      fingerprints: isOld ? [active, ...others] : [...others, active],
      retired: retired.filter((fingerprint) => fingerprint !== active),
    };
  });
}

/** Takes keys that nothing is sealed with out of those in use. Throws `StoreError`. */
export async function retire(store: Store, unused: readonly string[]): Promise<void> {
  await change(store, (marker) => {
    const gone = marker.fingerprints.filter((fingerprint) => unused.includes(fingerprint));
    if (gone.length === 0) return marker;
    return {
      fingerprints: marker.fingerprints.filter((fingerprint) => !gone.includes(fingerprint)),
      retired: [...marker.retired, ...gone].slice(-mostRetired),
    };
  });
}

async function change(store: Store, next: (marker: Marker) => Marker): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const record = await store.gateway.get(kind, id);
    const known = markerOf(record);
    const marker = next(known);
    if (marker === known) return;
    const value = { fingerprints: marker.fingerprints, retired: marker.retired };
    const expected = record?.version ?? "absent";
    try {
      await store.gateway.write([{ action: "put", kind, id, value, expected }]);
      return;
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "conflict") || attempt === attempts) throw error;
    }
  }
}

function markerOf(record: StoredRecord | undefined): Marker {
  if (record === undefined) return { fingerprints: [], retired: [] };
  const { fingerprints, retired } = record.value;
  return { fingerprints: listOf(fingerprints), retired: listOf(retired) };
}

function listOf(value: JsonValue | undefined): readonly string[] {
  const isList = Array.isArray(value) && value.every(isFingerprint);
  if (!isList) {
    throw new GatewayError(
      "store_unavailable",
      "What the store says of the keys in use is not as this gateway writes it. Put a backup of the store in its place.",
    );
  }
  return value.filter(isFingerprint);
}

function isFingerprint(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{16}$/.test(value);
}
