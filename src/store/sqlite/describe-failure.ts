import { StoreError } from "../store.ts";

// Primary result codes of SQLite, https://www.sqlite.org/rescode.html
const busy = 5;
const outOfMemory = 7;
const readOnly = 8;
const inputOutput = 10;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const tooBig = 18;
const notADatabase = 26;
/** The extended code of a value that stands in a unique index already. */
const uniqueViolation = 2067;

/** Whether another connection has the lock that was needed, so that the same may succeed in a moment. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === busy;
}

/** Whether two records would have the same lookup. */
export function isUniqueViolation(error: unknown): boolean {
  return resultCode(error) === uniqueViolation;
}

/** Whatever went wrong with a database file as the store's own error, which says what to do about it. */
export function describeFailure(error: unknown, file: string): StoreError {
  return error instanceof StoreError ? error : new StoreError("unavailable", explain(error, file), error);
}

function explain(error: unknown, file: string): string {
  switch (primaryCode(error)) {
    case busy:
      return `Another process has kept the store ${file} locked for too long. Find the one that has it open, and end what it does there.`;
    case full:
      return `The disk of the store ${file} is full. Make room on it; nothing was written, and the next write succeeds then.`;
    case readOnly:
      return `The store ${file} can't be written. Give this user the right to write the file and its folder.`;
    case cannotOpen:
      return `The store ${file} can't be opened. Check that this user may read and write the file and its folder.`;
    case inputOutput:
      return `The disk failed to read or write the store ${file}. Check the disk and its file system.`;
    case corrupt:
      return `The store ${file} is damaged. Stop the gateway and put a backup in its place.`;
    case notADatabase:
      return `${file} is no store of the gateway: it is no SQLite database. Name another file, or move this one away.`;
    case tooBig:
      return `A record is too large for the store ${file}.`;
    case outOfMemory:
      return `There was too little memory for the store ${file}.`;
    default:
      return `The store ${file} failed: ${error instanceof Error ? error.message : String(error)}.`;
  }
}

function primaryCode(error: unknown): number | undefined {
  const code = resultCode(error);
  return code === undefined ? undefined : code & 0xff;
}

function resultCode(error: unknown): number | undefined {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number"
    ? error.errcode
    : undefined;
}
