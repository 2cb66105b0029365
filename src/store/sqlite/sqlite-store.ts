import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type FoundRecord, type RecordKind, type Store, StoreError, type TenantStore } from "../store.ts";
import { copyDatabase } from "./copy-database.ts";
import { Counters } from "./counters.ts";
import { describeFailure } from "./describe-failure.ts";
import { type Connection, GroupCommit } from "./group-commit.ts";
import { OpenFiles } from "./open-files.ts";
import { readFrom } from "./read-from.ts";
import { type Row, readRecord } from "./read-record.ts";
import { prepareStatements } from "./statements.ts";
import { TenantRecords } from "./tenant-records.ts";
import { fromKey, toKey } from "./text-key.ts";

/** The tenant column of what belongs to the gateway itself. No tenant has this id. */
const gatewayTenant = "";

/** How a store is told the time and how long to wait. */
export interface SqliteStoreOptions {
  /** Milliseconds since 1970. Default: the system's clock, which all processes on the same file share. */
  readonly now?: () => number;
  /** How long writes wait while another process has the lock, in ms. Default 4,000. */
  readonly patience?: number;
}

/** Less than callers wait, so that they and the log hear what was in the way. */
const defaultPatience = 4_000;

/** A store in a database that is open and up to date, and that it closes. */
export class SqliteStore implements Store {
  readonly gateway: TenantStore;
  readonly #connection: Connection;
  readonly #commit: GroupCommit;
  readonly #backups = new Set<Promise<void>>();

  constructor(database: DatabaseSync, file: string, options: SqliteStoreOptions = {}) {
    const statements = prepareStatements(database);
    this.#connection = {
      database,
      file,
      files: new OpenFiles(file),
      statements,
      counters: new Counters(statements),
      now: options.now ?? Date.now,
      patience: options.patience ?? defaultPatience,
    };
    this.#commit = new GroupCommit(this.#connection);
    this.gateway = new TenantRecords(gatewayTenant, this.#connection, this.#commit);
  }

  tenant(id: string): TenantStore {
    if (id === gatewayTenant) {
      throw new TypeError("A tenant's id is not empty");
    }
    return new TenantRecords(id, this.#connection, this.#commit);
  }

  find(kind: RecordKind, lookup: string): Promise<FoundRecord | undefined> {
    return readFrom(this.#connection, ({ statements, now }) => {
      const row = statements("find").get(kind, toKey(lookup), now());
      if (row === undefined) {
        return undefined;
      }
      const tenant = fromKey(String(row["tenant"]));
      return { tenant, record: readRecord(tenant, kind, row) };
    });
  }

  epoch(kinds: readonly RecordKind[]): number {
    if (!this.#connection.database.isOpen) {
      throw new StoreError("unavailable", "The store is closed.");
    }
    try {
      this.#connection.files.checkOften();
      return this.#connection.counters.epoch(kinds);
    } catch (error) {
      throw describeFailure(error, this.#connection.file);
    }
  }

  tenantsWith(kind: RecordKind): Promise<readonly string[]> {
    return readFrom(this.#connection, ({ statements, now }) => {
      const tenants: string[] = [];
      let tenant: string | undefined = toKey(gatewayTenant);
      while (tenant !== undefined) {
        if (statements("hasKind").get(tenant, kind, now()) !== undefined) tenants.push(fromKey(tenant));
        const next: Row | undefined = statements("nextTenant").get(tenant);
        tenant = next === undefined ? undefined : String(next["tenant"]);
      }
      return tenants;
    });
  }

  async backup(file: string): Promise<void> {
    if (!this.#connection.database.isOpen) {
      throw new StoreError("unavailable", "The store is closed.");
    }
    const backup = this.#backUp(resolve(file));
    this.#backups.add(backup);
    try {
      await backup;
    } finally {
      this.#backups.delete(backup);
    }
  }

  async close(): Promise<void> {
    await this.#commit.close();
    await Promise.allSettled(this.#backups);
    const { database } = this.#connection;
    if (database.isOpen) {
      // Also moves the log into the file and removes it, if nobody else has it open.
      database.close();
    }
  }

  async #backUp(target: string): Promise<void> {
    const { file, files } = this.#connection;
    let isCopied: boolean;
    try {
      files.check();
      isCopied = await copyDatabase(file, target);
    } catch (error) {
      const { message } = describeFailure(error, file);
      throw new StoreError("unavailable", `The backup ${target} was not made. ${message}`, error);
    }
    if (!isCopied) {
      throw new StoreError(
        "unavailable",
        `There is a file ${target} already. Name a new one for the backup.`,
      );
    }
  }
}
