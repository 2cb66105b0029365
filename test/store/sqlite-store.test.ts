import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { statements } from "../../src/store/sqlite/statements.ts";
import type { Store } from "../../src/store/store.ts";
import { TappedDatabase } from "./tapped-database.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const writer = join(import.meta.dirname, "increment-writer.ts");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
let database: TappedDatabase;
let store: Store;

beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, "store.db");
  await (await openSqliteStore(file)).close();
  database = new TappedDatabase(file, { timeout: 1 });
  store = new SqliteStore(database, file, { patience: 50 });
});
afterEach(async () => {
  await store.close();
  await folder.remove();
});

function putUser(id: string, value: Record<string, string | number> = {}) {
  return { action: "put", kind: "user", id, value, expected: "any" } as const;
}

/** Writes nonsense over a closed file, from a place to its end. */
function overwrite(path: string, from: number): void {
  const handle = openSync(path, "r+");
  writeSync(handle, Buffer.alloc(statSync(path).size - from, 0xaa), 0, undefined, from);
  closeSync(handle);
}

describe("group commit", () => {
  test("what is asked for in one turn is one transaction, whoever asks", async () => {
    const others = ["b", "c"].map((id) => store.tenant(id));
    await Promise.all([
      ...Array.from({ length: 200 }, (_, index) => store.tenant("a").write([putUser(String(index))])),
      ...others.map((tenant) => tenant.write([putUser("1")])),
      store.tenant("a").acquireLease("l", "x", 1_000),
    ]);
    expect(commits()).toBe(1);
    await store.tenant("a").write([putUser("1")]);
    expect(commits()).toBe(2);
  });

  test("so many in a transaction, and so many that wait", async () => {
    const writes = await Promise.allSettled(
      Array.from({ length: 10_050 }, (_, index) => store.tenant("a").write([putUser(String(index))])),
    );
    expect(writes.filter(({ status }) => status === "fulfilled")).toHaveLength(10_000);
    expect(writes.at(-1)).toMatchObject({ reason: { name: "StoreError", code: "unavailable" } });
    expect(commits()).toBe(10);
    await store.tenant("a").write([putUser("again")]);
  });

  test("nothing is told before the commit", async () => {
    const other = new DatabaseSync(file, { readOnly: true });
    const count = other.prepare("SELECT count(*) AS count FROM records");
    const seen: unknown[] = [];
    const writes = Array.from({ length: 5 }, (_, index) =>
      store
        .tenant("a")
        .write([putUser(String(index))])
        .then(() => seen.push(count.get()?.["count"])),
    );
    expect(count.get()?.["count"]).toBe(0);
    await Promise.all(writes);
    expect(seen).toEqual([5, 5, 5, 5, 5]);
    other.close();
  });

  function commits(): number {
    return database.statements.filter((sql) => sql === statements.commit).length;
  }
});

describe("what expired", () => {
  test("is removed by later writes, a bounded number at a time", async () => {
    const expiresAt = Date.now() - 1;
    await store
      .tenant("a")
      .write(Array.from({ length: 150 }, (_, index) => ({ ...putUser(String(index)), expiresAt })));
    const count = database.prepare("SELECT count(*) AS count FROM records");
    const left: unknown[] = [];
    for (let round = 0; round < 4; round += 1) {
      left.push(count.get()?.["count"]);
      await store.tenant("b").write([putUser("1")]);
    }
    expect(left).toEqual([86, 23, 1, 1]);
  });

  test("leases too", async () => {
    await store.tenant("a").acquireLease("l", "x", 0);
    await store.tenant("b").write([]);
    expect(database.prepare("SELECT count(*) AS count FROM leases").get()).toEqual({ count: 0 });
  });
});

test("an epoch counts what others wrote, from the next event on", async () => {
  const other = new DatabaseSync(file);
  const add = other.prepare(
    "INSERT INTO counters VALUES ('token', 1) ON CONFLICT DO UPDATE SET value = value + 1",
  );
  const seen = new Set([store.epoch(["token"])]);
  for (let round = 0; round < 5; round += 1) {
    await nextTurn();
    add.run();
    seen.add(store.epoch(["token"]));
    // Resetting the log tells nothing and hides nothing.
    other.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    await nextTurn();
    seen.add(store.epoch(["token"]));
  }
  expect(seen.size).toBe(6);
  other.close();
});

test("what a timer asked is not what an event hears that comes after a sleep", async () => {
  const script = `
    const { DatabaseSync } = require("node:sqlite");
    process.stdin.once("data", () => {
      const database = new DatabaseSync(process.argv[1]);
      database.exec("INSERT INTO counters VALUES ('token', 1) ON CONFLICT DO UPDATE SET value = value + 1");
      process.stdout.write("written");
      process.stdin.pause();
    });`;
  const child = spawn(process.execPath, ["-e", script, file], { stdio: ["pipe", "pipe", "inherit"] });
  const closed = once(child, "close");
  const before = await new Promise<number>((resolve) => {
    setTimeout(() => {
      resolve(store.epoch(["token"]));
      child.stdin.end("go");
    }, 1);
  });
  const heard = await new Promise<number>((resolve) => {
    child.stdout.once("data", () => resolve(store.epoch(["token"])));
  });
  expect(heard).toBe(before + 1);
  await closed;
});

describe("failures", () => {
  test("a full disk: nothing half written, and all is well once there is room", async () => {
    const tenant = store.tenant("a");
    await tenant.write([putUser("before")]);
    const before = store.epoch(["user"]);
    const pages = Number(database.prepare("PRAGMA page_count").get()?.["page_count"]);
    database.exec(`PRAGMA max_page_count = ${pages + 2}`);
    const large = putUser("large", { text: "x".repeat(100_000) });
    const results = await Promise.allSettled([
      tenant.write([putUser("small"), large, putUser("after")]),
      tenant.acquireLease("l", "x", 1_000),
    ]);
    for (const result of results) {
      expect(result).toMatchObject({
        reason: { name: "StoreError", code: "unavailable", message: expect.stringContaining("full") },
      });
    }
    expect((await tenant.list("user")).map(({ id }) => id)).toEqual(["before"]);
    expect(store.epoch(["user"])).toBe(before);
    await tenant.write([putUser("fits")]);
    database.exec("PRAGMA max_page_count = 1000000");
    await tenant.write([putUser("small"), large]);
    expect((await tenant.list("user")).map(({ id }) => id)).toEqual(["before", "fits", "large", "small"]);
    expect(await tenant.acquireLease("l", "y", 1_000)).toBeDefined();
  });

  test("a file system that takes no more, in another process: what it acknowledged is there, and no more", async () => {
    // The operating system itself refuses to let its files grow beyond 256 KiB.
    const limited = `trap "" XFSZ; ulimit -f 256; exec "$0" "$@"`;
    const { stdout } = await promisify(execFile)("bash", [
      "-c",
      limited,
      process.execPath,
      writer,
      file,
      "100000",
    ]);
    const { name, message, done } = JSON.parse(stdout);
    expect({ name, message }).toEqual({ name: "StoreError", message: expect.stringMatching(/The disk/) });
    expect(done).toBeGreaterThan(0);
    const tenant = store.tenant("acme");
    expect((await tenant.get("user", "counter"))?.value).toEqual({ n: done });
    await tenant.write([putUser("next")]);
    expect(database.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  });

  test("another process that keeps the lock: refused after a while, nothing written, and well again after", async () => {
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    await expect(store.tenant("a").write([putUser("1")])).rejects.toMatchObject({
      name: "StoreError",
      code: "unavailable",
      message: expect.stringContaining("locked"),
    });
    expect(await store.tenant("a").list("user")).toEqual([]);
    other.exec("ROLLBACK");
    await store.tenant("a").write([putUser("2")]);
    expect(await store.tenant("a").list("user")).toHaveLength(1);
    other.close();
  });

  test("who waits behind writes that waited in vain is refused with them, not after as long again", async () => {
    const clock = await openSqliteStore(file, { patience: 400 });
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    const ended: string[] = [];
    const first = clock.tenant("a").write([putUser("1")]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = clock.tenant("a").write([putUser("2")]);
    const third = store.tenant("a").write([putUser("3")]);
    await Promise.allSettled([
      first.catch(async () => {
        ended.push("first");
        await new Promise((resolve) => setTimeout(resolve, 200));
        ended.push("half as long again");
      }),
      second.catch(() => ended.push("second")),
      third,
    ]);
    expect(ended).toEqual(["first", "second", "half as long again"]);
    other.close();
    await clock.close();
  });

  test("a lock that is given up in time is waited for, and holds no other turn up", async () => {
    const patient = new SqliteStore(new DatabaseSync(file, { timeout: 1 }), file, { patience: 60_000 });
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    const write = patient.tenant("a").write([putUser("1")]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await patient.tenant("a").list("user")).toEqual([]);
    other.exec("COMMIT");
    await write;
    other.close();
    await patient.close();
  });

  test("a record too large for SQLite fails alone", async () => {
    // The limit of node:sqlite itself takes a gigabyte to reach.
    const small = new DatabaseSync(file, { limits: { length: 50_000 } });
    const limited = new SqliteStore(small, file);
    const results = await Promise.allSettled([
      limited.tenant("a").write([putUser("1")]),
      limited.tenant("a").write([putUser("2"), putUser("3", { text: "x".repeat(60_000) })]),
      limited.tenant("a").write([putUser("4")]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(results[1]).toMatchObject({ reason: { name: "StoreError", code: "unavailable" } });
    expect((await store.tenant("a").list("user")).map(({ id }) => id)).toEqual(["1", "4"]);
    await limited.close();
  });

  test.each(['{"a":', "", "[1]", '"text"', "null", "12"])(
    "a value that is %j is never half read",
    async (value) => {
      await store.tenant("a").write([{ ...putUser("broken"), lookup: "x" }, putUser("fine")]);
      database.prepare("UPDATE records SET value = ? WHERE id = 'broken'").run(value);
      const failure = {
        name: "StoreError",
        code: "unavailable",
        message: expect.stringContaining('The user "broken" of tenant "a"'),
      };
      await expect(store.tenant("a").get("user", "broken")).rejects.toMatchObject(failure);
      await expect(store.tenant("a").list("user")).rejects.toMatchObject(failure);
      await expect(store.find("user", "x")).rejects.toMatchObject(failure);
      expect(await store.tenant("a").get("user", "fine")).toBeDefined();
      await store.tenant("a").write([putUser("broken")]);
      expect(await store.tenant("a").get("user", "broken")).toBeDefined();
    },
  );

  test("a table that is gone, under every method", async () => {
    await store.tenant("a").write([putUser("1")]);
    database.exec("DROP TABLE records; DROP TABLE leases; DROP TABLE counters;");
    const failure = { name: "StoreError", code: "unavailable" };
    const tenant = store.tenant("a");
    const lease = { name: "l", holder: "x", fence: 1, endsAt: 1 };
    for (const attempt of [
      () => tenant.get("user", "1"),
      () => tenant.list("user"),
      () => tenant.write([putUser("1")]),
      () => tenant.clear(),
      () => tenant.acquireLease("l", "x", 1),
      () => tenant.renewLease(lease, 1),
      () => tenant.releaseLease(lease),
      () => store.find("user", "x"),
    ]) {
      await expect(attempt()).rejects.toMatchObject(failure);
    }
    expect(() => store.epoch(["user"])).toThrow(expect.objectContaining(failure));
  });

  test("a transaction that fails as a whole leaves nothing open", async () => {
    await store.tenant("a").write([putUser("1", { n: 1 })]);
    database.exec("ALTER TABLE counters RENAME TO away");
    await expect(store.tenant("a").write([putUser("1", { n: 2 })])).rejects.toMatchObject({
      code: "unavailable",
    });
    expect((await store.tenant("a").get("user", "1"))?.value).toEqual({ n: 1 });
    database.exec("ALTER TABLE away RENAME TO counters");
    await store.tenant("a").write([putUser("1", { n: 3 })]);
    expect((await store.tenant("a").get("user", "1"))?.value).toEqual({ n: 3 });
  });

  describe("files that are no longer those that are open", () => {
    const failure = { name: "StoreError", code: "unavailable" };
    const attempts = (): readonly (() => Promise<unknown>)[] => [
      () => store.tenant("a").get("user", "1"),
      () => store.find("user", "x"),
      () => store.tenant("a").write([putUser("2")]),
      () => store.tenant("a").acquireLease("l", "x", 1),
      () => store.backup(join(folder.path, "copy.db")),
      async () => store.epoch(["user"]),
    ];
    const expectRefused = async (message: string): Promise<void> => {
      for (const attempt of attempts())
        await expect(attempt()).rejects.toMatchObject({
          ...failure,
          message: expect.stringContaining(message),
        });
    };

    test.each(["", "-wal", "-shm"])("`store.db%s` removed, replaced and put back", async (end) => {
      await store.tenant("a").write([putUser("1")]);
      expect(store.epoch(["user"])).toBe(1);
      const path = `${file}${end}`;
      renameSync(path, `${path}.away`);
      await expectRefused("was removed or replaced");
      copyFileSync(`${path}.away`, path);
      await expectRefused("was removed or replaced");
      renameSync(`${path}.away`, path);
      expect(await store.tenant("a").get("user", "1")).toBeDefined();
      await store.tenant("a").write([putUser("2")]);
      expect(store.epoch(["user"])).toBe(2);
    });

    test("cut off: not believed again, whatever is put in its place", async () => {
      await store.tenant("a").write([putUser("1")]);
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      const content = readFileSync(file);
      truncateSync(file, 0);
      await expectRefused("was cut off");
      writeFileSync(file, content);
      await expectRefused("was cut off");
    });
  });

  test("a damaged file says so", async () => {
    await store
      .tenant("a")
      .write(Array.from({ length: 300 }, (_, index) => putUser(String(index), { text: "x".repeat(200) })));
    await store.close();
    overwrite(file, 4_096);
    const damaged = await openSqliteStore(file)
      .then(async (opened) => {
        const answer = opened.tenant("a").list("user");
        await answer.catch(() => undefined).then(() => opened.close());
        return answer;
      })
      .catch((error: unknown) => error);
    expect(damaged).toMatchObject({
      name: "StoreError",
      code: "unavailable",
      message: expect.stringContaining("damaged"),
    });
  });
});

describe("backup", () => {
  test("is a store of its own, of the moment it was asked for, while others write on", async () => {
    const tenant = store.tenant("a");
    await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        tenant.write([putUser(String(index), { text: "x".repeat(30_000) })]),
      ),
    );
    const target = join(folder.path, "copy.db");
    let isDone = false;
    const backup = store.backup(target).finally(() => {
      isDone = true;
    });
    let written = 0;
    while (!isDone) {
      await tenant.write([{ ...putUser(`late-${written}`), kind: "token" }]);
      written += 1;
    }
    await backup;
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(existsSync(`${target}-wal`)).toBe(false);
    expect(existsSync(`${target}-journal`)).toBe(false);
    const copy = await openSqliteStore(target);
    expect(await copy.tenant("a").list("user")).toHaveLength(300);
    expect(written).toBeGreaterThan(0);
    expect(await copy.tenant("a").list("token")).toEqual([]);
    const version = (await tenant.get("user", "1"))?.version ?? 0;
    await copy.tenant("a").write([{ ...putUser("1"), expected: version }]);
    await copy.close();
  });

  test("never replaces a file", async () => {
    const target = join(folder.path, "mine.txt");
    writeFileSync(target, "");
    await expect(store.backup(target)).rejects.toMatchObject({
      name: "StoreError",
      message: expect.stringContaining("mine.txt"),
    });
    await expect(store.backup(file)).rejects.toMatchObject({ name: "StoreError" });
    expect(statSync(target).size).toBe(0);
    await expect(store.backup(join(folder.path, "absent", "copy.db"))).rejects.toMatchObject({
      name: "StoreError",
      message: expect.stringContaining("folder"),
    });
  });

  test("a damaged store gives none", async () => {
    await store
      .tenant("a")
      .write(Array.from({ length: 50 }, (_, index) => ({ ...putUser(String(index)), lookup: `x${index}` })));
    await store.close();
    overwrite(file, statSync(file).size - 4_096);
    const damaged = await openSqliteStore(file);
    const target = join(folder.path, "copy.db");
    await expect(damaged.backup(target)).rejects.toMatchObject({ name: "StoreError", code: "unavailable" });
    expect(existsSync(target)).toBe(false);
    await damaged.close();
  });

  test("closing waits for it", async () => {
    await store.tenant("a").write([putUser("1")]);
    const target = join(folder.path, "copy.db");
    let isDone = false;
    const backup = store.backup(target).finally(() => {
      isDone = true;
    });
    await store.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(true);
    await backup;
    await expect(store.backup(join(folder.path, "late.db"))).rejects.toMatchObject({ name: "StoreError" });
    const copy = await openSqliteStore(target);
    expect(await copy.tenant("a").list("user")).toHaveLength(1);
    await copy.close();
  });
});
