// A process of its own that keeps tokens on a store: FILE KEY ISSUER, then a TASK as JSON. Prints `ready`, begins at the first line that
// it is given, and says on lines of their own what happens.
import { once } from "node:events";
import { writeSync } from "node:fs";
import { createTokenKeeper } from "../../src/credentials/create-token-keeper.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { accessTokenOf, credentialsOver, openRefresher, referenceOf } from "./refreshing.ts";

/** What a worker does. */
export type WorkerTask =
  /** Callers that ask for the token of their user again and again for so many milliseconds, and use the last one. */
  | { readonly kind: "call"; readonly users: number; readonly callers: number; readonly milliseconds: number }
  /** One call for one user, which stops for ever at a place in its refresh, if it is told to. */
  | { readonly kind: "refresh"; readonly user: string; readonly stopsAt: "journal" | "answer" | undefined };

/** What a worker that calls has to say at the end. */
export interface CallReport {
  readonly calls: number;
  /** What the resource said it saw in place of the caller's own user, and every failure. */
  readonly wrong: readonly string[];
  /** All access tokens that callers of a user were given. */
  readonly tokens: Readonly<Record<string, readonly string[]>>;
}

if (import.meta.main) await main();

async function main(): Promise<void> {
  const [file = "", key = "", issuer = "", taskText = ""] = process.argv.slice(2);
  const task: WorkerTask = JSON.parse(taskText);
  const store = await openSqliteStore(file, { patience: 60_000 });
  const refresher = openRefresher(Date.now);
  const stopsAt = task.kind === "refresh" ? task.stopsAt : undefined;
  const keeper = createTokenKeeper({
    credentials: credentialsOver(store, key, say),
    refresh: async (stored, signal) => {
      await stop("journal");
      const tokens = await refresher.refresh(stored, signal);
      await stop("answer");
      return tokens;
    },
    changed: () => undefined,
    log: (message, cause) => say(`${message} ${cause ?? ""}`),
    // Of a process that is killed: whoever comes after it waits for the end of its lease.
    ...(task.kind === "refresh" && { timings: { lease: 1_000, leaseRenewal: 200 } }),
  });

  async function stop(place: typeof stopsAt): Promise<void> {
    if (stopsAt !== place) return;
    say(place ?? "");
    await new Promise(() => undefined);
  }

  async function obtain(user: string): Promise<string> {
    const credential = await keeper.obtain(referenceOf(user), AbortSignal.timeout(60_000));
    return accessTokenOf(credential);
  }

  async function call(users: number, callers: number, milliseconds: number): Promise<CallReport> {
    const tokens = new Map<string, Set<string>>();
    const wrong: string[] = [];
    let calls = 0;
    const until = performance.now() + milliseconds;
    await Promise.all(
      Array.from({ length: callers }, async (_, index) => {
        const user = `user-${index % users}`;
        const seen = tokens.get(user) ?? new Set();
        tokens.set(user, seen);
        try {
          do {
            seen.add(await obtain(user));
            calls += 1;
            await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 400));
          } while (performance.now() < until);
          const answer = await fetch(`${issuer}/me`, {
            headers: { authorization: `Bearer ${await obtain(user)}` },
          });
          const body = await answer.text();
          if (body !== JSON.stringify({ user })) wrong.push(`${user}: ${answer.status} ${body}`);
        } catch (error) {
          wrong.push(`${user}: ${error}`);
        }
      }),
    );
    return {
      calls,
      wrong,
      tokens: Object.fromEntries([...tokens].map(([user, seen]) => [user, [...seen]])),
    };
  }

  say("ready");
  await once(process.stdin, "data");
  if (task.kind === "call") {
    const report = await call(task.users, task.callers, task.milliseconds);
    say(`report ${JSON.stringify(report)}`);
  } else {
    say(`token ${await obtain(task.user)}`);
  }
  await keeper.close();
  await refresher.close();
  await store.close();
  process.exit(0);
}

/** Written at once, so that what was said before the end of this process reaches its parent. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}
