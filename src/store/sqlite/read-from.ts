import { StoreError } from "../store.ts";
import { describeFailure } from "./describe-failure.ts";
import type { Connection } from "./group-commit.ts";
import { retryWhileBusy } from "./retry-while-busy.ts";

/**
 * Answers from what is committed at this moment. Readers wait for nobody but a process that repairs the database after the death
 * of another one. Rejects with {@link StoreError}.
 */
export async function readFrom<Result>(
  connection: Connection,
  query: (connection: Connection) => Result,
): Promise<Result> {
  if (!connection.database.isOpen) {
    throw new StoreError("unavailable", "The store is closed.");
  }
  try {
    connection.files.check();
    return await retryWhileBusy(() => query(connection), connection.patience);
  } catch (error) {
    throw describeFailure(error, connection.file);
  }
}
