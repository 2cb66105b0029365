import { resolve } from "node:path";
import type { Store } from "../store.ts";
import { describeFailure } from "./describe-failure.ts";
import { migrations } from "./migrations.ts";
import { openDatabase } from "./open-database.ts";
import { SqliteStore, type SqliteStoreOptions } from "./sqlite-store.ts";

/**
 * Opens the store in a SQLite file, which is created, readable by its owner only, where there is none. Any number of processes on
 * one machine may have it open. Rejects with `StoreError` whose message tells the operator what to do: for a folder that does not
 * exist, a file that can't be written or is no store, and a store of a newer version.
 */
export async function openSqliteStore(file: string, options: SqliteStoreOptions = {}): Promise<Store> {
  const path = resolve(file);
  try {
    return new SqliteStore(await openDatabase(path, migrations), path, options);
  } catch (error) {
    throw describeFailure(error, path);
  }
}
