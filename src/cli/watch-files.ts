import { statSync } from "node:fs";

const defaultPause = 300;

/**
 * Tells when one of a set of files changes, appears or goes, however that is done: written in place, renamed over, behind a
 * symbolic link that is set anew, with its folder replaced.
 *
 * It looks at the files' states in short pauses. Notifications of the file system miss several of those ways and do not come
 * at all from network file systems; a configuration and its documents are a few hundred files at most.
 */
export class FileWatch {
  readonly #changed: () => void;
  readonly #pause: number;
  #files: () => readonly string[] = () => [];
  /** The state of each file that was last told, or found when it came into the set. */
  #known: FileStates = new Map();
  #last: FileStates = new Map();
  /** When the set was given, in ms of the clock that files have. */
  #since = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** @param pause in ms between two looks. A change is told once the files have been the same for two looks. */
  constructor(changed: () => void, pause: number = defaultPause) {
    this.#changed = changed;
    this.#pause = pause;
  }

  /**
   * Watches exactly these files from now on; absolute paths. The set is asked for at each look, so it may grow and shrink by
   * itself. Call it before the files are read: one that comes into the set later is told when it has changed since this call.
   * One that was in the set before is told when it differs from what was known of it.
   */
  set(files: () => readonly string[]): void {
    this.#files = files;
    this.#last = describeStates(files());
    this.#since = Number.POSITIVE_INFINITY;
    this.#known = this.#withNew(this.#last);
    this.#since = Date.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), this.#pause).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    this.#timer = setTimeout(() => this.#look(), this.#pause).unref();
    const current = describeStates(this.#files());
    const known = this.#withNew(current);
    const settled = isSame(current, this.#last);
    const changed = !isSame(current, known);
    this.#last = current;
    this.#known = settled && changed ? current : known;
    if (settled && changed) this.#changed();
  }

  /** What is known of these files; one that is new among them is as it is now, unless that can't be what was read. */
  #withNew(current: FileStates): FileStates {
    const newState = (file: string, state: string): string =>
      hasChanged(file, this.#since) ? "changed since" : state;
    return new Map(
      [...current].map(([file, state]) => [file, this.#known.get(file) ?? newState(file, state)]),
    );
  }
}

/** What tells one content of each file from another without reading it. */
type FileStates = ReadonlyMap<string, string>;

function describeStates(files: readonly string[]): FileStates {
  return new Map(files.map((file) => [file, describeState(file)]));
}

/** Files that only one of the two has do not count. */
function isSame(states: FileStates, others: FileStates): boolean {
  return [...states].every(([file, state]) => (others.get(file) ?? state) === state);
}

function describeState(file: string): string {
  try {
    const state = statSync(file, { bigint: true, throwIfNoEntry: false });
    return state === undefined ? "absent" : `${state.ino} ${state.mtimeNs} ${state.size}`;
  } catch {
    return "unreachable";
  }
}

function hasChanged(file: string, since: number): boolean {
  try {
    return (statSync(file, { throwIfNoEntry: false })?.ctimeMs ?? 0) > since;
  } catch {
    return false;
  }
}
