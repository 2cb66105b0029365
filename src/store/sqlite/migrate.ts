import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../store.ts";
import { copyDatabase } from "./copy-database.ts";
import type { Migration } from "./migrations.ts";
import { retryWhileBusy } from "./retry-while-busy.ts";

/** "Gstl", by which a database is known to be a store of the gateway, to `file` among others. */
const applicationId = 0x4773746c;

/** So many copies made before migrations from the same version are kept apart. */
const mostCopies = 100;

/**
 * The version of a database, 0 for an empty one. Throws {@link StoreError} for one that is another program's or of a newer
 * version of this one; both are left as they are.
 */
export function readVersion(database: DatabaseSync, file: string, latest: number): number {
  const version = readNumber(database, "PRAGMA user_version");
  const application = readNumber(database, "PRAGMA application_id");
  if (application !== applicationId) {
    const isEmpty = application === 0 && readNumber(database, "SELECT count(*) FROM sqlite_schema") === 0;
    if (isEmpty && version === 0) {
      return 0;
    }
    throw new StoreError(
      "unavailable",
      `${file} is the database of another program. Name another file, or move this one away.`,
    );
  }
  if (version > latest) {
    throw new StoreError(
      "unavailable",
      `The store ${file} was written by a newer version of the gateway (its version is ${version}, this one knows up to ${latest}). Use that, or put a backup from before in its place.`,
    );
  }
  return version;
}

/**
 * Brings a database to the latest version in one transaction, or leaves it as it is. Of several processes that try at once, one
 * does it and the others wait. A file whose data changes is copied before, to `FILE.version-N.backup` beside it.
 */
export async function migrate(
  database: DatabaseSync,
  file: string,
  migrations: readonly Migration[],
  patience: number,
): Promise<void> {
  if (readVersion(database, file, migrations.length) === migrations.length) {
    return;
  }
  await retryWhileBusy(() => database.exec("BEGIN IMMEDIATE"), patience);
  try {
    // Again, with the lock: another process may have done it meanwhile.
    const version = readVersion(database, file, migrations.length);
    const steps = migrations.slice(version);
    if (version > 0 && steps.some((step) => step.changesData)) {
      await copyBeside(file, version);
    }
    for (const step of steps) {
      database.exec(step.sql);
    }
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length};`);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) {
      database.exec("ROLLBACK");
    }
    throw error;
  }
}

async function copyBeside(file: string, version: number): Promise<void> {
  const base = `${file}.version-${version}.backup`;
  for (let number = 1; number < mostCopies; number += 1) {
    if (await copyDatabase(file, number === 1 ? base : `${base}-${number}`)) {
      return;
    }
  }
  throw new StoreError("unavailable", `There are too many copies ${base}-…; remove those that nobody needs.`);
}

function readNumber(database: DatabaseSync, sql: string): number {
  const value = Object.values(database.prepare(sql).get() ?? {})[0];
  if (typeof value !== "number") {
    throw new TypeError(`${sql} did not give a number`);
  }
  return value;
}
