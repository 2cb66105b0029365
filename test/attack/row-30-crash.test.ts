import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";

const writer = join(import.meta.dirname, "../store/crash-writer.ts");
/** For a machine that is busy with something else; one that is not needs a tenth. */
const timeout = 300_000;
/** Killed processes of each of the four lanes: 320 in all. */
const cyclesOfLane = 80;
const mostAcknowledged = 150;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

/** All that a store has acknowledged on one file, over all processes that wrote to it. */
class Acknowledged {
  count = 0;
  /** By record: the number it had at least. */
  readonly numbers = new Map<string, number>();
  readonly counts = new Set<number>();
  readonly made = new Map<string, "made" | "removing" | "removed">();
  readonly leases = new Map<
    string,
    { state: "acquiring" | "held" | "releasing" | "released"; fence: number }
  >();
  readonly holders = new Map<number, string>();
  /** By record: the highest version that was read. */
  readonly versions = new Map<string, number>();

  /** Takes in what a writer reports, in the order in which it does. */
  add(line: string): void {
    const [word, name = "", number = ""] = line.split(" ");
    this.count += isAcknowledgement(line) ? 1 : 0;
    switch (word) {
      case "put":
      case "many":
        this.numbers.set(name, Number(number));
        break;
      case "count":
        expect(this.counts, "an increment was lost").not.toContain(Number(name));
        this.counts.add(Number(name));
        break;
      case "made":
      case "removing":
      case "removed":
        this.made.set(name, word);
        break;
      case "acquiring":
      case "releasing":
      case "released":
        this.leases.set(name, { state: word, fence: this.leases.get(name)?.fence ?? 0 });
        break;
      case "held":
        expect(Number(number)).toBeGreaterThan(this.leases.get(name)?.fence ?? 0);
        this.leases.set(name, { state: word, fence: Number(number) });
        break;
      case "shared":
        expect(this.holders.get(Number(number)) ?? name, "one fence, two holders").toBe(name);
        this.holders.set(Number(number), name);
        break;
      default:
        throw new Error(`A writer said ${line}`);
    }
  }
}

test(`${2 * cyclesOfLane} killed writers, alone on their files: nothing acknowledged is lost, nothing is there in part`, {
  timeout,
}, async () => {
  const files = ["a.db", "b.db"].map((name) => join(folder.path, name));
  const lanes = files.map((file) => ({ file, acknowledged: new Acknowledged() }));
  await Promise.all(lanes.map((lane) => killWriters(lane.file, "only", lane.acknowledged)));
  for (const { file, acknowledged } of lanes) {
    await finish(file, acknowledged);
  }
});

test(`${2 * cyclesOfLane} killed writers, two at a time on one file: the other one goes on`, {
  timeout,
}, async () => {
  const file = join(folder.path, "shared.db");
  const acknowledged = new Acknowledged();
  await Promise.all(["left", "right"].map((slot) => killWriters(file, slot, acknowledged)));
  await finish(file, acknowledged);
});

function isAcknowledgement(line: string): boolean {
  return !/^\w+ing /.test(line);
}

/** Starts writers one after the other, kills each while it writes, and looks at what it left. */
async function killWriters(file: string, slot: string, acknowledged: Acknowledged): Promise<void> {
  for (let cycle = 0; cycle < cyclesOfLane; cycle += 1) {
    const lines = await killOne(file, slot, cycle, acknowledged);
    const store = await openSqliteStore(file);
    await verify(store, acknowledged, slot, lines);
    await store.close();
    checkIntegrity(file);
  }
}

/** Returns what the writer reported. */
async function killOne(
  file: string,
  slot: string,
  cycle: number,
  acknowledged: Acknowledged,
): Promise<readonly string[]> {
  const child = spawn(process.execPath, [writer, file, slot, String(cycle)]);
  const errors: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
  const closed = once(child, "close");
  const enough = 1 + Math.floor(Math.random() * mostAcknowledged);
  const lines: string[] = [];
  const faults: unknown[] = [];
  let isDying = false;
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    // Without the last one, which may have been cut off by the end of the process.
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) {
      lines.push(line);
      try {
        acknowledged.add(line);
      } catch (error) {
        faults.push(error);
      }
    }
    if (!isDying && lines.filter(isAcknowledgement).length >= enough) {
      isDying = true;
      setTimeout(() => child.kill("SIGKILL"), Math.random() * 5);
    }
  });
  const [, signal] = await closed;
  expect(errors.join("")).toBe("");
  expect(faults).toEqual([]);
  expect(signal).toBe("SIGKILL");
  expect(lines.filter(isAcknowledgement).length).toBeGreaterThanOrEqual(enough);
  return lines;
}

/** What the writer in this slot was told is there; it is dead, and nobody else changes what is its own. */
async function verify(
  store: Store,
  acknowledged: Acknowledged,
  slot: string,
  lines: readonly string[],
): Promise<void> {
  const tenant = store.tenant("acme");
  for (const [id, number] of [
    ...acknowledged.numbers,
    ["counter", Math.max(0, ...acknowledged.counts)] as const,
  ]) {
    const record = await tenant.get(id.startsWith("many") ? "token" : "use", id);
    if (number > 0) {
      expect(record?.value["n"], id).toBeGreaterThanOrEqual(number);
    }
    if (record !== undefined) {
      expect(record.version, id).toBeGreaterThanOrEqual(acknowledged.versions.get(id) ?? 0);
      acknowledged.versions.set(id, record.version);
    }
  }

  // One question, one moment: the three have always been written together.
  const three = await tenant.list("user", { after: "many-", limit: 3 });
  const [first] = three;
  expect(three.map(({ value }) => value)).toEqual(three.map(() => first?.value));
  expect([0, 3]).toContain(three.length);
  const by = String(first?.value["by"]);
  if (by.startsWith(`many-${slot}-`)) {
    expect((await tenant.get("token", by))?.value["n"], by).toBe(first?.value["n"]);
  }

  for (const id of new Set(lines.filter((line) => line.startsWith("made ")).map((line) => line.slice(5)))) {
    await verifyMade(store, id, acknowledged.made.get(id));
  }

  for (const name of new Set(
    lines.filter((line) => line.startsWith("acquiring ")).map((line) => line.slice(10)),
  )) {
    const { state, fence } = acknowledged.leases.get(name) ?? { state: "acquiring", fence: 0 };
    const taken = await tenant.acquireLease(name, "another", 1);
    if (state === "held") {
      expect(taken, "two hold one lease").toBeUndefined();
    }
    if (state === "released") {
      expect(taken?.fence).toBeGreaterThan(fence);
    }
  }
}

async function verifyMade(store: Store, id: string, state: string | undefined): Promise<void> {
  const record = await store.tenant("acme").get("session", id);
  const found = await store.find("session", `lookup-${id}`);
  expect(found?.record, id).toEqual(record);
  if (state === "made") {
    expect(record?.id).toBe(id);
  }
  if (state === "removed") {
    expect(record).toBeUndefined();
  }
}

/** Looks at everything once more that was ever acknowledged on a file. */
async function finish(file: string, acknowledged: Acknowledged): Promise<void> {
  const store = await openSqliteStore(file);
  await verify(store, acknowledged, "nobody", []);
  for (const [id, state] of acknowledged.made) {
    await verifyMade(store, id, state);
  }
  await store.close();
  checkIntegrity(file);
  expect(acknowledged.count).toBeGreaterThan(cyclesOfLane * 10);
  process.stdout.write(`${acknowledged.count} acknowledged effects checked\n`);
}

function checkIntegrity(file: string): void {
  const database = new DatabaseSync(file);
  expect(database.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  database.close();
}
