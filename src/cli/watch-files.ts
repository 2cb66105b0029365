import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Editors save in several steps; a reload waits until the files have been quiet for so long, in ms. */
const quietMilliseconds = 100;

/**
 * Tells when one of a set of files changes, appears or goes. It watches folders, not files: editors and deployments replace
 * files, and a watch on a file ends with it.
 */
export class FileWatch {
  readonly #changed: () => void;
  #watchers: readonly FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Watches exactly these files from now on; absolute paths. */
  set(files: readonly string[]): void {
    const before = this.#watchers;
    const folders = Map.groupBy(new Set(files), dirname);
    this.#watchers = [...folders].flatMap(([folder, inFolder]) => {
      const names = new Set(inFolder.map((file) => basename(file)));
      try {
        const watcher = watch(folder, (_event, name) => {
          if (name !== null && names.has(name)) this.#notice();
        });
        // A folder that is removed ends its watch; the next reload sets a new one.
        watcher.on("error", () => watcher.close());
        return [watcher];
      } catch {
        // A folder that does not exist holds nothing to watch; loading reports it.
        return [];
      }
    });
    for (const watcher of before) watcher.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }

  #notice(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#changed, quietMilliseconds);
  }
}
