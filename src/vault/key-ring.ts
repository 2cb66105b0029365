import { hkdfSync } from "node:crypto";
import { keyBytes, parseKey } from "../key-form.ts";
import type { EncryptionKey } from "../model/config.ts";
import { checkKeys } from "./check-keys.ts";
import type { KeySummary } from "./vault.ts";

/** The keys of a configuration, ready for use. */
export interface KeyRing {
  /** The first one seals. */
  readonly keys: readonly RingKey[];
  readonly problem: string | undefined;
}

/** One key, of which only others are used that follow from it. */
export interface RingKey extends KeySummary {
  /** The key that seals and opens what belongs to a tenant. */
  forTenant(tenant: string): Buffer;
}

/** So many tenants' keys are kept per key of the ring; others are derived again, which takes some microseconds. */
const mostKept = 1_000;

const purpose = "gestalt-gateway vault 1";

/** Reads a ring. One bad key makes all of it useless: whoever wrote it has to look at it. */
export function readRing(keys: readonly EncryptionKey[]): KeyRing {
  const problem = checkKeys(keys);
  if (problem !== undefined) return { keys: [], problem };
  return { keys: keys.flatMap(({ id, key }) => toRingKey(id, parseKey(key.reveal()))), problem: undefined };
}

function toRingKey(id: string | undefined, key: Buffer | undefined): readonly RingKey[] {
  if (key === undefined) return [];
  const derived = new Map<string, Buffer>();
  return [
    {
      id,
      fingerprint: derive(key, ["fingerprint"]).subarray(0, 8).toString("hex"),
      forTenant(tenant) {
        const known = derived.get(tenant);
        if (known !== undefined) return known;
        const [oldest] = derived.keys();
        if (derived.size >= mostKept && oldest !== undefined) derived.delete(oldest);
        const own = derive(key, ["tenant", tenant]);
        derived.set(tenant, own);
        return own;
      },
    },
  ];
}

/** RFC 5869 with SHA-256. There is no salt, because the key is uniformly random already (section 3.1). */
function derive(key: Buffer, use: readonly string[]): Buffer {
  return Buffer.from(hkdfSync("sha256", key, "", JSON.stringify([purpose, ...use]), keyBytes));
}
