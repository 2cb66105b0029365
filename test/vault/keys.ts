import { createHash } from "node:crypto";
import type { EncryptionKey } from "../../src/model/config.ts";
import { Secret } from "../../src/secret.ts";
import { createVault } from "../../src/vault/create-vault.ts";
import type { Vault } from "../../src/vault/vault.ts";

/** A good key that is the same for the same name, as a configuration has it. */
export function keyNamed(name: string): EncryptionKey {
  const key = createHash("sha256").update(`key ${name}`).digest("base64");
  return writtenKey(name, key);
}

/** A key as it was written, whatever that is. */
export function writtenKey(id: string | undefined, text: string): EncryptionKey {
  return {
    id,
    key: new Secret(text),
    place: { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 },
  };
}

/** A vault over a ring of good keys, the first one active. */
export function vaultOf(...names: readonly string[]): Vault {
  const keys = names.map(keyNamed);
  return createVault(() => keys);
}
