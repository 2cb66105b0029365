import { GatewayError } from "../errors.ts";
import type { Discarded } from "../model/keys.ts";
import { type Store, type StoredRecord, StoreError, type TenantStore } from "../store/store.ts";
import { retire } from "./key-marker.ts";
import { keysOf } from "./seal-fields.ts";
import { eachPage, sealedKinds } from "./sealed-records.ts";
import type { Vault } from "./vault.ts";

/** So often a record that others change meanwhile is read again. */
const attempts = 20;
/** What a process writes that still has the key, while the first rounds go on, is found by the last one. */
const rounds = 3;

/**
 * Removes every record, of all kinds and tenants, that nothing opens without a key that is lost. After that nobody needs the key. It can
 * be done again after it was ended anywhere, and leaves alone what somebody has sealed with another key meanwhile.
 *
 * @param agree is told what would go, and has the last word.
 * @returns what has gone; `undefined`: nothing, since nobody agreed.
 * @throws `GatewayError` `bad_request` for what is no fingerprint, and while keys are not right as they are written; `conflict` for a key
 * that is in the ring; `not_found` where nothing is sealed with it. {@link StoreError}.
 */
export async function discardKey(options: {
  readonly store: Store;
  readonly vault: Vault;
  readonly fingerprint: string;
  readonly agree: (loss: Discarded) => Promise<boolean>;
}): Promise<Discarded | undefined> {
  const { store, vault, fingerprint, agree } = options;
  checkLost(vault, fingerprint);
  const loss = createCount(fingerprint);
  for await (const { tenant, records } of eachLost(store, vault, fingerprint)) loss.add(tenant, records);
  if (loss.total() === 0) {
    throw new GatewayError(
      "not_found",
      `Nothing is sealed with the key ${fingerprint}. \`gateway keys status\` lists the keys that something is sealed with.`,
    );
  }
  if (!(await agree(loss.result()))) return undefined;
  const gone = createCount(fingerprint);
  for (let round = 1; round <= rounds; round += 1) {
    const before = gone.total();
    for await (const { tenant, records } of eachLost(store, vault, fingerprint))
      gone.add(tenant, await removeAll(vault, tenant, records, fingerprint));
    // Not before: a start has to find what a run that was killed has left. What is written in between is found by the next round.
    await retire(store, [fingerprint]);
    if (gone.total() === before) break;
  }
  return gone.result();
}

function checkLost(vault: Vault, fingerprint: string): void {
  if (!/^[0-9a-f]{16}$/.test(fingerprint)) {
    throw new GatewayError(
      "bad_request",
      "A key is named by its fingerprint: 16 hexadecimal digits, as `gateway keys status` and the refused start show it.",
    );
  }
  // Which keys are in the ring is not known then.
  const problem = vault.problem();
  if (problem !== undefined) throw new GatewayError("bad_request", problem);
  const known = vault.keys().find((key) => key.fingerprint === fingerprint);
  if (known === undefined) return;
  throw new GatewayError(
    "conflict",
    `The key ${fingerprint}${known.id === undefined ? "" : ` (\`${known.id}\`)`} is not lost: it is in the configuration, and opens what it has sealed. \`gateway keys rotate\` seals that with the first key.`,
  );
}

/** Batches of the records that need a key. */
async function* eachLost(store: Store, vault: Vault, fingerprint: string) {
  for (const kind of sealedKinds) {
    for await (const { tenant, records } of eachPage(store, kind)) {
      const lost = records.filter(({ value }) => keysOf(vault, value).includes(fingerprint));
      if (lost.length > 0) yield { tenant, records: lost };
    }
  }
}

/** Removes a batch at once, and where somebody writes to it meanwhile one by one. Returns those that it has removed. */
async function removeAll(
  vault: Vault,
  tenant: TenantStore,
  records: readonly StoredRecord[],
  fingerprint: string,
): Promise<readonly StoredRecord[]> {
  try {
    await tenant.write(
      records.map(({ kind, id, version }) => ({ action: "delete", kind, id, expected: version })),
    );
    return records;
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
  const removed: StoredRecord[] = [];
  for (const record of records) if (await removeOne(vault, tenant, record, fingerprint)) removed.push(record);
  return removed;
}

async function removeOne(
  vault: Vault,
  tenant: TenantStore,
  { kind, id }: StoredRecord,
  fingerprint: string,
): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    const current = await tenant.get(kind, id);
    if (current === undefined || !keysOf(vault, current.value).includes(fingerprint)) return false;
    try {
      await tenant.write([{ action: "delete", kind, id, expected: current.version }]);
      return true;
    } catch (error) {
      if (!isConflict(error) || attempt === attempts) throw error;
    }
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof StoreError && error.code === "conflict";
}

/** Counts records, and whose credentials they are. */
function createCount(fingerprint: string) {
  const owners = new Set<string>();
  let credentials = 0;
  let registrations = 0;
  let total = 0;
  return {
    add: ({ tenant }: TenantStore, records: readonly StoredRecord[]): void => {
      for (const { kind, id } of records) {
        total += 1;
        registrations += kind === "client" ? 1 : 0;
        if (kind !== "credential") continue;
        credentials += 1;
        const [owner = ""] = id.split("/");
        owners.add(JSON.stringify([tenant, owner]));
      }
    },
    total: () => total,
    result: (): Discarded => ({ fingerprint, credentials, owners: owners.size, registrations }),
  };
}
