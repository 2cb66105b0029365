import type { Change } from "../store/store.ts";
import { checkRecord, demand, isTime, member } from "./check-record.ts";
import type { GuardedStore } from "./guard-store.ts";

/** When one credential was last used. */
export interface UseMark {
  /** Milliseconds since 1970; 0: not in this process. */
  seen: number;
}

/** Whose use is followed. */
export interface UsedCredential {
  readonly tenant: string;
  readonly kind: "token" | "session" | "grant" | "user";
  readonly id: string;
  /** Id of the user behind it, if it is another thing than the user. */
  readonly user: string | undefined;
}

/** Follows when credentials are used, and writes it down late: no request waits for it, and nothing hangs on it. */
export interface UseTracker {
  mark(credential: UsedCredential): UseMark;
  touch(mark: UseMark, time: number): void;
  /** When something was last used as far as this process knows; the store may know of more. */
  seen(tenant: string, use: string): number;
  /** Writes all that is left. */
  close(): Promise<void>;
}

interface Mark extends UseMark {
  readonly credential: UsedCredential;
  written: number;
}

/** Id of the record that tells when a token, a session, a grant or a user was last used. */
export function useId(kind: UsedCredential["kind"], id: string): string {
  return `${kind}:${id}`;
}

/** The time in such a record. Throws `MalformedRecordError`. */
export function readUse(found: unknown, id?: string): { readonly id: string; readonly at: number } {
  const record = checkRecord(found, "use", ["at"], id);
  const at = member(record, "at", isTime);
  demand(record.expiresAt === at + keepMilliseconds, record, "end");
  return { id: record.id, at };
}

/** A credential that is used all the time is written down so often. */
const writeMilliseconds = 60_000;
const tickMilliseconds = 1_000;
/** Longer than this nobody wants to know; it also ends what a token leaves behind that was removed while it was used. */
const keepMilliseconds = 400 * 24 * 60 * 60 * 1_000;
const mostMarks = 20_000;
const batchSize = 500;

/** Makes a tracker. What it can't write is lost, which the store itself tells the log. */
export function trackUses(store: GuardedStore, now: () => number): UseTracker {
  const marks = new Map<string, Mark>();
  const dirty = new Set<Mark>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  function schedule(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      writing = writing
        .then(() => write((mark) => now() - mark.written >= writeMilliseconds))
        .then(() => {
          if (dirty.size > 0) schedule();
        });
    }, tickMilliseconds).unref();
  }

  async function write(due: (mark: Mark) => boolean): Promise<void> {
    const byTenant = Map.groupBy([...dirty].filter(due), ({ credential }) => credential.tenant);
    for (const [tenant, all] of byTenant) {
      for (let from = 0; from < all.length; from += batchSize) {
        const batch = all.slice(from, from + batchSize);
        for (const mark of batch) {
          dirty.delete(mark);
          // Failed or not: this is not tried again before the next time is due.
          mark.written = now();
        }
        await store
          .tenant(tenant)
          .write(changesOf(batch))
          .catch(() => {});
      }
    }
  }

  return {
    mark(credential) {
      const key = `${credential.tenant}/${useId(credential.kind, credential.id)}`;
      const known = marks.get(key);
      const mark = known ?? { credential, seen: 0, written: Number.NEGATIVE_INFINITY };
      marks.delete(key);
      marks.set(key, mark);
      if (marks.size > mostMarks) {
        const [oldest] = marks.keys();
        if (oldest !== undefined) marks.delete(oldest);
      }
      return mark;
    },
    touch(mark, time) {
      mark.seen = time;
      if (!isMark(mark) || dirty.size >= mostMarks) return;
      dirty.add(mark);
      schedule();
    },
    seen: (tenant, use) => marks.get(`${tenant}/${use}`)?.seen ?? 0,
    async close() {
      clearTimeout(timer);
      timer = undefined;
      await writing;
      await write(() => true);
    },
  };
}

function isMark(mark: UseMark): mark is Mark {
  return "written" in mark;
}

function changesOf(marks: readonly Mark[]): readonly Change[] {
  const times = new Map<string, number>();
  const note = (id: string, seen: number) => times.set(id, Math.max(seen, times.get(id) ?? 0));
  for (const { credential, seen } of marks) {
    note(useId(credential.kind, credential.id), seen);
    if (credential.user !== undefined) note(useId("user", credential.user), seen);
  }
  return [...times].map(([id, at]) => ({
    ...{ action: "put", kind: "use", id, expected: "any" },
    value: { at },
    expiresAt: at + keepMilliseconds,
  }));
}
