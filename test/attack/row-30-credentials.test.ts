import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createCredentialStore } from "../../src/credentials/create-credential-store.ts";
import { Secret } from "../../src/secret.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { createVault } from "../../src/vault/create-vault.ts";
import { referenceOf } from "../credentials/stored.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";

const writer = join(import.meta.dirname, "../credentials/crash-writer.ts");
/** Killed processes of each lane: 300 in all. Two write at a time, to one store. */
const cyclesOfLane = 150;
const lanes = ["left", "right"];
const mostAcknowledged = 40;
/** For a machine that is busy with something else; one that is not needs a tenth. */
const timeout = 300_000;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

/** What a slot may hold: the number that was acknowledged last (`undefined`: nothing), or what was asked for after it. */
interface Slot {
  acknowledged: number | undefined;
  asked: { readonly number: number | undefined } | undefined;
}

test(`${lanes.length * cyclesOfLane} killed writers of credentials: what was acknowledged is there, and opens`, {
  timeout,
}, async () => {
  const file = join(folder.path, "credentials.db");
  const key = randomBytes(32).toString("base64");
  const place = { file: "", line: 1, column: 1, endLine: 1, endColumn: 1 };
  const vault = createVault(() => [{ id: undefined, key: new Secret(key), place }]);
  let acknowledgements = 0;

  const run = async (lane: string): Promise<void> => {
    const slots = new Map<number, Slot>();
    let next = 0;
    for (let cycle = 0; cycle < cyclesOfLane; cycle += 1) {
      const child = spawn(process.execPath, [writer, file, key, lane, String(next)]);
      const errors: string[] = [];
      child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
      const closed = once(child, "close");
      const enough = 1 + Math.floor(Math.random() * mostAcknowledged);
      let count = 0;
      let rest = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const [word, name = "", number = ""] = line.split(" ");
          const slot = slots.get(Number(name)) ?? { acknowledged: undefined, asked: undefined };
          slots.set(Number(name), slot);
          const value = word === "put" || word === "putting" ? Number(number) : undefined;
          if (value !== undefined) next = value + 1;
          if (word === "putting" || word === "removing") slot.asked = { number: value };
          else {
            slot.acknowledged = value;
            slot.asked = undefined;
            count += 1;
          }
        }
        if (count >= enough) setTimeout(() => child.kill("SIGKILL"), Math.random() * 5);
      });
      const [, signal] = await closed;
      expect(errors.join("")).toBe("");
      expect(signal).toBe("SIGKILL");
      acknowledgements += count;

      const store = await openSqliteStore(file, { patience: 60_000 });
      const credentials = createCredentialStore({ store, vault, log: () => {} });
      for (const [name, slot] of slots) {
        const owner = { kind: "user", id: `usr_${lane}` } as const;
        const stored = await credentials.reread(referenceOf({ owner, instance: `slot-${name}` }));
        const token = stored?.secrets["access_token"]?.reveal();
        const refresh = stored?.secrets["refresh_token"]?.reveal();
        const possible = [slot.acknowledged, ...(slot.asked === undefined ? [] : [slot.asked.number])];
        const tokens = possible.map((number) =>
          number === undefined ? undefined : `access-${lane}-${number}`,
        );
        expect(tokens).toContain(token);
        expect(refresh).toBe(token?.replace("access", "refresh"));
        slot.acknowledged = token === undefined ? undefined : Number(token.split("-").at(-1));
        slot.asked = undefined;
      }
      await store.close();
    }
  };
  await Promise.all(lanes.map(run));
  expect(acknowledgements).toBeGreaterThan(lanes.length * cyclesOfLane);
});
