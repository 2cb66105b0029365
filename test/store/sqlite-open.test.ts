import { execFile } from "node:child_process";
import { chmod, mkdir, readdir, rename, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { migrations } from "../../src/store/sqlite/migrations.ts";
import { openDatabase } from "../../src/store/sqlite/open-database.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const run = promisify(execFile);
const writer = join(import.meta.dirname, "increment-writer.ts");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, "store.db");
});
afterEach(() => folder.remove());

const put = { action: "put", kind: "user", id: "1", value: { kept: true }, expected: "any" } as const;

describe("a new file", () => {
  test("is its owner's alone, with the files beside it", async () => {
    const store = await openSqliteStore(file);
    await store.gateway.write([put]);
    const names = await readdir(folder.path);
    expect(names).toContain("store.db-wal");
    for (const name of names) {
      expect((await stat(join(folder.path, name))).mode & 0o777, name).toBe(0o600);
    }
    await store.close();
    expect(await readdir(folder.path)).toEqual(["store.db"]);
  });

  test("what was written is there when it is opened again", async () => {
    const store = await openSqliteStore(file);
    await store.tenant("a").write([put]);
    await store.close();
    const again = await openSqliteStore(file);
    expect((await again.tenant("a").get("user", "1"))?.value).toEqual({ kept: true });
    await again.close();
  });

  test("is durable: the log is written before a commit returns", async () => {
    const database = await openDatabase(file, migrations);
    for (const [pragma, value] of [
      ["synchronous", 2],
      ["journal_mode", "wal"],
      ["trusted_schema", 0],
      ["cell_size_check", 1],
    ] as const) {
      expect(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {}), pragma).toEqual([value]);
    }
    database.close();
  });

  test("of five processes that make it at once and write to it, each succeeds, and nothing is lost", async () => {
    const results = await Promise.all(
      Array.from({ length: 5 }, async () =>
        JSON.parse((await run(process.execPath, [writer, file, "40"])).stdout),
      ),
    );
    expect(results).toEqual(results.map(() => ({ done: 40, conflicts: expect.any(Number) })));
    const store = await openSqliteStore(file);
    expect((await store.tenant("acme").get("user", "counter"))?.value).toEqual({ n: 200 });
    await store.close();
  });

  test("of many openings in one process too", async () => {
    const stores = await Promise.all(Array.from({ length: 10 }, () => openSqliteStore(file)));
    await Promise.all(stores.map((store, index) => store.tenant("a").write([{ ...put, id: String(index) }])));
    for (const store of stores) {
      expect(await store.tenant("a").list("user")).toHaveLength(10);
      await store.close();
    }
  });
});

describe("refused, with what to do, and left as it is:", () => {
  test("a folder that does not exist", async () => {
    await refuses(join(folder.path, "absent", "store.db"), /absent does not exist\. Create it/);
  });

  test("a folder in place of the file, a file in place of the folder", async () => {
    await mkdir(file);
    await refuses(file, /is no file/);
    await writeFile(join(folder.path, "text"), "");
    await refuses(join(folder.path, "text", "store.db"), /text is no folder/);
  });

  test("names that SQLite takes for something else", async () => {
    await refuses("", /is no file/);
    await (await openSqliteStore(join(folder.path, ":memory:"))).close();
    expect(await readdir(folder.path)).toEqual([":memory:"]);
  });

  test("a log without its file: somebody has the file open, or died with it, and it was moved away", async () => {
    const store = await openSqliteStore(file);
    await store.gateway.write([put]);
    await rename(file, `${file}.away`);
    await refuses(file, /store\.db is missing, but its log .*store\.db-wal is there\. Put the file back/);
    await rename(`${file}.away`, file);
    await store.close();
    const again = await openSqliteStore(file);
    expect(await again.gateway.get("user", "1")).toBeDefined();
    await again.close();
  });

  test("a file that is no database", async () => {
    await writeFile(file, "server:\n  port: 8080\n".repeat(100));
    await refuses(file, /is no SQLite database/);
    expect(await readdir(folder.path)).toEqual(["store.db"]);
  });

  test("the database of another program", async () => {
    const other = new DatabaseSync(file);
    other.exec("CREATE TABLE theirs (x)");
    other.close();
    await refuses(file, /of another program/);
    const again = new DatabaseSync(file);
    expect(again.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "delete" });
    expect(again.prepare("SELECT name FROM sqlite_schema").all()).toEqual([{ name: "theirs" }]);
    again.exec("DROP TABLE theirs; PRAGMA application_id = 7");
    again.close();
    await refuses(file, /of another program/);
  });

  test("a store of a newer version", async () => {
    await (await openSqliteStore(file)).close();
    const newer = new DatabaseSync(file);
    newer.exec("PRAGMA user_version = 99");
    newer.close();
    await refuses(file, /newer version of the gateway \(its version is 99, this one knows up to \d+\)/);
  });

  test.each([
    ["a file that others may not read", 0o755, 0o600],
    ["a file that others may not write", 0o777, 0o644],
    ["a folder that others may not write", 0o755, 0o666],
  ])("%s", async (_title, folderMode, fileMode) => {
    await (await openSqliteStore(file)).close();
    await chmod(folder.path, folderMode);
    await chmod(file, fileMode);
    // Root may write everything, so somebody else tries.
    const isRoot = process.getuid?.() === 0;
    if (!isRoot) {
      await chmod(file, fileMode & 0o444);
      await chmod(folder.path, folderMode & 0o555);
    }
    const { stdout } = await run(
      process.execPath,
      [writer, file, "1"],
      isRoot ? { uid: 65_534, gid: 65_534 } : {},
    );
    expect(JSON.parse(stdout)).toEqual({
      name: "StoreError",
      done: 0,
      message: expect.stringMatching(/can't be written\. Give this user/),
    });
    await chmod(folder.path, 0o700);
  });

  async function refuses(path: string, message: RegExp): Promise<void> {
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      name: "StoreError",
      code: "unavailable",
      message: expect.stringMatching(message),
    });
  }
});

test("a symbolic link leads to the file", async () => {
  await symlink(file, join(folder.path, "link.db"));
  await (await openSqliteStore(file)).close();
  const store = await openSqliteStore(join(folder.path, "link.db"));
  await store.gateway.write([put]);
  await store.close();
  const again = await openSqliteStore(file);
  expect(await again.gateway.get("user", "1")).toBeDefined();
  await again.close();
});

describe("migrations", () => {
  const adding = { changesData: false, sql: "CREATE TABLE added (x TEXT) STRICT;" };
  const changing = {
    changesData: true,
    sql: "UPDATE records SET value = json_set(value, '$.moved', json('true'));",
  };
  const failing = { changesData: true, sql: "DELETE FROM records; INSERT INTO absent VALUES (1);" };

  beforeEach(async () => {
    const store = await openSqliteStore(file);
    await store.tenant("a").write([put]);
    await store.close();
  });

  test("run once, in their order", async () => {
    (await openDatabase(file, [...migrations, adding])).close();
    (await openDatabase(file, [...migrations, adding, changing])).close();
    expect(await readUser([...migrations, adding, changing])).toEqual({ kept: true, moved: true });
    await expect(openSqliteStore(file)).rejects.toMatchObject({ message: expect.stringContaining("newer") });
  });

  test("make a copy before they change what is stored, and another one each time", async () => {
    (await openDatabase(file, [...migrations, adding])).close();
    expect(await readdir(folder.path)).toEqual(["store.db"]);
    await expect(openDatabase(file, [...migrations, adding, failing])).rejects.toThrow();
    (await openDatabase(file, [...migrations, adding, changing])).close();
    expect((await readdir(folder.path)).toSorted()).toEqual([
      "store.db",
      "store.db.version-2.backup",
      "store.db.version-2.backup-2",
    ]);
    file = join(folder.path, "store.db.version-2.backup-2");
    expect(await readUser([...migrations, adding])).toEqual({ kept: true });
  });

  test("leave all as it was where one fails", async () => {
    await expect(openDatabase(file, [...migrations, changing, failing])).rejects.toThrow();
    expect(await readUser(migrations)).toEqual({ kept: true });
  });

  test("of several openings at once, one does them", async () => {
    const databases = await Promise.all(
      Array.from({ length: 5 }, () => openDatabase(file, [...migrations, adding, changing])),
    );
    for (const database of databases) {
      database.close();
    }
    expect((await readdir(folder.path)).filter((name) => name.includes("backup"))).toHaveLength(1);
    expect(await readUser([...migrations, adding, changing])).toEqual({ kept: true, moved: true });
  });

  async function readUser(known: typeof migrations) {
    const store = new SqliteStore(await openDatabase(file, known), file);
    const user = await store.tenant("a").get("user", "1");
    await store.close();
    return user?.value;
  }
});
