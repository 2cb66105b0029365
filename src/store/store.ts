import type { JsonObject } from "../model/json.ts";

/**
 * What is kept over restarts: records of JSON, by tenant, kind and id. The port for whatever keeps them: today SQLite in one
 * file; nothing here, and nothing outside this room, supposes that.
 *
 * Promises:
 * - A write that has resolved survives the death of the process and of the machine.
 * - A list of changes is written whole or not at all.
 * - A reader sees every write that resolved before it began, those of other processes on the same store included.
 * - Every failure rejects with {@link StoreError}; nothing is ever answered from less than the store itself.
 */
export interface Store {
  /** The records of one tenant, and no way from there to another's. */
  tenant(id: string): TenantStore;
  /** The records of the gateway itself, such as which tenants there are. */
  readonly gateway: TenantStore;
  /**
   * The one question that crosses tenants: whose record has this lookup. For what a caller presents before it is known who
   * calls: the hash of a token, the name of a user.
   */
  find(kind: RecordKind, lookup: string): Promise<FoundRecord | undefined>;
  /**
   * A number that differs once any record of these kinds may have changed since it was last asked for: what was kept of them is to
   * be read again. Counts every write of this process that resolved before, and every one of other processes that resolved before the
   * event that is handled: no request can follow from one that it does not hear of. Cheap enough to ask at every request. Throws
   * {@link StoreError}.
   */
  epoch(kinds: readonly RecordKind[]): number;
  /** Ids of the tenants that have records of a kind, in the order of code units; empty for the gateway's own. For work on all of them. */
  tenantsWith(kind: RecordKind): Promise<readonly string[]>;
  /** Writes a consistent copy of everything to a new file while others go on. */
  backup(file: string): Promise<void>;
  /** Finishes the writes that were begun. */
  close(): Promise<void>;
}

/** The records of one tenant. */
export interface TenantStore {
  /** Whose they are. */
  readonly tenant: string;
  /** `undefined` for what is not there and for what has expired. */
  get(kind: RecordKind, id: string): Promise<StoredRecord | undefined>;
  /** In the order of their ids by code unit, at most `limit` (default 1,000), those after `after` only. */
  list(
    kind: RecordKind,
    range?: { readonly after?: string; readonly limit?: number },
  ): Promise<readonly StoredRecord[]>;
  /**
   * All of them or none. Rejects with {@link StoreError} `conflict` when a record is not as a change expects it, or when another
   * record has the lookup.
   */
  write(changes: readonly Change[]): Promise<void>;
  /**
   * A lease: at most one holder of a name at a time, over all processes on the same store. `undefined` while another one holds
   * it. The same holder gets it anew.
   */
  acquireLease(name: string, holder: string, milliseconds: number): Promise<Lease | undefined>;
  /** Puts its end off; `undefined` when it was lost meanwhile. */
  renewLease(lease: Lease, milliseconds: number): Promise<Lease | undefined>;
  /** Gives it up; nothing happens when it was lost. */
  releaseLease(lease: Lease): Promise<void>;
  /** Removes all records and leases of the tenant. */
  clear(): Promise<void>;
}

/**
 * What is kept. `use`: when tokens and sessions were last used, written often and of no consequence. `credential`: of connections, sealed.
 * `flow`: an authorization under way, and what waits for a choice. `client`: a registration at an authorization server. `vault`: which
 * keys have sealed something.
 *
 * Of the authorization server: `grant`, what a person allows a client, with `access`, `refresh` and `code`, the tokens that came of it;
 * `registration`, a client that registered itself; `interaction`, a question to a browser that is open. `sign_in`: a person at an
 * identity provider, on the way back; `account`: which user somebody is who signs in there.
 */
export type RecordKind =
  | "user"
  | "token"
  | "session"
  | "tenant"
  | "use"
  | "credential"
  | "flow"
  | "client"
  | "vault"
  | "grant"
  | "access"
  | "refresh"
  | "code"
  | "registration"
  | "interaction"
  | "sign_in"
  | "account";

/** One record as it was read. */
export interface StoredRecord {
  readonly kind: RecordKind;
  /** Unique in its tenant and kind. */
  readonly id: string;
  /** Grows with each write of the record; for `Change.expected`. */
  readonly version: number;
  readonly value: JsonObject;
  /** Unique in its kind over all tenants. */
  readonly lookup: string | undefined;
  /** Milliseconds since 1970; from then on it is not there any more. */
  readonly expiresAt: number | undefined;
}

/** A record with the tenant that it belongs to. */
export interface FoundRecord {
  readonly tenant: string;
  readonly record: StoredRecord;
}

/** One change of one record. `expected` is the version that it must have; `absent`: it must not be there; `any`: whatever. */
export type Change =
  | {
      readonly action: "put";
      readonly kind: RecordKind;
      readonly id: string;
      readonly value: JsonObject;
      readonly lookup?: string | undefined;
      readonly expiresAt?: number | undefined;
      readonly expected: number | "absent" | "any";
    }
  | {
      readonly action: "delete";
      readonly kind: RecordKind;
      readonly id: string;
      readonly expected: number | "any";
    };

/** A lease that is held. */
export interface Lease {
  readonly name: string;
  readonly holder: string;
  /** Grows each time that the lease changes hands: a write under an older one is late. */
  readonly fence: number;
  /** Milliseconds since 1970, by the store's clock. */
  readonly endsAt: number;
}

/** Why the store did not do what it was asked for. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  /** `conflict`: an expectation did not hold. `unavailable`: it can't be read or written at the moment, or not at all. */
  readonly code: "conflict" | "unavailable";

  constructor(code: StoreError["code"], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
