import type { Change, RecordKind, StoredRecord } from "../../src/store/store.ts";

/** A record of the model: without the version, which is the store's own choice, but with the number of its last write. */
export type ModelRecord = Omit<StoredRecord, "version"> & { readonly written: number };

/** What a store must do, as plainly as it can be said: everything in one list. */
export class ModelStore {
  #records: readonly (ModelRecord & { readonly tenant: string })[] = [];
  #written = 0;
  now = 1_000;

  get(tenant: string, kind: RecordKind, id: string): ModelRecord | undefined {
    return this.#alive(this.#records).find(
      (record) => record.tenant === tenant && record.kind === kind && record.id === id,
    );
  }

  list(tenant: string, kind: RecordKind): readonly ModelRecord[] {
    return this.#alive(this.#records)
      .filter((record) => record.tenant === tenant && record.kind === kind)
      .toSorted((first, second) => (first.id < second.id ? -1 : 1));
  }

  find(kind: RecordKind, lookup: string): (ModelRecord & { readonly tenant: string }) | undefined {
    return this.#alive(this.#records).find((record) => record.kind === kind && record.lookup === lookup);
  }

  clear(tenant: string): void {
    this.#records = this.#records.filter((record) => record.tenant !== tenant);
  }

  /** `expected` counts writes here. Returns whether all of it happened; else nothing did. */
  write(tenant: string, changes: readonly Change[]): boolean {
    let records = this.#alive(this.#records);
    for (const change of changes) {
      const same = (record: { tenant: string; kind: string; id: string }) =>
        record.tenant === tenant && record.kind === change.kind && record.id === change.id;
      const current = records.find(same);
      if (
        change.expected === "absent"
          ? current !== undefined
          : change.expected !== "any" && change.expected !== current?.written
      ) {
        return false;
      }
      records = records.filter((record) => !same(record));
      if (change.action === "put") {
        const { kind, id, value, lookup, expiresAt } = change;
        if (
          lookup !== undefined &&
          records.some((record) => record.kind === kind && record.lookup === lookup)
        ) {
          return false;
        }
        this.#written += 1;
        records = this.#alive([
          ...records,
          { tenant, kind, id, value, lookup, expiresAt, written: this.#written },
        ]);
      }
    }
    this.#records = records;
    return true;
  }

  #alive<Item extends ModelRecord>(records: readonly Item[]): readonly Item[] {
    return records.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > this.now);
  }
}
