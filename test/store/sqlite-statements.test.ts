import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { statements } from "../../src/store/sqlite/statements.ts";
import { TappedDatabase } from "./tapped-database.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const folder = await temporaryFolder();
afterAll(() => folder.remove());

/** Those that may cross tenants. */
const crossing = ["find", "freeLookup", "nextTenant", "purgeRecords", "purgeLeases"];

test("every statement on records and leases has the tenant in its predicate or writes it", () => {
  const named = Object.entries(statements).filter(([, sql]) => /\b(records|leases)\b/.test(sql));
  expect(named.length).toBeGreaterThan(15);
  for (const [name, sql] of named) {
    if (crossing.includes(name)) {
      continue;
    }
    const bound = sql.startsWith("INSERT")
      ? /^INSERT INTO (records|leases) \(tenant, [^)]*\) VALUES \(\?1, [^)]*\)\s+ON CONFLICT \(tenant, [^)]*\) DO UPDATE/
      : /\bWHERE tenant = \?1(\s|$)/;
    expect(sql, name).toMatch(bound);
    expect(sql, name).not.toMatch(/\btenant\b[^=]*\bOR\b/);
  }
  for (const name of ["freeLookup", "purgeRecords"] as const) {
    expect(statements[name]).toContain("expires_at <= ");
  }
  expect(statements.nextTenant).toMatch(/^SELECT tenant FROM/);
});

test("what a handle of a tenant runs is of that list, bound to the tenant first, and crosses only to remove what expired", async () => {
  const file = join(folder.path, "tapped.db");
  await (await openSqliteStore(file)).close();
  const database = new TappedDatabase(file);
  const store = new SqliteStore(database, file);
  const tenant = store.tenant("acme");
  const put = { action: "put", kind: "user", id: "1", value: {}, lookup: "x" } as const;
  await tenant.write([{ ...put, expected: "absent" }]);
  const version = (await tenant.get("user", "1"))?.version ?? 0;
  await tenant.write([{ ...put, expected: version }]);
  await tenant.write([{ ...put, expected: "any" }]);
  await tenant.list("user");
  await tenant.list("user", { after: "0" });
  await tenant.write([{ action: "delete", kind: "user", id: "1", expected: "any" }]);
  await expect(tenant.write([{ action: "delete", kind: "user", id: "1", expected: 1 }])).rejects.toThrow();
  const lease = await tenant.acquireLease("l", "x", 1_000);
  if (lease !== undefined) {
    await tenant.renewLease(lease, 1_000);
    await tenant.releaseLease(lease);
  }
  await tenant.clear();
  const known = new Map<string, string>(Object.entries(statements).map(([name, sql]) => [sql, name]));
  const run = new Set(database.statements.map((sql) => known.get(sql)));
  expect(run).not.toContain(undefined);
  expect([...run].filter((name) => name !== undefined && crossing.includes(name)).toSorted()).toEqual([
    "freeLookup",
    "purgeLeases",
    "purgeRecords",
  ]);
  // All but those that only the store itself runs, and the one that undoes a whole transaction.
  const unused = Object.keys(statements).filter((name) => !run.has(name));
  expect(unused.toSorted()).toEqual(["dataVersion", "find", "hasKind", "nextTenant", "rollBack"]);
  await store.close();
});

test("no other file of the room holds SQL on records", () => {
  const room = join(import.meta.dirname, "../../src/store/sqlite");
  for (const name of readdirSync(room)) {
    if (name !== "statements.ts" && name !== "migrations.ts") {
      expect(readFileSync(join(room, name), "utf8"), name).not.toMatch(
        /\b(FROM|INTO|UPDATE|JOIN)\s+(records|leases)\b/i,
      );
    }
  }
});

test("none of them reads a whole table", async () => {
  const file = join(folder.path, "plans.db");
  await (await openSqliteStore(file)).close();
  const database = new DatabaseSync(file);
  for (const [name, sql] of Object.entries(statements)) {
    if (/\b(records|leases)\b/.test(sql)) {
      const count = Math.max(...[...sql.matchAll(/\?(\d+)/g)].map((match) => Number(match[1])));
      const plan = database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...Array.from({ length: count }, () => null));
      expect(
        plan.map(({ detail }) => String(detail)).filter((detail) => /\bSCAN\b|TEMP B-TREE/.test(detail)),
        name,
      ).toEqual([]);
    }
  }
  database.close();
});
