import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { StoreError } from "../store.ts";
import { type Counters, TransactionCounters } from "./counters.ts";
import { describeFailure } from "./describe-failure.ts";
import type { OpenFiles } from "./open-files.ts";
import { retryWhileBusy } from "./retry-while-busy.ts";
import type { Statements } from "./statements.ts";

/** What a piece of work is given inside of the transaction. */
export interface Transaction {
  readonly statements: Statements;
  readonly counters: TransactionCounters;
  /** The store's clock, the same for all that is committed together. */
  readonly now: number;
}

/** The connection that work is committed on, and what belongs to it. */
export interface Connection {
  readonly database: DatabaseSync;
  readonly statements: Statements;
  readonly counters: Counters;
  /** Absolute path of the database. */
  readonly file: string;
  readonly files: OpenFiles;
  readonly now: () => number;
  /** How long to wait for the lock of another process, in ms. */
  readonly patience: number;
}

interface Job {
  /** When it was asked for, in ms of a clock that never goes back. */
  readonly since: number;
  /** Does the work; what it returns tells the waiting caller of success. */
  readonly attempt: (transaction: Transaction) => () => void;
  readonly refuse: (error: StoreError) => void;
}

/** So many may wait; more are refused. */
const mostWaiting = 10_000;
/** So many share a transaction, for the sake of those who wait for the thread. */
const mostTogether = 1_000;
/** So many expired records, and leases, are removed with each transaction. */
const mostPurged = 64;

/**
 * Commits what was asked for within one turn of the event loop in one transaction, because what a commit costs is the wait for
 * the disk, once. Each piece of work succeeds or fails on its own; all hear of it after the commit only.
 */
export class GroupCommit {
  readonly #connection: Connection;
  readonly #waiting: Job[] = [];
  #draining: Promise<void> | undefined;
  #closed = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Does a piece of work in a transaction. Rejects with {@link StoreError}; nothing of the work is left then. */
  run<Result>(work: (transaction: Transaction) => Result): Promise<Result> {
    if (this.#closed) {
      return Promise.reject(new StoreError("unavailable", "The store is closed."));
    }
    if (this.#waiting.length >= mostWaiting) {
      return Promise.reject(
        new StoreError("unavailable", "Too many writes wait for the store. Try again in a moment."),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        since: performance.now(),
        attempt: (transaction) => {
          const result = work(transaction);
          return () => resolve(result);
        },
        refuse: reject,
      });
      this.#draining ??= this.#drain();
    });
  }

  /** Refuses everything from now on, and returns once all that was asked for before is done. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      await nextTurn();
      const jobs = this.#waiting.splice(0, mostTogether);
      try {
        // From when the first was asked for: behind others that waited in vain, nobody waits as long again.
        const waited = performance.now() - (jobs[0]?.since ?? 0);
        const settlements = await retryWhileBusy(
          () => this.#commit(jobs),
          this.#connection.patience - waited,
        );
        for (const settle of settlements) {
          settle();
        }
      } catch (error) {
        const failure = describeFailure(error, this.#connection.file);
        for (const job of jobs) {
          job.refuse(failure);
        }
      }
    }
    this.#draining = undefined;
  }

  #commit(jobs: readonly Job[]): readonly (() => void)[] {
    const { database, statements, counters, files, now } = this.#connection;
    files.check();
    statements("begin").run();
    try {
      const transaction = { statements, counters: new TransactionCounters(statements), now: now() };
      const settlements = jobs.map((job) => this.#attempt(job, transaction));
      statements("purgeRecords").run(transaction.now, mostPurged);
      statements("purgeLeases").run(transaction.now, mostPurged);
      const changed = transaction.counters.save();
      statements("commit").run();
      counters.adopt(changed);
      return settlements;
    } catch (error) {
      // SQLite itself ends the transaction on some failures, such as a full disk.
      if (database.isTransaction) {
        statements("rollBack").run();
      }
      throw error;
    }
  }

  #attempt(job: Job, transaction: Transaction): () => void {
    const { database, statements, file } = this.#connection;
    statements("beginOne").run();
    try {
      const settle = job.attempt(transaction);
      statements("finishOne").run();
      return settle;
    } catch (error) {
      if (!database.isTransaction) {
        throw error;
      }
      statements("undoOne").run();
      statements("finishOne").run();
      return () => job.refuse(describeFailure(error, file));
    }
  }
}
