import { closeSync, existsSync, openSync } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { missingPermission } from "../../missing-permission.ts";
import { StoreError } from "../store.ts";
import { migrate, readVersion } from "./migrate.ts";
import type { Migration } from "./migrations.ts";
import { lockPatience, retryWhileBusy } from "./retry-while-busy.ts";

/** Least time for which opening waits for others, in ms: one of them may be migrating a large file. */
const openPatience = 30_000;

/**
 * Opens a database file, which is created where there is none, and brings it to the latest version.
 *
 * @param file absolute, so that it is never taken for a URI or for a database in memory.
 * Rejects with {@link StoreError}, or with an error of SQLite.
 */
export async function openDatabase(file: string, migrations: readonly Migration[]): Promise<DatabaseSync> {
  await checkFolder(dirname(file));
  refuseRemoved(file);
  create(file);
  await checkFile(file);
  const database = new DatabaseSync(file, {
    timeout: lockPatience,
    enableDoubleQuotedStringLiterals: false,
    defensive: true,
  });
  try {
    await retryWhileBusy(() => {
      readVersion(database, file, migrations.length);
      configure(database, file);
    }, openPatience);
    await migrate(database, file, migrations, openPatience);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function configure(database: DatabaseSync, file: string): void {
  const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"];
  if (mode !== "wal") {
    throw new StoreError(
      "unavailable",
      `The file system of ${file} can't share memory between processes, which the store needs. Put it on a local disk.`,
    );
  }
  // FULL: a commit waits until the disk has it; the two after it make macOS mean that. The last one keeps the log small after a
  // long backup let it grow.
  database.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA journal_size_limit = 67108864;
  `);
}

async function checkFolder(folder: string): Promise<void> {
  try {
    if ((await stat(folder)).isDirectory()) {
      return;
    }
  } catch (error) {
    refuseForbidden(folder, error);
    throw new StoreError("unavailable", `The store's folder ${folder} does not exist. Create it.`, error);
  }
  throw new StoreError("unavailable", `${folder} is no folder. Name a file inside a folder for the store.`);
}

/**
 * A log without its file: the file was moved away while a gateway has it open, or after one died. A new one in its place would take
 * the log over, and what stands in it would be lost for the old one.
 */
function refuseRemoved(file: string): void {
  const log = `${file}-wal`;
  // In this order: where another process makes a new store meanwhile, the file is there before its log.
  if (existsSync(log) && !existsSync(file)) {
    throw new StoreError(
      "unavailable",
      `The store ${file} is missing, but its log ${log} is there. Put the file back, or, to begin anew, stop the gateway and remove the log.`,
    );
  }
}

/** With rights that SQLite gives to the files beside it too. */
function create(file: string): void {
  try {
    // Never opened when it exists, and closed before anything else runs: closing any handle of a file takes away the locks that
    // SQLite holds on it in the same process (https://www.sqlite.org/howtocorrupt.html, 2.2).
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) {
      throw unwritable(file, error);
    }
  }
}

async function checkFile(file: string): Promise<void> {
  if (!(await stat(file)).isFile()) {
    throw new StoreError("unavailable", `${file} is no file. Name another one for the store.`);
  }
  try {
    await access(file, constants.R_OK | constants.W_OK);
    await access(dirname(file), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unwritable(file, error);
  }
}

/** The file has two others beside it, so that it takes the folder. */
function refuseForbidden(folder: string, error: unknown): void {
  if (missingPermission(error) === undefined) return;
  throw new StoreError(
    "unavailable",
    `Node may not use the store's folder ${folder}. Start it with \`--allow-fs-read=${folder}/\` and \`--allow-fs-write=${folder}/\`.`,
    error,
  );
}

function unwritable(file: string, cause: unknown): StoreError {
  refuseForbidden(dirname(file), cause);
  return new StoreError(
    "unavailable",
    `The store ${file} can't be written. Give this user the right to write the file and its folder.`,
    cause,
  );
}
