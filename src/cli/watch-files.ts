import { statSync } from "node:fs";

const defaultPause = 300;

/**
 * Tells when one of a set of files changes, appears or goes, however that is done: written in place, renamed over, behind a
 * symbolic link that is set anew, with its folder replaced.
 *
 * It looks at the files' states in short pauses. Notifications of the file system miss several of those ways and do not come
 * at all from network file systems; a configuration is a few dozen files at most.
 */
export class FileWatch {
  readonly #changed: () => void;
  readonly #pause: number;
  #files: readonly string[] = [];
  /** The state that was last told, or found when the set was given. */
  #known = "";
  #last = "";
  #timer: NodeJS.Timeout | undefined;

  /** @param pause in ms between two looks. A change is told once the files have been the same for two looks. */
  constructor(changed: () => void, pause: number = defaultPause) {
    this.#changed = changed;
    this.#pause = pause;
  }

  /** Watches exactly these files from now on; absolute paths. What changes after this call is told. */
  set(files: readonly string[]): void {
    this.#files = files;
    this.#known = this.#last = describeStates(files);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), this.#pause).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    this.#timer = setTimeout(() => this.#look(), this.#pause).unref();
    const current = describeStates(this.#files);
    const settled = current === this.#last;
    this.#last = current;
    if (!settled || current === this.#known) return;
    this.#known = current;
    this.#changed();
  }
}

/** What tells one content of each file from another without reading it. */
function describeStates(files: readonly string[]): string {
  return files.map(describeState).join("\n");
}

function describeState(file: string): string {
  try {
    const state = statSync(file, { bigint: true, throwIfNoEntry: false });
    return state === undefined ? "absent" : `${state.ino} ${state.mtimeNs} ${state.size}`;
  } catch {
    return "unreachable";
  }
}
