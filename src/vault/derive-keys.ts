import { hkdfSync } from "node:crypto";
import { keyBytes, parseKey } from "../key-form.ts";
import type { EncryptionKey } from "../model/config.ts";
import { checkKeys } from "./check-keys.ts";

/**
 * Keys of 32 bytes for one purpose, from which nothing follows about the configured ones (RFC 5869 with SHA-256), in their order: the
 * newest first. None where one of the configured is bad, as with sealed values.
 */
export function deriveKeys(keys: readonly EncryptionKey[], purpose: string): readonly Buffer[] {
  if (checkKeys(keys) !== undefined) return [];
  return keys.flatMap(({ key }) => {
    const parsed = parseKey(key.reveal());
    return parsed === undefined ? [] : [Buffer.from(hkdfSync("sha256", parsed, "", purpose, keyBytes))];
  });
}
