import { GatewayError } from "../errors.ts";
import {
  type Change,
  type Lease,
  type RecordKind,
  type Store,
  type StoredRecord,
  StoreError,
  type TenantStore,
} from "../store/store.ts";
import { MalformedRecordError } from "./check-record.ts";

/**
 * The store as the identity room uses it: whatever goes wrong there (it throws, never answers, answers with something else) is a
 * `GatewayError`, `conflict` or `store_unavailable`. What it gives is `unknown` until it was checked.
 */
export interface GuardedStore {
  tenant(id: string): GuardedTenantStore;
  readonly gateway: GuardedTenantStore;
  find(kind: RecordKind, lookup: string): Promise<unknown>;
  epoch(kinds: readonly RecordKind[]): number;
  /** Ids of the tenants that have records of a kind; empty for the gateway's own. */
  tenantsWith(kind: RecordKind): Promise<readonly string[]>;
}

/** The records of one tenant. */
export interface GuardedTenantStore {
  get(kind: RecordKind, id: string): Promise<unknown>;
  /** The ones after an id, at most `limit` of them. */
  page(kind: RecordKind, after: string | undefined, limit: number): Promise<readonly unknown[]>;
  write(changes: readonly Change[]): Promise<void>;
  /** Does something while nobody else does what has this name; `conflict` while somebody does. */
  alone<Result>(name: string, holder: string, work: () => Promise<Result>): Promise<Result>;
  clear(): Promise<void>;
}

/** How many records are read at once, of all and of those with a prefix. */
const pageSize = 1_000;
const prefixPageSize = 50;

const leaseMilliseconds = 30_000;

/** Wraps a store. Each of its answers is waited for so many milliseconds. `log` hears of what the store says of its failures. */
export function guardStore(
  store: Store,
  milliseconds: number,
  log: (message: string, cause: unknown) => void,
): GuardedStore {
  const failed = (error: unknown): GatewayError => {
    const refusal = error instanceof GatewayError ? error : unavailable(error);
    if (refusal.code === "store_unavailable")
      log("The store could not be read or written, and whoever needed it was refused.", refusal.cause);
    return refusal;
  };
  const ask = async <Answer>(what: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await within(milliseconds, what);
    } catch (error) {
      throw failed(error);
    }
  };
  const change = <Answer>(what: () => Promise<Answer>) =>
    ask(async () => {
      try {
        return await what();
      } catch (error) {
        throw lostUpdate(error);
      }
    });
  const guardTenant = (find: () => TenantStore): GuardedTenantStore => ({
    get: (kind, id) => ask(() => find().get(kind, id)),
    page: async (kind, after, limit) => {
      const range = { ...(after === undefined ? {} : { after }), limit };
      const page: unknown = await ask(() => find().list(kind, range));
      if (!Array.isArray(page)) throw failed(new Error("The store gave no list."));
      return page;
    },
    write: (changes) => change(() => find().write(changes)),
    alone: async (name, holder, work) => {
      const lease = await ask(() => find().acquireLease(name, holder, leaseMilliseconds));
      if (!isLease(lease)) {
        throw new GatewayError(
          "conflict",
          "Somebody else changes the same thing at this moment. Try again.",
          {
            retryable: true,
          },
        );
      }
      try {
        return await work();
      } finally {
        // A lease that can't be given up ends by itself, and what was done is done.
        await ask(() => find().releaseLease(lease)).catch(() => {});
      }
    },
    clear: () => ask(() => find().clear()),
  });
  return {
    tenant: (id) => guardTenant(() => store.tenant(id)),
    gateway: guardTenant(() => store.gateway),
    find: (kind, lookup) => ask(() => store.find(kind, lookup)),
    tenantsWith: async (kind) => {
      const tenants: unknown = await ask(() => store.tenantsWith(kind));
      if (!Array.isArray(tenants) || !tenants.every((id) => typeof id === "string"))
        throw failed(new Error("The store gave no list of tenants."));
      return tenants;
    },
    epoch(kinds) {
      try {
        const epoch: unknown = store.epoch(kinds);
        if (typeof epoch === "number" && Number.isFinite(epoch)) return epoch;
        // Nobody waits for a promise in place of a number, and one that rejects must not end the process.
        Promise.resolve(epoch).catch(() => {});
      } catch (error) {
        throw failed(error);
      }
      throw failed(new Error("The store gave no epoch."));
    },
  };
}

/** Waits so many milliseconds for an answer that hangs on the store. Every failure is a `GatewayError`. */
export async function within<Answer>(milliseconds: number, ask: () => Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      ask(),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`No answer in ${milliseconds} ms.`)), milliseconds);
      }),
    ]);
  } catch (error) {
    throw error instanceof GatewayError ? error : unavailable(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Does something over records. What is malformed there is told to the log, and is `store_unavailable` for the caller. */
export async function believingNothing<Result>(
  log: (message: string, cause: unknown) => void,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    const error = thrown instanceof MalformedRecordError ? unavailable(thrown) : thrown;
    if (error instanceof GatewayError && error.cause instanceof MalformedRecordError) {
      log(
        "A record of the store is not as this gateway writes it, and was not believed. Put a backup of the store in its place, or remove whose record it is and make it anew.",
        error.cause,
      );
    }
    throw error;
  }
}

/** Only what changes something can come too late; a reader that hears of conflicts reads from something broken. */
function lostUpdate(error: unknown): unknown {
  if (!(error instanceof StoreError) || error.code !== "conflict") return error;
  return new GatewayError(
    "conflict",
    "What was to be changed was changed by somebody else meanwhile. Try again.",
    {
      cause: error,
      retryable: true,
    },
  );
}

function unavailable(cause: unknown): GatewayError {
  return new GatewayError(
    "store_unavailable",
    "The gateway can't read or write what it knows of its callers at the moment. Try again later.",
    { cause, retryable: true },
  );
}

function isLease(lease: unknown): lease is Lease {
  return typeof lease === "object" && lease !== null && "fence" in lease;
}

/** All records of a kind, page by page. `prefix`: only those whose ids begin so. */
export async function* eachRecord(
  store: GuardedTenantStore,
  kind: RecordKind,
  prefix = "",
): AsyncGenerator<unknown, void> {
  const size = prefix === "" ? pageSize : prefixPageSize;
  let after = prefix === "" ? undefined : prefix;
  for (;;) {
    const page = await store.page(kind, after, size);
    for (const record of page) {
      const id = idOf(record);
      // A page that does not go on would be read for ever.
      if (after !== undefined && id <= after)
        throw unavailable(new MalformedRecordError("A list is out of order."));
      if (!id.startsWith(prefix)) return;
      after = id;
      yield record;
    }
    if (page.length < size) return;
  }
}

/** The same as a list, each read as what it is. */
export async function readAll<Read>(
  store: GuardedTenantStore,
  kind: RecordKind,
  read: (found: unknown) => Read,
  prefix = "",
): Promise<Read[]> {
  const all: Read[] = [];
  for await (const found of eachRecord(store, kind, prefix)) all.push(read(found));
  return all;
}

/** The id of whatever a list gave in place of a record. Throws `store_unavailable` for what has none. */
export function idOf(record: unknown): string {
  const { id }: Partial<Record<keyof StoredRecord, unknown>> =
    typeof record === "object" && record !== null ? record : {};
  if (typeof id !== "string") throw unavailable(new MalformedRecordError("A record of a list has no id."));
  return id;
}
