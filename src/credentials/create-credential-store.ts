import { GatewayError } from "../errors.ts";
import { howToMakeKey } from "../key-form.ts";
import { BoundedMap } from "../limits/bounded-map.ts";
import type { CredentialReference } from "../model/credential.ts";
import type { JsonObject } from "../model/json.ts";
import type { Lease, Store, StoredRecord, TenantStore } from "../store/store.ts";
import { hasSameFacts } from "../vault/bound-facts.ts";
import { markInUse } from "../vault/key-marker.ts";
import { sealedTexts, sealFields } from "../vault/seal-fields.ts";
import { tenantStore } from "../vault/sealed-records.ts";
import type { Vault } from "../vault/vault.ts";
import { createAskStore } from "./ask-store.ts";
import { credentialId, credentialPrefix } from "./credential-id.ts";
import { type CredentialRecord, credentialValue, readCredential } from "./credential-record.ts";
import type {
  CredentialFacts,
  CredentialLease,
  CredentialStore,
  StoredCredential,
} from "./credential-store.ts";
import { noCredentialStore } from "./no-credential-store.ts";
import { createCredentialReader } from "./read-credentials.ts";

/** So many answers are kept while nothing changes. */
const mostAnswers = 10_000;
/** A write whose record was only sealed anew meanwhile is tried again so often. */
const attempts = 20;

/** What credentials are kept in and sealed with. */
export interface CredentialStoreOptions {
  /** `undefined`: none is configured, and there are no credentials. */
  readonly store: Store | undefined;
  readonly vault: Vault;
  readonly log: (message: string, cause?: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Credentials over a store and a vault. */
export function createCredentialStore({ store, ...options }: CredentialStoreOptions): CredentialStore {
  return store === undefined ? noCredentialStore() : credentialsOver(store, options);
}

function credentialsOver(
  store: Store,
  { vault, log, now = Date.now }: Omit<CredentialStoreOptions, "store">,
): CredentialStore {
  const ask = createAskStore(log, now);
  const reader = createCredentialReader(store, vault);
  const answers = new BoundedMap<Answer>(mostAnswers);
  /** Of references, which are the same objects from call to call while nothing changes. */
  const keys = new WeakMap<CredentialReference, string>();
  const keyOf = (reference: CredentialReference): string => {
    const known = keys.get(reference);
    if (known !== undefined) return known;
    const key = JSON.stringify(["one", reference.tenant, credentialId(reference)]);
    keys.set(reference, key);
    return key;
  };
  /** Those who ask the same while nothing changes are answered together. */
  const pending = new Map<string, Promise<readonly StoredCredential[]>>();
  const epoch = (): number => ask.now(() => store.epoch(["credential"]));

  async function kept(
    key: string,
    read: () => Promise<readonly StoredCredential[]>,
  ): Promise<readonly StoredCredential[]> {
    // Asked for before it is read: what changes from here on is another epoch.
    const current = epoch();
    const answer = answers.get(key);
    if (answer?.epoch === current) return answer.credentials;
    const question = `${current} ${key}`;
    const asked = pending.get(question);
    if (asked !== undefined) return asked;
    const reading = read();
    pending.set(question, reading);
    try {
      const credentials = await reading;
      answers.set(key, { epoch: current, credentials });
      // Whoever has chosen one of a list asks for that one next.
      for (const credential of credentials)
        answers.set(keyOf(credential.reference), { epoch: current, credentials: [credential] });
      return credentials;
    } finally {
      pending.delete(question);
    }
  }

  /**
   * What is in the place of an expected credential; `undefined`: nothing is, and nothing should be. Throws `conflict`, and whatever the
   * reader throws: what can't be opened is not overwritten either.
   */
  async function expectedRecord(
    tenant: TenantStore,
    id: string,
    expected: StoredCredential | "absent" | "any",
  ): Promise<Current | undefined> {
    const current = await reader.record(tenant, id);
    if (current === undefined) {
      if (expected === "absent" || expected === "any") return undefined;
      throw lost();
    }
    const isExpected =
      expected === "any" ||
      (expected !== "absent" &&
        (current.credential.recordVersion === expected.recordVersion ||
          isOnlySealedAnew(current.credential, expected)));
    if (!isExpected) throw lost();
    return current;
  }

  /** Seals secrets as the next version of what is in their place. */
  async function seal(
    { tenant }: TenantStore,
    id: string,
    facts: CredentialFacts,
    current: Current | undefined,
  ): Promise<Sealing> {
    await prepareSealing(store, vault);
    // The first one by the clock: it must not be that of a credential that was in the same place before.
    const version = current === undefined ? Math.max(1, Math.floor(now())) : current.credential.version + 1;
    const value = credentialValue({ facts, version, sealed: {} });
    return {
      version,
      sealed: sealFields(vault, { tenant, kind: "credential", id, version, value }, facts.secrets),
    };
  }

  /** Tries again while others come in between; whether what they did stands in the way is found out by reading it. */
  async function again<Result>(attempt: () => Promise<Result>): Promise<Result> {
    for (let count = 1; ; count += 1) {
      try {
        return await ask(attempt);
      } catch (error) {
        const isRace =
          error instanceof GatewayError && error.code === "conflict" && error.cause !== undefined;
        if (!isRace || count === attempts) throw error;
      }
    }
  }

  return {
    epoch,
    get: (reference) =>
      ask(async () => {
        const [credential] = await kept(keyOf(reference), async () => {
          const found = await reader.one(reference);
          return found === undefined ? [] : [found];
        });
        return credential;
      }),
    reread: (reference) => ask(() => reader.one(reference)),
    list: (owner, provider, connection) =>
      ask(() => {
        const prefix = credentialPrefix(owner, provider, connection);
        return kept(JSON.stringify(["all", owner.tenant, prefix]), () => reader.all(owner.tenant, prefix));
      }),
    put: (reference, facts, expected, replaceSecrets) =>
      again(async () => {
        const tenant = tenantStore(store, reference.tenant);
        const id = credentialId(reference);
        const current = await expectedRecord(tenant, id, expected);
        if (current === undefined && !replaceSecrets) throw lost();
        const secrets = replaceSecrets || current === undefined ? facts.secrets : current.credential.secrets;
        const kept = replaceSecrets ? undefined : keptSealing(facts, current);
        const { version, sealed } = kept ?? (await seal(tenant, id, { ...facts, secrets }, current));
        const value = checkedValue(facts, version, sealed);
        const recordVersion = current?.record.version ?? "absent";
        await tenant.write([{ action: "put", kind: "credential", id, value, expected: recordVersion }]);
        const written = await reader.record(tenant, id);
        if (written !== undefined && isSame(written.record.value, value)) return written.credential;
        // Somebody has changed it since. No version of a record fits what the caller holds of it then.
        return { ...facts, secrets, reference, version, recordVersion: 0 };
      }),
    remove: (credential) =>
      again(async () => {
        const tenant = tenantStore(store, credential.reference.tenant);
        const id = credentialId(credential.reference);
        const current = await expectedRecord(tenant, id, credential);
        const expected = current?.record.version ?? 0;
        await tenant.write([{ action: "delete", kind: "credential", id, expected }]);
      }),
    lease: (reference, holder, milliseconds) =>
      ask(async () => {
        const tenant = tenantStore(store, reference.tenant);
        const name = `credential ${credentialId(reference)}`;
        const lease = await tenant.acquireLease(name, holder, milliseconds);
        return lease === undefined ? undefined : hold(tenant, lease);
      }),
  };

  function hold(tenant: TenantStore, acquired: Lease): CredentialLease {
    let lease = acquired;
    return {
      renew: (milliseconds) =>
        ask(async () => {
          const renewed = await tenant.renewLease(lease, milliseconds);
          lease = renewed ?? lease;
          return renewed !== undefined;
        }),
      release: () => ask(() => tenant.releaseLease(lease)),
    };
  }
}

interface Answer {
  readonly epoch: number;
  readonly credentials: readonly StoredCredential[];
}

/** What is in a place. */
interface Current {
  readonly record: StoredRecord;
  readonly credential: StoredCredential;
}

/** Secrets as a record has them. */
type Sealing = Pick<CredentialRecord, "version" | "sealed">;

/** The secrets as they are sealed; `undefined`: nothing is there, or facts change that they are sealed for. */
function keptSealing(facts: CredentialFacts, current: Current | undefined): Sealing | undefined {
  if (current === undefined) return undefined;
  const { record, credential } = current;
  const { version } = credential;
  const value = credentialValue({ facts, version, sealed: {} });
  if (!hasSameFacts("credential", record.value, value)) return undefined;
  return { version, sealed: sealedTexts(record.value["sealed"]) };
}

/** Comes before anything is sealed. Throws `unsupported`, for whoever wants to connect, while nothing can be. */
async function prepareSealing(store: Store, vault: Vault): Promise<void> {
  if (vault.keys().length === 0) {
    throw new GatewayError(
      "unsupported",
      vault.problem() === undefined
        ? `Nothing can be connected yet, because no key is configured to seal credentials with: the operator sets \`server.encryption_key\`. ${howToMakeKey}`
        : "Nothing can be connected, because the keys to seal credentials with are not right: `gateway validate --online` tells the operator why.",
    );
  }
  await markInUse(store, vault);
}

/** What could not be read again is not written: that would be a mistake of whoever made it. Throws `internal`. */
function checkedValue(
  facts: CredentialFacts,
  version: number,
  sealed: Readonly<Record<string, string>>,
): JsonObject {
  const value = credentialValue({ facts, version, sealed });
  try {
    readCredential(JSON.parse(JSON.stringify(value)), "The credential to be written");
    return value;
  } catch (error) {
    throw new GatewayError("internal", "The credential could not be stored.", { cause: error });
  }
}

/** Whether a credential differs from what was read of it by nothing but the key that it is sealed with. */
function isOnlySealedAnew(current: StoredCredential, expected: StoredCredential): boolean {
  const withoutSealed = (facts: StoredCredential) =>
    credentialValue({ facts, version: facts.version, sealed: {} });
  return isSame(withoutSealed(current), withoutSealed(expected));
}

function isSame(first: JsonObject, second: JsonObject): boolean {
  return JSON.stringify(first) === JSON.stringify(second);
}

/** Without a cause: what stands in the way was seen, and trying again is of no use. */
function lost(): GatewayError {
  return new GatewayError("conflict", "The credential was changed by somebody else meanwhile. Try again.", {
    retryable: true,
  });
}
