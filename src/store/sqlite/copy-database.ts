import { closeSync, openSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { backup, DatabaseSync } from "node:sqlite";
import { StoreError } from "../store.ts";

/** Pages copied at a time, on another thread; 4 MiB. */
const pagesAtOnce = 1_024;

/**
 * Writes a consistent copy of a database to a new file that only its owner may read, and checks it. Others write on meanwhile.
 * `false` when there is a file of that name; it is left alone. Rejects when the copy can't be made, and leaves none then.
 */
export async function copyDatabase(file: string, target: string): Promise<boolean> {
  try {
    closeSync(openSync(target, "wx", 0o600));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") {
      return false;
    }
    throw new StoreError(
      "unavailable",
      `The copy ${target} can't be written. Check that its folder exists and that this user may write there.`,
      error,
    );
  }
  try {
    await copyPages(file, target);
    checkCopy(target);
    return true;
  } catch (error) {
    await unlink(target);
    throw error;
  }
}

async function copyPages(file: string, target: string): Promise<void> {
  // A connection of its own that stays in one transaction: the copy is of this moment, and never begins anew because others write.
  const source = new DatabaseSync(file, { readOnly: true, timeout: 1_000 });
  try {
    source.exec("BEGIN");
    source.prepare("SELECT count(*) FROM sqlite_schema").get();
    await backup(source, target, { rate: pagesAtOnce });
  } finally {
    source.close();
  }
}

function checkCopy(target: string): void {
  const copy = new DatabaseSync(target);
  try {
    // So that the copy is one file, without those that WAL needs beside it.
    copy.exec("PRAGMA journal_mode = DELETE");
    const [finding] = Object.values(copy.prepare("PRAGMA quick_check(1)").get() ?? {});
    if (finding !== "ok") {
      throw new StoreError(
        "unavailable",
        `The store is damaged, so that no copy was made: ${String(finding)}.`,
      );
    }
  } finally {
    copy.close();
  }
}
