import { performance } from "node:perf_hooks";
import type { RecordKind } from "../store.ts";
import type { Statements } from "./statements.ts";

const { nodeTiming } = performance;

/**
 * Counts the changes of each kind of record, and, as `lease`, the leases that were given: in the database itself and so over all
 * processes and all time. The count at which a record was written
 * is its version, and the count at which a lease was given its fence: neither ever comes again, not even after a deletion.
 */
export class Counters {
  readonly #statements: Statements;
  readonly #known = new Map<string, number>();
  #dataVersion: number | undefined;
  /** How long the event loop had slept in all when the file was looked at; `undefined`: that was in another turn of it. */
  #sleptAtLook: number | undefined;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** A number that grows whenever records of these kinds were changed, by whomever. */
  epoch(kinds: readonly RecordKind[]): number {
    if (this.#sleptAtLook !== nodeTiming.idleTime) this.#look();
    return kinds.reduce((sum, kind) => sum + (this.#known.get(kind) ?? 0), 0);
  }

  /**
   * Looks at the file, which takes a tenth of the time of a call, for all that is asked in this turn of the event loop. The requests
   * of a turn were there when it began to handle them, so that none follows from what another process did after the look. What was
   * seen is over with the turn, and when the loop sleeps in the middle of one, between timers and requests.
   */
  #look(): void {
    // Tells of commits of other connections only, and costs far less than reading the table.
    const dataVersion = this.#statements("dataVersion").get()?.["data_version"];
    if (dataVersion !== this.#dataVersion || dataVersion === undefined) {
      this.adopt(readCounters(this.#statements));
      // Asked for before the table was read: what was committed between the two is seen next time.
      this.#dataVersion = typeof dataVersion === "number" ? dataVersion : undefined;
    }
    this.#sleptAtLook = nodeTiming.idleTime;
    // One that the loop had to wait for would cost it another turn.
    setImmediate(() => {
      this.#sleptAtLook = undefined;
    }).unref();
  }

  /** Takes over what this connection has committed. */
  adopt(values: ReadonlyMap<string, number>): void {
    for (const [name, value] of values) {
      this.#known.set(name, value);
    }
  }
}

/** The counters inside of one transaction. */
export class TransactionCounters {
  readonly #statements: Statements;
  readonly #values: Map<string, number>;
  readonly #changed = new Map<string, number>();

  constructor(statements: Statements) {
    this.#statements = statements;
    this.#values = readCounters(statements);
  }

  /** Counts one more. What is undone afterwards leaves a gap. */
  next(name: string): number {
    const value = (this.#values.get(name) ?? 0) + 1;
    this.#values.set(name, value);
    this.#changed.set(name, value);
    return value;
  }

  /** Writes those that have changed, and returns them. */
  save(): ReadonlyMap<string, number> {
    for (const [name, value] of this.#changed) {
      this.#statements("saveCounter").run(name, value);
    }
    return this.#changed;
  }
}

function readCounters(statements: Statements): Map<string, number> {
  return new Map(
    statements("readCounters")
      .all()
      .map(({ name, value }) => {
        if (typeof name !== "string" || typeof value !== "number") {
          throw new TypeError("The counters of the store are of another type");
        }
        return [name, value];
      }),
  );
}
