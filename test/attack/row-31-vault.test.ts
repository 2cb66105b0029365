import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createCredentialStore } from "../../src/credentials/create-credential-store.ts";
import { credentialId } from "../../src/credentials/credential-id.ts";
import { isJsonObject } from "../../src/json-object.ts";
import type { CredentialReference } from "../../src/model/credential.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { Secret } from "../../src/secret.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { countKeys } from "../../src/vault/count-keys.ts";
import { tenantStore } from "../../src/vault/sealed-records.ts";
import { factsOf, referenceOf } from "../credentials/stored.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";
import { fillStore, openAll } from "../vault/fill-store.ts";
import { vaultOf } from "../vault/keys.ts";

const rotator = join(import.meta.dirname, "../vault/rotate-process.ts");
const user = join(import.meta.dirname, "../vault/credential-process.ts");
/** For a machine that is busy with something else; one that is not needs a tenth. */
const timeout = 300_000;
const kills = 50;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
let stores: Store[];
beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, "gestalt.db");
  stores = [];
});
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await folder.remove();
});

async function openStore(): Promise<Store> {
  const store = await openSqliteStore(file);
  stores.push(store);
  return store;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no error";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** Places that differ from each other in one part or in several. */
function places(): readonly CredentialReference[] {
  const tenants = ["acme", "blue"];
  const owners = [
    { kind: "user", id: "usr_a" },
    { kind: "user", id: "usr_b" },
    { kind: "tenant", id: "acme" },
  ] as const;
  return tenants.flatMap((tenant) =>
    owners.flatMap((owner) =>
      ["crm", "files"].flatMap((provider) =>
        ["default", "MCP"].flatMap((connection) =>
          ["default", "work"].map((instance) =>
            referenceOf({ tenant, owner, provider, connection, instance }),
          ),
        ),
      ),
    ),
  );
}

async function sealedOf(store: Store, place: CredentialReference): Promise<Record<string, string>> {
  const value = await contentOf(store, place);
  return JSON.parse(JSON.stringify(value["sealed"]));
}

async function contentOf(store: Store, place: CredentialReference): Promise<JsonObject> {
  const record = await tenantStore(store, place.tenant).get("credential", credentialId(place));
  if (record === undefined || !isJsonObject(record.value)) throw new Error("There is no such record.");
  return record.value;
}

async function overwrite(store: Store, place: CredentialReference, value: JsonObject): Promise<void> {
  const id = credentialId(place);
  await tenantStore(store, place.tenant).write([
    { action: "put", kind: "credential", id, value, expected: "any" },
  ]);
}

test("1,000 sealed values put in the place of others: every one is refused, and nobody gets another's", {
  timeout,
}, async () => {
  const store = await openStore();
  const log: string[] = [];
  const credentials = createCredentialStore({
    store,
    vault: vaultOf("one"),
    log: (message, cause) => log.push(`${message} ${String(cause)}`),
  });
  const all = places();
  for (const place of all) {
    const name = `${place.tenant} ${credentialId(place)}`;
    await credentials.put(
      place,
      factsOf({ access_token: `canary a ${name}`, refresh_token: `canary r ${name}` }),
      "absent",
      true,
    );
  }
  let swaps = 0;
  let refused = 0;
  for (const to of all) {
    const own = await contentOf(store, to);
    const ownSealed = await sealedOf(store, to);
    const foreign = await Promise.all(
      all
        .filter((place) => place !== to && (all.indexOf(place) + swaps) % 3 !== 0)
        .map((place) => sealedOf(store, place)),
    );
    for (const sealed of [
      // Of other credentials, whole and one field of them; the fields among each other.
      ...foreign.slice(0, 18),
      ...foreign.slice(18).map(({ access_token: access = "" }) => ({ ...ownSealed, access_token: access })),
      { access_token: ownSealed["refresh_token"] ?? "", refresh_token: ownSealed["access_token"] ?? "" },
      { access_token: ownSealed["access_token"] ?? "", refresh_token: ownSealed["access_token"] ?? "" },
      { client_secret: ownSealed["access_token"] ?? "" },
    ]) {
      await overwrite(store, to, { ...own, sealed });
      swaps += 1;
      if ((await codeOf(credentials.get(to))) === "store_unavailable") refused += 1;
    }
    await overwrite(store, to, own);
    expect((await credentials.get(to))?.secrets["access_token"]?.reveal()).toContain(
      `canary a ${to.tenant} `,
    );
  }
  process.stdout.write(`${swaps} values swapped\n`);
  expect(swaps).toBeGreaterThanOrEqual(1_000);
  expect(refused).toBe(swaps);
  expect(log.join()).not.toContain("canary");
});

test("a value of an earlier version does not open in the place of a later one", async () => {
  const store = await openStore();
  const credentials = createCredentialStore({ store, vault: vaultOf("one"), log: () => {} });
  let current = await credentials.put(referenceOf(), factsOf({ access_token: "0" }), "absent", true);
  const earlier: Record<string, string>[] = [];
  for (let count = 1; count <= 50; count += 1) {
    earlier.push(await sealedOf(store, referenceOf()));
    current = await credentials.put(referenceOf(), factsOf({ access_token: String(count) }), current, true);
  }
  const value = await contentOf(store, referenceOf());
  for (const sealed of earlier) {
    await overwrite(store, referenceOf(), { ...value, sealed });
    expect(await codeOf(credentials.get(referenceOf()))).toBe("store_unavailable");
  }
});

test("a value of a credential that was removed does not open in the place of the next one", async () => {
  const store = await openStore();
  let time = 1_000;
  const credentials = createCredentialStore({
    store,
    vault: vaultOf("one"),
    log: () => {},
    now: () => (time += 10),
  });
  const first = await credentials.put(referenceOf(), factsOf({ access_token: "1" }), "absent", true);
  const sealed = await sealedOf(store, referenceOf());
  await credentials.remove(first);
  await credentials.put(referenceOf(), factsOf({ access_token: "2" }), "absent", true);
  await overwrite(store, referenceOf(), { ...(await contentOf(store, referenceOf())), sealed });
  expect(await codeOf(credentials.get(referenceOf()))).toBe("store_unavailable");
});

test("every flipped bit is noticed", async () => {
  const vault = vaultOf("one");
  const context = {
    tenant: "t",
    owner: "o",
    provider: "p",
    connection: "c",
    instance: "i",
    field: "f",
    version: 1,
    facts: "",
  };
  const sealed = vault.seal(new Secret("canary"), context);
  const [form = "", fingerprint = "", text = ""] = sealed.split(".");
  const bytes = Buffer.from(text, "base64url");
  const errors: string[] = [];
  let noticed = 0;
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    try {
      vault.open(`${form}.${fingerprint}.${flipped.toString("base64url")}`, context);
    } catch (error) {
      noticed += 1;
      errors.push(String(error));
    }
  }
  const written = Buffer.from(sealed, "latin1");
  for (let bit = 0; bit < written.length * 8; bit += 1) {
    const flipped = Buffer.from(written);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    try {
      vault.open(flipped.toString("latin1"), context);
    } catch (error) {
      noticed += 1;
      errors.push(String(error));
    }
  }
  expect(noticed).toBe((bytes.length + written.length) * 8);
  expect(errors.join()).not.toContain("canary");
});

test("10,000 records are rotated by processes that are killed: all of them open at every moment", {
  timeout,
}, async () => {
  const store = await openStore();
  await fillStore(store, vaultOf("old"), 10_000);
  let names = ["new", "old"];
  let killed = 0;
  for (;;) {
    const isDone = await rotateAndKill(names, killed < kills ? 1 : Number.POSITIVE_INFINITY);
    if (isDone && killed >= kills) break;
    killed += isDone ? 0 : 1;
    if (killed % 10 === 0) expect(await openAll(store, vaultOf(...names))).toBe(10_000);
    // All of them were done before enough had been killed: back again.
    if (isDone) names = names.toReversed();
  }
  const [active = ""] = names;
  expect(await openAll(store, vaultOf(active))).toBe(10_000);
  expect([...(await countKeys(store, vaultOf(active), ["credential"])).keys()]).toEqual([
    vaultOf(active).keys()[0]?.fingerprint,
  ]);
  const database = new DatabaseSync(file);
  expect(database.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  database.close();
  process.stdout.write(`${killed} rotations killed\n`);
  expect(killed).toBeGreaterThanOrEqual(kills);
});

/** Starts a rotation and kills it once it has done so many batches; returns whether it was done before that. */
async function rotateAndKill(names: readonly string[], batches: number): Promise<boolean> {
  const child = spawn(process.execPath, [rotator, file, ...names]);
  const errors: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
  let printed = "";
  let isDying = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
    // Batches that had nothing to do do not count.
    const worked = new Set(printed.split("\n").filter((line) => /^[1-9]\d*$/.test(line))).size;
    if (isDying || worked < batches) return;
    isDying = true;
    setTimeout(() => child.kill("SIGKILL"), Math.random() * 10);
  });
  await once(child, "close");
  expect(errors.join("")).toBe("");
  if (!isDying) expect(printed).toMatch(/done\n$/);
  return printed.endsWith("done\n");
}

test("processes with rings in different order, while a third one rotates: each reads what the others write", {
  timeout,
}, async () => {
  const store = await openStore();
  await fillStore(store, vaultOf("old"), 500);
  const users = [
    spawn(process.execPath, [user, file, "a", "old", "new"]),
    spawn(process.execPath, [user, file, "b", "new", "old"]),
  ];
  const ended = users.map(async (child) => {
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    await once(child, "close");
    return printed;
  });
  const credentials = async () => (await store.tenant("acme").list("credential", { limit: 2_000 })).length;
  // 100 of the store's own, and 40 of each of them.
  await expect.poll(credentials, { timeout: 60_000 }).toBe(180);
  expect(await rotateAndKill(["new", "old"], Number.POSITIVE_INFINITY)).toBe(true);
  for (const child of users) child.stdin.end();
  for (const printed of await Promise.all(ended)) expect(printed).toMatch(/^did \d+\n$/);
  const reader = createCredentialStore({ store, vault: vaultOf("new", "old"), log: () => {} });
  for (const slot of ["a", "b"]) {
    const list = await reader.list(referenceOf({ owner: { kind: "user", id: `usr_${slot}` } }));
    expect(
      list.map(({ secrets, reference }) => [secrets["access_token"]?.reveal(), reference.instance]),
    ).toEqual(list.map(({ reference }) => [`${slot} ${reference.instance}`, reference.instance]));
    expect(list).toHaveLength(40);
  }
});
