import type { ProviderConfig } from "../model/config.ts";
import type { CredentialReference } from "../model/credential.ts";
import { type Store, type StoredRecord, StoreError, type TenantStore } from "../store/store.ts";
import { openFields } from "../vault/seal-fields.ts";
import { eachPage } from "../vault/sealed-records.ts";
import { type Vault, VaultError } from "../vault/vault.ts";
import { createAskStore } from "./ask-store.ts";
import { MalformedRecordError } from "./check-record.ts";
import { parseCredentialId } from "./credential-id.ts";
import { readCredential } from "./credential-record.ts";

/** A record that others change meanwhile is looked at again so often; every one of them would have to be a change of its own. */
const attempts = 20;

/** Credentials that nothing uses any more, of all tenants. */
export interface StrayCredentials {
  /** In the order of tenants and ids. */
  readonly found: readonly StrayCredential[];
  /** How many others belong to nothing either, or have no name that says so, and are left because they can't be opened. */
  readonly unreadable: number;
  /**
   * Removes those that were found; upstreams are not told, because how to reach them has left the file as well. Returns how many there
   * were still to be removed. Throws `store_unavailable`.
   */
  remove(): Promise<number>;
}

/** A stored credential of a provider or a connection that is not in the file. */
export interface StrayCredential {
  readonly reference: CredentialReference;
  /** What the file does not have. */
  readonly missing: "provider" | "connection";
  /** Milliseconds since 1970. */
  readonly connectedAt: number;
}

/** What credentials are compared with, and where they are. */
interface PruneParts {
  readonly store: Store;
  readonly vault: Vault;
  readonly providers: readonly ProviderConfig[];
  readonly log: (message: string, cause?: unknown) => void;
}

/** Finds what has been left behind by a change of the file. Throws `store_unavailable`. */
export function findStrayCredentials({
  store,
  vault,
  providers,
  log,
}: PruneParts): Promise<StrayCredentials> {
  const ask = createAskStore(log, Date.now);
  const connections = new Map(providers.map(({ name, connections: own }) => [name, own]));

  /** What a record is of that the file does not have; `undefined`: nothing. Throws where it can't be opened. */
  function examine({ tenant }: TenantStore, { id, value }: StoredRecord): StrayCredential | undefined {
    const reference = parseCredentialId(tenant, id);
    if (reference === undefined) throw new MalformedRecordError("A credential has an id of another form.");
    const own = connections.get(reference.provider);
    if (own !== undefined && Object.hasOwn(own, reference.connection)) return undefined;
    const { facts, version, sealed } = readCredential(value, "A credential");
    openFields(vault, { tenant, kind: "credential", id, version, value }, sealed);
    const missing = own === undefined ? "provider" : "connection";
    return { reference, missing, connectedAt: facts.connectedAt };
  }

  /** The same; `unreadable` where it can't be opened. */
  function look(tenant: TenantStore, record: StoredRecord): StrayCredential | "unreadable" | undefined {
    try {
      return examine(tenant, record);
    } catch (error) {
      if (error instanceof VaultError || error instanceof MalformedRecordError) return "unreadable";
      throw error;
    }
  }

  async function remove(tenant: TenantStore, id: string): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      const record = await tenant.get("credential", id);
      if (record === undefined || look(tenant, record) === "unreadable") return false;
      try {
        await tenant.write([{ action: "delete", kind: "credential", id, expected: record.version }]);
        return true;
      } catch (error) {
        // Sealed anew meanwhile, or marked by a process that still has the connection.
        if (!(error instanceof StoreError && error.code === "conflict") || attempt === attempts) throw error;
      }
    }
  }

  return ask(async () => {
    const found: (StrayCredential & { readonly tenant: TenantStore; readonly id: string })[] = [];
    let unreadable = 0;
    for await (const { tenant, records } of eachPage(store, "credential")) {
      for (const record of records) {
        const stray = look(tenant, record);
        if (stray === "unreadable") unreadable += 1;
        else if (stray !== undefined) found.push({ ...stray, tenant, id: record.id });
      }
    }
    return {
      found: found.map(({ reference, missing, connectedAt }) => ({ reference, missing, connectedAt })),
      unreadable,
      remove: () =>
        ask(async () => {
          let removed = 0;
          for (const { tenant, id } of found) if (await remove(tenant, id)) removed += 1;
          return removed;
        }),
    };
  });
}
