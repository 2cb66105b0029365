import { BoundedMap } from "../limits/bounded-map.ts";
import type { CredentialReference } from "../model/credential.ts";
import type { Store, StoredRecord, TenantStore } from "../store/store.ts";
import { keysOf, openFields } from "../vault/seal-fields.ts";
import { tenantStore } from "../vault/sealed-records.ts";
import { type Vault, VaultError } from "../vault/vault.ts";
import { isObject, isWhole, MalformedRecordError } from "./check-record.ts";
import { credentialId, parseCredentialId } from "./credential-id.ts";
import { readCredential } from "./credential-record.ts";
import type { StoredCredential } from "./credential-store.ts";
import { createRewrapper } from "./rewrap.ts";

/** Reads credentials past everything that is kept. Throws `StoreError`, `VaultError` and {@link MalformedRecordError}. */
export interface CredentialReader {
  /** `undefined`: there is none. */
  one(reference: CredentialReference): Promise<StoredCredential | undefined>;
  /** Those of a tenant whose ids begin so, ordered by provider, connection and instance. */
  all(tenant: string, prefix: string): Promise<readonly StoredCredential[]>;
  /** The record of an id, with the credential that it holds. */
  record(
    tenant: TenantStore,
    id: string,
  ): Promise<{ readonly record: StoredRecord; readonly credential: StoredCredential } | undefined>;
}

/** So many are kept opened, for as long as their record is the same. */
const mostOpened = 10_000;
/** An owner has a few, and what follows in the store are other people's: they are not read to be thrown away. */
const firstPageSize = 5;
const pageSize = 200;

/** A reader over a store and a vault. What it finds sealed with an older key is sealed anew behind it. */
export function createCredentialReader(store: Store, vault: Vault): CredentialReader {
  const rewrap = createRewrapper(store, vault);
  const opened = new BoundedMap<Opened>(mostOpened);

  function open(tenant: TenantStore, record: StoredRecord): StoredCredential {
    const { id } = record;
    const key = JSON.stringify([tenant.tenant, id]);
    const known = opened.get(key);
    const isKnown = known?.credential.recordVersion === record.version;
    const sealedWith = isKnown ? known.sealedWith : keysOf(vault, record.value);
    rewrap(tenant, record, sealedWith);
    if (isKnown) return known.credential;
    const reference = parseCredentialId(tenant.tenant, id);
    if (reference === undefined) throw new MalformedRecordError("A credential has an id of another form.");
    const what = `The credential ${JSON.stringify(id.slice(0, 200))} of ${tenant.tenant === "" ? "the gateway" : `tenant \`${tenant.tenant}\``}`;
    const { facts, version, sealed } = readCredential(record.value, what);
    const sealedFor = {
      tenant: tenant.tenant,
      kind: "credential",
      id,
      version,
      value: record.value,
    } as const;
    const secrets = openNamed(what, () => openFields(vault, sealedFor, sealed));
    const credential = { ...facts, secrets, reference, version, recordVersion: record.version };
    opened.set(key, { credential, sealedWith });
    return credential;
  }

  async function record(tenant: TenantStore, id: string) {
    const found = await tenant.get("credential", id);
    if (found === undefined) return undefined;
    const checked = checkOutside(found);
    if (checked.id !== id)
      throw new MalformedRecordError("The store gave a credential that was not asked for.");
    return { record: checked, credential: open(tenant, checked) };
  }

  return {
    record,
    one: async (reference) =>
      (await record(tenantStore(store, reference.tenant), credentialId(reference)))?.credential,
    all: async (tenantId, prefix) => {
      const tenant = tenantStore(store, tenantId);
      const all: StoredCredential[] = [];
      let after = prefix;
      for (let limit = firstPageSize; ; limit = pageSize) {
        const page = await tenant.list("credential", { after, limit });
        for (const found of page) {
          const checked = checkOutside(found);
          // A page that does not go on would be read for ever.
          if (checked.id <= after) throw new MalformedRecordError("A list of credentials is out of order.");
          if (!checked.id.startsWith(prefix)) return all.toSorted(byPlace);
          after = checked.id;
          all.push(open(tenant, checked));
        }
        if (page.length < limit) return all.toSorted(byPlace);
      }
    },
  };
}

/** What was opened, and which keys it is sealed with. */
interface Opened {
  readonly credential: StoredCredential;
  readonly sealedWith: readonly string[];
}

/** So that the operator hears whose it is. */
function openNamed<Result>(what: string, open: () => Result): Result {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    throw new VaultError(error.code, `${what} does not open. ${error.message}`);
  }
}

/** Whatever a store gives in place of a record. */
function checkOutside(found: StoredRecord): StoredRecord {
  const isRecord =
    isObject(found) && found.kind === "credential" && typeof found.id === "string" && isWhole(found.version);
  if (!isRecord) throw new MalformedRecordError("The store gave something else than a credential.");
  return found;
}

function byPlace({ reference: first }: StoredCredential, { reference: second }: StoredCredential): number {
  const differing = (["provider", "connection", "instance"] as const).find(
    (part) => first[part] !== second[part],
  );
  if (differing === undefined) return 0;
  return first[differing] < second[differing] ? -1 : 1;
}
