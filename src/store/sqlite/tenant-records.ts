import type { Change, Lease, RecordKind, StoredRecord, TenantStore } from "../store.ts";
import { applyChange, prepareChange } from "./apply-change.ts";
import type { Connection, GroupCommit, Transaction } from "./group-commit.ts";
import { acquireLease, releaseLease, renewLease } from "./lease-work.ts";
import { readFrom } from "./read-from.ts";
import { readRecord } from "./read-record.ts";
import { toKey } from "./text-key.ts";

const defaultLimit = 1_000;

/** The records and leases of one tenant: its key is the first value of every statement here. */
export class TenantRecords implements TenantStore {
  readonly tenant: string;
  readonly #key: string;
  readonly #connection: Connection;
  readonly #commit: GroupCommit;

  constructor(tenant: string, connection: Connection, commit: GroupCommit) {
    this.tenant = tenant;
    this.#key = toKey(tenant);
    this.#connection = connection;
    this.#commit = commit;
  }

  get(kind: RecordKind, id: string): Promise<StoredRecord | undefined> {
    return readFrom(this.#connection, ({ statements, now }) => {
      const row = statements("get").get(this.#key, kind, toKey(id), now());
      return row === undefined ? undefined : readRecord(this.tenant, kind, row);
    });
  }

  list(
    kind: RecordKind,
    { after, limit = defaultLimit }: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<readonly StoredRecord[]> {
    return readFrom(this.#connection, ({ statements, now }) => {
      // A negative one would mean all of them.
      const most = Math.max(0, limit);
      const rows =
        after === undefined
          ? statements("list").all(this.#key, kind, now(), most)
          : statements("listAfter").all(this.#key, kind, now(), most, toKey(after));
      return rows.map((row) => readRecord(this.tenant, kind, row));
    });
  }

  async write(changes: readonly Change[]): Promise<void> {
    const prepared = changes.map(prepareChange);
    await this.#commit.run((transaction) => {
      for (const change of prepared) {
        applyChange(transaction, this.#key, change);
      }
    });
  }

  acquireLease(name: string, holder: string, milliseconds: number): Promise<Lease | undefined> {
    return this.#commit.run((transaction) =>
      acquireLease(transaction, this.#key, { name, holder, milliseconds }),
    );
  }

  renewLease(lease: Lease, milliseconds: number): Promise<Lease | undefined> {
    return this.#commit.run((transaction) => renewLease(transaction, this.#key, lease, milliseconds));
  }

  releaseLease(lease: Lease): Promise<void> {
    return this.#commit.run((transaction) => releaseLease(transaction, this.#key, lease));
  }

  clear(): Promise<void> {
    return this.#commit.run((transaction) => clear(transaction, this.#key));
  }
}

function clear({ statements, counters }: Transaction, tenant: string): void {
  for (const { kind } of statements("kindsOf").all(tenant)) {
    counters.next(String(kind));
  }
  statements("clearRecords").run(tenant);
  statements("clearLeases").run(tenant);
}
