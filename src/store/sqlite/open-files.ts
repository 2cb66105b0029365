import { realpathSync, statSync } from "node:fs";
import { StoreError } from "../store.ts";

/** What SQLite keeps beside a database in WAL mode while it is open. */
const besides = ["-wal", "-shm"];

const goodMilliseconds = 50;

/**
 * The files of a database that is open. SQLite goes on with those that it has open when they are removed or replaced: it would answer
 * from what no other process sees or changes any more, and lose what it writes.
 */
export class OpenFiles {
  readonly #file: string;
  readonly #paths: readonly string[];
  /** What each path led to when it was first looked at. */
  readonly #known = new Map<string, string>();
  #size = 0;
  #isCut = false;
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(file: string) {
    this.#file = file;
    // Beside the file that a symbolic link leads to.
    const real = realpathSync(file);
    this.#paths = [file, ...besides.map((end) => `${real}${end}`)];
    this.check();
  }

  /** Throws {@link StoreError} when the files at the paths are not those that are open. */
  check(): void {
    this.#checkedAt = Number.NEGATIVE_INFINITY;
    for (const path of this.#paths) this.#compare(path);
    this.#checkedAt = performance.now();
  }

  /** The same for what is asked for at every request: a look that was good is good for some milliseconds. */
  checkOften(): void {
    const isGood = performance.now() - this.#checkedAt < goodMilliseconds;
    if (!isGood || this.#known.size < this.#paths.length) this.check();
  }

  #compare(path: string): void {
    const found = statSync(path, { throwIfNoEntry: false });
    const known = this.#known.get(path);
    // Those beside it appear with the first statement.
    if (found === undefined && known === undefined) return;
    const identity = found && `${found.dev} ${found.ino}`;
    if (identity === undefined || (known !== undefined && identity !== known)) {
      throw new StoreError(
        "unavailable",
        `${path} was removed or replaced while the store was open. Put the file back that was there, or start the gateway again to go on with what is there now.`,
      );
    }
    if (known === undefined) this.#known.set(path, identity);
    if (path === this.#file) this.#compareSize(found?.size ?? 0);
  }

  /** A store never shrinks. What SQLite still holds of one that did is no longer to be trusted, whatever is put in its place. */
  #compareSize(size: number): void {
    if (size < this.#size) this.#isCut = true;
    if (this.#isCut) {
      throw new StoreError(
        "unavailable",
        `The store ${this.#file} was cut off while it was open. Stop the gateway, put a backup in its place, and start it again.`,
      );
    }
    this.#size = size;
  }
}
