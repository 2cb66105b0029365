import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTokenKeeper } from "../../src/credentials/create-token-keeper.ts";
import type { CredentialFacts, CredentialStore } from "../../src/credentials/credential-store.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import type { CallReport, WorkerTask } from "../credentials/refresh-worker.ts";
import {
  accessTokenOf,
  credentialsOver,
  factsFor,
  newKey,
  openRefresher,
  referenceOf,
} from "../credentials/refreshing.ts";
import { RotatingIssuer } from "../credentials/rotating-issuer.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";

const worker = join(import.meta.dirname, "../credentials/refresh-worker.ts");
/** For a machine that is busy with something else; one that is not needs a fifth. */
const timeout = 240_000;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let issuer: RotatingIssuer;
let store: Store;
let credentials: CredentialStore;
let workers: Set<ChildProcess>;
const key = newKey();
beforeEach(async () => {
  folder = await temporaryFolder();
  issuer = await RotatingIssuer.start();
  store = await openSqliteStore(join(folder.path, "gateway.db"), { patience: 60_000 });
  credentials = credentialsOver(store, key, () => undefined);
  workers = new Set();
});
afterEach(async () => {
  for (const child of workers) child.kill("SIGKILL");
  await store.close();
  await issuer.stop();
  await folder.remove();
});

test("1,000 callers in each of 2 processes, 200 credentials that expire once: 200 refreshes, and nobody loses a grant", {
  timeout,
}, async () => {
  const users = 200;
  issuer.latency = 100;
  const task: WorkerTask = { kind: "call", users, callers: 1_000, milliseconds: 6_000 };
  const processes = [startWorker(task), startWorker(task)];
  await Promise.all(processes.map((process) => process.line("ready")));
  for (let index = 0; index < users; index += 1) await connect(`user-${index}`, expiring(index));
  for (const { go } of processes) go();

  const reports = await Promise.all(
    processes.map(async (process): Promise<CallReport> => JSON.parse(await process.line("report "))),
  );
  const calls = reports.reduce((sum, report) => sum + report.calls, 0);
  process.stdout.write(`${calls} calls: ${JSON.stringify(issuer.counts)}\n`);

  expect(reports.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(issuer.counts).toEqual({
    requests: users,
    refreshes: users,
    reuses: 0,
    familiesKilled: 0,
    authorizations: users,
  });
  for (const { tokens } of reports) {
    expect(Object.keys(tokens)).toHaveLength(users);
    for (const [user, seen] of Object.entries(tokens)) {
      expect(new Set(seen.map((token) => issuer.userOf(token))), user).toEqual(new Set([user]));
    }
  }
  for (let index = 0; index < users; index += 1) {
    const user = `user-${index}`;
    const stored = await credentials.reread(referenceOf(user));
    expect(stored?.state, user).toEqual({ kind: "ready" });
    expect(stored?.refreshing, user).toBeUndefined();
    expect(issuer.isCurrent(stored?.secrets["refresh_token"]?.reveal() ?? ""), user).toBe(true);
    expect(issuer.refreshesOf(user), user).toBe(1);
  }
});

test("50 processes killed while they refresh: one authorization per grant that was lost on the way, and no other harm", {
  timeout,
}, async () => {
  const kills = 50;
  issuer.latency = 10;
  const refresher = openRefresher(Date.now);
  const survivor = createTokenKeeper({
    credentials,
    refresh: refresher.refresh,
    changed: () => undefined,
    log: () => undefined,
    timings: { lease: 2_000, leaseRenewal: 300, longestLook: 100 },
  });
  const outcomes: Promise<"kept" | "lost">[] = [];
  const seen = { lost: 0, kept: 0, untouched: 0 };

  /** Kills one worker, and has the survivor look after its credential. */
  async function killOne(index: number): Promise<void> {
    const user = `user-${index}`;
    await connect(user, { expiresAt: Date.now() - 1 });
    const stopsAt = index % 2 === 0 ? "answer" : index % 8 === 1 ? "journal" : undefined;
    const { child, closed, go, line } = startWorker({ kind: "refresh", user, stopsAt });
    await line("ready");
    const answered = new Promise<void>((resolve) => {
      const stop = issuer.onAnswered((answeredUser) => {
        if (answeredUser !== user) return;
        stop();
        resolve();
      });
    });
    go();
    // Where nothing stops it: at any moment, or some time after the answer.
    if (stopsAt !== undefined) await line(stopsAt);
    else if (index % 4 === 3) await pause(Math.random() * 60);
    else await answered.then(() => pause(Math.random() * 40));
    child.kill("SIGKILL");
    await closed;
    outcomes.push(lookAfter(user));
  }

  async function lookAfter(user: string): Promise<"kept" | "lost"> {
    const left = await credentials.reread(referenceOf(user));
    const wasRotated = issuer.refreshesOf(user) > 0;
    const isLost = !issuer.isCurrent(left?.secrets["refresh_token"]?.reveal() ?? "");
    seen[isLost ? "lost" : wasRotated ? "kept" : "untouched"] += 1;
    const obtained = survivor.obtain(referenceOf(user), AbortSignal.timeout(60_000));
    if (!isLost) {
      expect(issuer.userOf(accessTokenOf(await obtained)), user).toBe(user);
      return "kept";
    }
    await expect(obtained, user).rejects.toMatchObject({ code: "reconnect_required" });
    expect((await credentials.reread(referenceOf(user)))?.state, user).toMatchObject({
      reason: expect.stringContaining("a process ended while the token was being refreshed"),
    });
    await connect(user);
    const anew = await survivor.obtain(referenceOf(user), AbortSignal.timeout(60_000));
    expect(issuer.userOf(accessTokenOf(anew)), user).toBe(user);
    return "lost";
  }

  const indices = Array.from({ length: kills }, (_, index) => index).values();
  await Promise.all(
    [1, 2].map(async () => {
      for (const index of indices) await killOne(index);
    }),
  );
  const lost = (await Promise.all(outcomes)).filter((outcome) => outcome === "lost").length;
  await survivor.close();
  await refresher.close();
  process.stdout.write(`${kills} kills: ${JSON.stringify({ ...seen, ...issuer.counts })}\n`);

  expect(lost).toBe(seen.lost);
  expect(issuer.counts.authorizations).toBe(kills + lost);
  expect(issuer.counts.familiesKilled).toBe(lost);
  // Those that were stopped between answer and commit, at least, have hit the window.
  expect(lost).toBeGreaterThanOrEqual(kills / 2);
  for (let index = 0; index < kills; index += 1) {
    const user = `user-${index}`;
    const stored = await credentials.reread(referenceOf(user));
    expect(issuer.userOf(accessTokenOf(stored)), user).toBe(user);
    expect(issuer.isCurrent(stored?.secrets["refresh_token"]?.reveal() ?? ""), user).toBe(true);
  }
});

/** Some are over from the beginning, some are good for a while and due, some come to their end while all are calling. */
function expiring(index: number): Partial<CredentialFacts> {
  const now = Date.now();
  const kinds = [
    { obtainedAt: now - 60_000, expiresAt: now - 1 },
    { obtainedAt: now - 96_000, expiresAt: now + 4_000 },
    { obtainedAt: now, expiresAt: now + 4_000 },
    { obtainedAt: now - 33_000, expiresAt: now + 7_000 },
  ];
  return kinds[index % kinds.length] ?? {};
}

async function connect(user: string, overrides: Partial<CredentialFacts> = {}): Promise<void> {
  const facts = factsFor(issuer.authorize(user), Date.now(), `${issuer.url}/token`, overrides);
  await credentials.put(referenceOf(user), facts, "any", true);
}

/** Starts a worker that waits until it may go. */
function startWorker(task: WorkerTask) {
  const file = join(folder.path, "gateway.db");
  const child = spawn(process.execPath, [worker, file, key, issuer.url, JSON.stringify(task)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  workers.add(child);
  const closed = once(child, "close");
  child.once("close", () => workers.delete(child));
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
  };
  createInterface({ input: child.stdout }).on("line", (text) => {
    lines.push(text);
    wake();
  });
  child.once("close", wake);
  return {
    child,
    /** Settled from the beginning on: a worker may have come to its end before anybody kills it. */
    closed,
    go: () => child.stdin.write("go\n"),
    /** The rest of the first line that begins so. */
    line: (start: string) =>
      new Promise<string>((resolve, reject) => {
        const look = (): void => {
          const found = lines.find((text) => text.startsWith(start));
          if (found === undefined && child.exitCode === null) return;
          waiting.delete(look);
          if (found === undefined) reject(new Error(`A worker ended: ${lines.join("\n")}`));
          else resolve(found.slice(start.length));
        };
        waiting.add(look);
        look();
      }),
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
