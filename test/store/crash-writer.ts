// A process that writes to a store as fast as it can, to be killed: FILE SLOT CYCLE. Each line that it prints is an effect that
// the store has acknowledged, or, in words that end with -ing, one that it is about to ask for.
import { writeSync } from "node:fs";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { type Change, type Lease, type RecordKind, StoreError } from "../../src/store/store.ts";

const [file = "", slot = "", cycle = ""] = process.argv.slice(2);
const hour = 3_600_000;
const store = await openSqliteStore(file, { patience: 60_000 });
const tenant = store.tenant("acme");

/** Written at once, so that what was reported before the end of this process reaches its parent. */
function report(...words: readonly (string | number)[]): void {
  writeSync(1, `${words.join(" ")}\n`);
}

function put(
  kind: RecordKind,
  id: string,
  n: number,
  more: Partial<Change & { action: "put" }> = {},
): Change {
  return { action: "put", kind, id, value: { n, by: slot }, expected: "any", ...more };
}

async function numberOf(kind: RecordKind, id: string): Promise<number> {
  return Number((await tenant.get(kind, id))?.value["n"] ?? 0);
}

/** Overwrites one record of its own. */
async function overwrite(writer: number): Promise<never> {
  const id = `put-${slot}-${writer}`;
  for (let n = (await numberOf("use", id)) + 1; ; n += 1) {
    await tenant.write([put("use", id, n)]);
    report("put", id, n);
  }
}

/** Counts in one record together with all others, by compare-and-swap. */
async function count(): Promise<never> {
  for (;;) {
    const record = await tenant.get("use", "counter");
    const n = Number(record?.value["n"] ?? 0) + 1;
    try {
      await tenant.write([put("use", "counter", n, { expected: record?.version ?? "absent" })]);
      report("count", n);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "conflict")) {
        throw error;
      }
    }
  }
}

/** Changes three records that all others change too, and one of its own, in one list. */
async function changeMany(writer: number): Promise<never> {
  const own = `many-${slot}-${writer}`;
  for (let n = (await numberOf("token", own)) + 1; ; n += 1) {
    const value = { n, by: own };
    await tenant.write([
      put("token", own, n),
      ...["many-1", "many-2", "many-3"].map((id) => put("user", id, n, { value })),
    ]);
    report("many", own, n);
  }
}

/** Makes records with lookups and deletes most of them. */
async function makeAndRemove(writer: number): Promise<never> {
  for (let n = 0; ; n += 1) {
    const id = `made-${slot}-${cycle}-${writer}-${n}`;
    await tenant.write([put("session", id, n, { lookup: `lookup-${id}`, expected: "absent" })]);
    report("made", id);
    if (n % 4 !== 0) {
      report("removing", id);
      await tenant.write([{ action: "delete", kind: "session", id, expected: "any" }]);
      report("removed", id);
    }
  }
}

/** Takes, keeps and gives back a lease of its own, and tries for one that all want. */
async function lease(writer: number): Promise<never> {
  const holder = `${slot}-${cycle}-${writer}`;
  const name = `lease-${holder}`;
  for (;;) {
    report("acquiring", name);
    const held: Lease | undefined = await tenant.acquireLease(name, holder, hour);
    if (held === undefined) {
      throw new Error(`${name} was refused to its only holder`);
    }
    report("held", name, held.fence);
    const shared = await tenant.acquireLease("shared", holder, 3);
    if (shared !== undefined) {
      report("shared", holder, shared.fence);
    }
    const renewed = await tenant.renewLease(held, hour);
    if (renewed?.fence !== held.fence) {
      throw new Error(`${name} was lost while it was held`);
    }
    report("releasing", name);
    await tenant.releaseLease(held);
    report("released", name);
  }
}

await Promise.all([
  overwrite(0),
  overwrite(1),
  count(),
  count(),
  changeMany(0),
  changeMany(1),
  makeAndRemove(0),
  makeAndRemove(1),
  lease(0),
  lease(1),
]);
