import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { discard, generateKey, keyStatus, rotate } from "../../src/cli/keys.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { credentialId } from "../../src/credentials/credential-id.ts";
import { describeKeyFault } from "../../src/key-form.ts";
import { openState } from "../../src/open-state.ts";
import { Secret } from "../../src/secret.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { discardKey } from "../../src/vault/discard-key.ts";
import { markInUse, readMarker } from "../../src/vault/key-marker.ts";
import { rotateKeys } from "../../src/vault/rotate-keys.ts";
import { sealFields } from "../../src/vault/seal-fields.ts";
import { referenceOf } from "../credentials/stored.ts";
import { fillStore, openAll } from "../vault/fill-store.ts";
import { keyNamed, vaultOf } from "../vault/keys.ts";
import { type ScriptedPrompt, scriptedPrompt } from "./scripted-prompt.ts";
import { makeWorkplace, outcomeOf, type TestWorkplace } from "./workplace.ts";

const ring = `
server:
  encryption_keys:
    - {id: new, key: "\${env:NEW_KEY}"}
    - {id: old, key: "\${env:OLD_KEY}"}
datastore: {provider: sqlite, config: {path: ./gestalt.db}}
providers: {wiki: {mcp_url: "http://127.0.0.1:9/mcp"}}
`;
const fingerprintOf = (name: string) => vaultOf(name).keys()[0]?.fingerprint;

let workplace: TestWorkplace;
beforeEach(async () => {
  workplace = await makeWorkplace(ring);
  vi.stubEnv("NEW_KEY", keyNamed("new").key.reveal());
  vi.stubEnv("OLD_KEY", keyNamed("old").key.reveal());
});
afterEach(() => workplace.remove());

async function fill(...names: readonly string[]): Promise<void> {
  const store = await openSqliteStore(join(workplace.folder, "gestalt.db"));
  await fillStore(store, vaultOf(...names), 10);
  await store.close();
}

const status = (json = false) =>
  outcomeOf((console) => keyStatus({ config: workplace.config, json }, console));
const rotateNow = (json = false) =>
  outcomeOf((console) => rotate({ config: workplace.config, json }, console));

describe("gateway keys generate", () => {
  test("prints a good key alone, another one each time", async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(() => outcomeOf(async (console) => generateKey(console))),
    );
    expect(first?.printed).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
    expect(describeKeyFault(first?.printed[0] ?? "")).toBeUndefined();
    expect(first?.printed).not.toEqual(second?.printed);
    expect(first?.told.join()).toContain("encryption_key");
    expect(first?.told.join()).not.toContain(first?.printed[0]);
  });
});

describe("gateway keys status", () => {
  test("tells what needs which key", async () => {
    await fill("old");
    const { status: code, printed, told } = await status();
    expect(code).toBe(0);
    expect(printed.join("\n")).toBe(
      [
        "KEY  FINGERPRINT       RECORDS  STATE",
        `new  ${fingerprintOf("new")}  0        active: it seals`,
        `old  ${fingerprintOf("old")}  10       needed: it opens`,
      ].join("\n"),
    );
    expect(told.join()).toContain("2 keys");
  });

  test("as JSON, without a key", async () => {
    await fill("old");
    const outcome = await status(true);
    expect(outcome.json()).toEqual([
      {
        fingerprint: fingerprintOf("new"),
        id: "new",
        configured: true,
        active: true,
        records: 0,
        removable: false,
      },
      {
        fingerprint: fingerprintOf("old"),
        id: "old",
        configured: true,
        active: false,
        records: 10,
        removable: false,
      },
    ]);
    const said = JSON.stringify(outcome);
    for (const name of ["new", "old"]) expect(said).not.toContain(keyNamed(name).key.reveal().slice(0, 20));
  });

  test("fails where a key is missing, and names it", async () => {
    await fill("lost");
    const { status: code, printed, told } = await status();
    expect(code).toBe(1);
    expect(printed.join()).toMatch(`-    ${fingerprintOf("lost")}  10       missing`);
    expect(told.join()).toContain("nothing opens them");
  });

  test("where the key's reference is not set that is an error of the configuration", async () => {
    vi.stubEnv("OLD_KEY", undefined);
    expect((await status()).status).toBe(2);
  });

  test("where there is no datastore it says so", async () => {
    await writeFile(workplace.config, "providers: {wiki: {mcp_url: 'http://127.0.0.1:9/mcp'}}\n");
    await expect(status()).rejects.toThrow(/names no datastore/);
    await expect(rotateNow()).rejects.toThrow(/names no datastore/);
  });
});

describe("gateway keys rotate", () => {
  test("seals everything with the first key, and the other may go", async () => {
    await fill("old");
    const { status: code, told } = await rotateNow();
    expect(code).toBe(0);
    expect(told.join()).toContain(`10 of 10 records sealed anew with the key ${fingerprintOf("new")}`);
    expect((await status()).printed.join()).toContain("may be removed");
    const store = await openSqliteStore(join(workplace.folder, "gestalt.db"));
    expect(await openAll(store, vaultOf("new"))).toBe(10);
    await store.close();
  });

  test("as JSON", async () => {
    await fill("old");
    expect((await rotateNow(true)).json()).toEqual({
      active: fingerprintOf("new"),
      seen: 10,
      rewrapped: 10,
      failed: 0,
      failures: [],
    });
  });

  test("fails for what it can't open, names it, and does the rest", async () => {
    await fill("lost");
    const { status: code, told } = await rotateNow();
    expect(code).toBe(1);
    expect(told.join("\n")).toMatch(/10 records could not be opened/);
    expect(told.join("\n")).toContain("credential user:usr_0/crm/default/i0 of tenant acme");
  });

  test("without a key it says how to get one", async () => {
    await writeFile(workplace.config, ring.replace(/server:[\s\S]*(?=datastore)/, ""));
    await expect(rotateNow()).rejects.toThrow(/No encryption key is configured/);
  });

  test("of a file with a weak key is an error of the configuration", async () => {
    vi.stubEnv("OLD_KEY", "changeme");
    const { status: code, told } = await rotateNow();
    expect(code).toBe(2);
    expect(told.join()).toContain("weak-key");
    expect(told.join()).not.toContain("changeme");
  });

  test("leaves nothing of what it opened in the file", async () => {
    await fill("old");
    await rotateNow();
    for (const name of ["gestalt.db", "gestalt.db-wal"]) {
      const bytes = await readFile(join(workplace.folder, name)).catch(() => Buffer.alloc(0));
      expect(bytes.includes("access acme user")).toBe(false);
    }
  });
});

describe("gateway keys discard", () => {
  const lost = fingerprintOf("lost") ?? "";
  const nobody = scriptedPrompt({});
  const discardNow = (
    options: { readonly fingerprint?: string; readonly yes?: boolean; readonly json?: boolean } = {},
    prompt: ScriptedPrompt = nobody,
  ) => {
    const { fingerprint = lost, yes = true, json = false } = options;
    return outcomeOf((console) =>
      discard(fingerprint, { config: workplace.config, yes, json }, console, prompt),
    );
  };

  async function withStore<Result>(work: (store: Store) => Promise<Result>): Promise<Result> {
    const store = await openSqliteStore(join(workplace.folder, "gestalt.db"));
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  }

  /** What a start says; `undefined`: it starts. */
  async function startFailure(): Promise<string | undefined> {
    const { config } = await loadConfig(workplace.config, {
      environment: process.env,
      references: "resolve",
      workingDirectory: workplace.folder,
    });
    if (config === undefined) throw new Error("The configuration has errors.");
    const state = await openState(config, { log: () => {} });
    try {
      await state.checkKeys();
      return undefined;
    } catch (error) {
      return String(error);
    } finally {
      await state.close();
    }
  }

  /** 1,000 credentials of 201 owners, a registration and a flow of the lost key, and beside them what another key has sealed. */
  async function lose(): Promise<void> {
    await withStore(async (store) => {
      await fillStore(store, vaultOf("lost"), 1_000);
      for (const [name, instance] of [
        ["new", "x1"],
        ["old", "x2"],
      ] as const) {
        const vault = vaultOf(name);
        await markInUse(store, vault);
        const id = credentialId(referenceOf({ instance }));
        const record = { tenant: "acme", kind: "credential", id, version: 1, value: {} } as const;
        const sealed = sealFields(vault, record, { token: new Secret("t") });
        const value = { version: 1, sealed };
        await store.tenant("acme").write([{ action: "put", kind: "credential", id, value, expected: "any" }]);
      }
      for (const kind of ["client", "flow"] as const) {
        const tenant = kind === "client" ? store.gateway : store.tenant("acme");
        const record = { tenant: tenant.tenant, kind, id: "1", version: 1, value: {} } as const;
        const sealed = sealFields(vaultOf("lost"), record, { secret: new Secret("s") });
        await tenant.write([
          { action: "put", kind, id: "1", value: { version: 1, sealed }, expected: "any" },
          { action: "put", kind, id: "2", value: { client_id: "c" }, expected: "any" },
        ]);
      }
    });
  }

  test("removes what only the lost key would open, in all tenants, and the start works again", async () => {
    await lose();
    expect(await startFailure()).toContain(`${lost} (1001 records)`);
    expect(await startFailure()).toContain("gateway keys discard");
    const { status: code, told } = await discardNow();
    expect(code).toBe(0);
    expect(told.join()).toContain(
      "1000 credentials of 201 owners and 1 registration at authorization servers",
    );
    expect(await startFailure()).toBeUndefined();
    await withStore(async (store) => {
      const left = await Promise.all(
        ["", "acme", "blue", "crimson", "dune"].map(async (id) => {
          const tenant = id === "" ? store.gateway : store.tenant(id);
          const kinds = ["credential", "client", "flow"] as const;
          const lists = await Promise.all(kinds.map((kind) => tenant.list(kind)));
          return lists.flat().map((record) => `${record.kind} ${record.id}`);
        }),
      );
      expect(left.flat()).toEqual([
        "client 2",
        "credential user:usr_a/crm/default/x1",
        "credential user:usr_a/crm/default/x2",
        "flow 2",
      ]);
      expect(await readMarker(store)).not.toContain(lost);
    });
    expect((await status()).status).toBe(0);
    await expect(discardNow()).rejects.toMatchObject({ code: "not_found" });
  });

  test("works without any key, too", async () => {
    await fill("lost");
    await writeFile(workplace.config, ring.replace(/server:[\s\S]*(?=datastore)/, ""));
    expect(await startFailure()).toContain(lost);
    expect((await discardNow()).status).toBe(0);
    expect(await startFailure()).toBeUndefined();
  });

  test("as JSON", async () => {
    await lose();
    expect((await discardNow({ json: true })).json()).toEqual({
      fingerprint: lost,
      credentials: 1_000,
      owners: 201,
      registrations: 1,
    });
  });

  test("asks before, tells what would go, and does nothing without a yes", async () => {
    await fill("lost");
    const no = scriptedPrompt({ answers: ["no"] });
    const refused = await discardNow({ yes: false }, no);
    expect(refused.status).toBe(1);
    expect(refused.told.join()).toContain("Nothing was removed");
    expect(no.questions.join()).toMatch(/Remove 10 credentials of 9 owners, for good\?/);
    await expect(discardNow({ yes: false })).rejects.toThrow(/`--yes`/);
    await withStore(async (store) => expect(await openAll(store, vaultOf("lost"))).toBe(10));
    expect((await discardNow({ yes: false }, scriptedPrompt({ answers: ["yes"] }))).status).toBe(0);
    expect(await startFailure()).toBeUndefined();
  });

  test.each(["new", "old"])("refuses the key `%s`, which is in the ring", async (name) => {
    await fill(name);
    const fingerprint = fingerprintOf(name) ?? "";
    await expect(discardNow({ fingerprint })).rejects.toMatchObject({ code: "conflict" });
    await expect(discardNow({ fingerprint: fingerprint.toUpperCase() })).rejects.toMatchObject({
      code: "conflict",
    });
    await withStore(async (store) => expect(await openAll(store, vaultOf(name))).toBe(10));
  });

  test.each([
    ["what is no fingerprint", "lost", "bad_request"],
    ["an empty one", "", "bad_request"],
    ["one that has sealed nothing", "0123456789abcdef", "not_found"],
  ])("refuses %s", async (_name, fingerprint, code) => {
    await fill("lost");
    await expect(discardNow({ fingerprint })).rejects.toMatchObject({ code });
    await withStore(async (store) => expect(await openAll(store, vaultOf("lost"))).toBe(10));
  });

  test("where a reference to a key is not set that is an error of the configuration", async () => {
    await fill("old");
    vi.stubEnv("OLD_KEY", undefined);
    expect((await discardNow({ fingerprint: fingerprintOf("old") ?? "" })).status).toBe(2);
    await withStore(async (store) => expect(await openAll(store, vaultOf("old"))).toBe(10));
  });

  test("leaves what a process that still has the key seals with another one meanwhile", async () => {
    await fill("lost");
    await withStore(async (store) => {
      const gone = await discardKey({
        store,
        vault: vaultOf("new"),
        fingerprint: lost,
        agree: async () => {
          await rotateKeys({ store, vault: vaultOf("new", "lost") });
          return true;
        },
      });
      expect(gone).toMatchObject({ credentials: 0, owners: 0 });
      expect(await openAll(store, vaultOf("new"))).toBe(10);
    });
  });
});
