import { GatewayError } from "../errors.ts";
import type { RecordKind, Store } from "../store/store.ts";
import { countKeys } from "./count-keys.ts";
import { readMarker, retire } from "./key-marker.ts";
import type { Vault } from "./vault.ts";

/** What nobody makes anew without somebody's doing. A flow is over in minutes and holds nobody up. */
const lasting: readonly RecordKind[] = ["credential", "client"];

/**
 * Throws `GatewayError` `internal`, for the operator, when something is stored that the ring can't open, or when keys are bad that would
 * seal it. Where all keys that are known to be in use are there, which is nearly always, nothing else is read.
 * Throws `StoreError` when the store fails.
 */
export async function guardVault(store: Store, vault: Vault): Promise<void> {
  const problem = vault.problem();
  // What is bad is refused before anything is sealed with it, and not when it is too late.
  if (problem !== undefined)
    throw refusal(`${problem} Whatever a bad key seals is open to all who can read the store.`);
  const keys = vault.keys();
  const isKnown = (fingerprint: string) => keys.some((key) => key.fingerprint === fingerprint);
  const marked = await readMarker(store);
  if (marked.length > 0 && marked.every(isKnown)) return;
  // A marker tells what was once in use; without one there should be nothing, but nothing is supposed.
  const counts = await countKeys(store, vault, lasting);
  const missing = [...counts].filter(([fingerprint]) => !isKnown(fingerprint));
  if (missing.length === 0) {
    // So that the next start has nothing to count. Another one does it if this one can't.
    await retire(
      store,
      marked.filter((fingerprint) => !isKnown(fingerprint)),
    ).catch(() => {});
    return;
  }
  const list = missing.map(
    ([fingerprint, count]) => `${fingerprint} (${count} ${count === 1 ? "record" : "records"})`,
  );
  const configured =
    keys.length === 0
      ? "no encryption key is configured"
      : `only ${keys.map(({ fingerprint, id }) => (id === undefined ? fingerprint : `${fingerprint} (\`${id}\`)`)).join(", ")} ${keys.length === 1 ? "is" : "are"} configured`;
  throw refusal(
    `Stored credentials are sealed with ${missing.length === 1 ? "a key" : "keys"} that the configuration lacks: ${list.join(", ")}; ${configured}. Put the missing key back as \`server.encryption_key\`, or into \`server.encryption_keys\`; a key that is lost can't be replaced: \`gateway keys discard FINGERPRINT\` removes what it has sealed, and everybody connects anew.${keys.length === 0 ? "" : ` \`gateway keys status\` shows what is sealed with which key.`}`,
  );
}

function refusal(message: string): GatewayError {
  return new GatewayError("internal", message);
}
