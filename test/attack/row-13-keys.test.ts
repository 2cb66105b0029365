import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type BrowserBinding, createBrowserBinding } from "../../src/authorization-server/browser-binding.ts";
import { serve } from "../../src/cli/serve.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { createCredentialStore } from "../../src/credentials/create-credential-store.ts";
import type { GatewayConfig } from "../../src/model/config.ts";
import type { Principal } from "../../src/model/principal.ts";
import { type OpenState, openState } from "../../src/open-state.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { createVault } from "../../src/vault/create-vault.ts";
import { deriveKeys } from "../../src/vault/derive-keys.ts";
import { recordingConsole } from "../cli/recording-console.ts";
import { factsOf, referenceOf } from "../credentials/stored.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";
import { fillStore } from "../vault/fill-store.ts";
import { keyNamed, vaultOf, writtenKey } from "../vault/keys.ts";

// Who starts a gateway with which keys, over which store: it either opens all that is stored, or it does not start and says why. It never
// starts as if nobody had connected, and never seals with a key that others know.

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let opened: OpenState[];
beforeEach(async () => {
  folder = await temporaryFolder();
  opened = [];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(opened.map((state) => state.close()));
  await folder.remove();
});

const good = (name: string): string => keyNamed(name).key.reveal();
const hash = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Keys that must never seal anything, by what is wrong with them. */
const bad: Readonly<Record<string, string>> = {
  "16 bytes": hash("a").subarray(16).toString("base64"),
  "31 bytes": hash("a").subarray(1).toString("base64"),
  "33 bytes": Buffer.concat([hash("a"), Buffer.from([1])]).toString("base64"),
  "a pass phrase": "correct horse battery staple",
  "a word": "changeme",
  "a space": " ",
  zeros: "0".repeat(64),
  "zeros in base64": `${"A".repeat(43)}=`,
  "the bytes from 0": Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString("base64"),
  "one byte": Buffer.alloc(32, 7).toString("hex"),
  "a text of 32 letters": Buffer.from("gateway-default-encryption-key!!").toString("base64"),
  "a half twice": Buffer.concat([hash("a").subarray(16), hash("a").subarray(16)]).toString("hex"),
  "words in base64": "changemechangemechangemechangemechangemechA",
  "an unfollowed reference": "$${env:GATEWAY_KEY}",
};

type Ring = Readonly<Record<string, string>>;

/** Writes a configuration with these keys, one of them as `encryption_key`, several as a ring. */
async function configure(ring: Ring): Promise<string> {
  const names = Object.keys(ring);
  names.forEach((name, index) => {
    vi.stubEnv(`KEY_${index}`, ring[name]);
  });
  const server =
    names.length === 0
      ? {}
      : names.length === 1
        ? { encryption_key: "${env:KEY_0}" }
        : { encryption_keys: names.map((id, index) => ({ id, key: `\${env:KEY_${index}}` })) };
  const file = join(folder.path, "gestalt.yaml");
  await writeFile(
    file,
    JSON.stringify({
      server: { port: 0, ...server },
      datastore: { provider: "sqlite", config: { path: "./gestalt.db" } },
      providers: {
        wiki: {
          surfaces: {
            rest: { base_url: "http://127.0.0.1:9", operations: [{ name: "a", method: "GET", path: "/" }] },
          },
        },
      },
    }),
  );
  return file;
}

async function load(ring: Ring): Promise<GatewayConfig | undefined> {
  const file = await configure(ring);
  const options = { environment: process.env, references: "resolve", workingDirectory: folder.path } as const;
  return (await loadConfig(file, options)).config;
}

/** What becomes of a start with these keys, and all that was told. */
async function start(
  ring: Ring,
): Promise<{ readonly outcome: "starts" | "refused" | "configuration"; readonly told: string }> {
  const config = await load(ring);
  const console = recordingConsole();
  if (config === undefined) {
    const status = await serve({ config: join(folder.path, "gestalt.yaml"), watch: false }, console);
    expect(status).toBe(2);
    return { outcome: "configuration", told: console.told().join("\n") };
  }
  const state = await openState(config, { log: () => {} });
  opened.push(state);
  try {
    await state.checkKeys();
    return { outcome: "starts", told: "" };
  } catch (error) {
    // The command says the same, and serves nobody.
    await expect(serve({ config: config.file, watch: false }, console)).rejects.toThrow(
      String(Object(error).message),
    );
    return { outcome: "refused", told: `${String(error)} ${console.told().join("\n")}` };
  }
}

async function storeSealedWith(...keys: readonly string[]): Promise<void> {
  const store = await openSqliteStore(join(folder.path, "gestalt.db"));
  for (const key of keys) await fillStore(store, vaultOf(key), 5);
  await store.close();
}

describe("a start", () => {
  test.each<[string, Ring, "starts" | "refused"]>([
    ["no key", {}, "refused"],
    ["the key", { one: good("old") }, "starts"],
    ["another key", { one: good("other") }, "refused"],
    ["the key in a ring", { new: good("new"), old: good("old") }, "starts"],
    ["the key at the head of a ring", { old: good("old"), new: good("new") }, "starts"],
    ["a ring without the key", { new: good("new"), other: good("other") }, "refused"],
    ["the key in hexadecimal", { one: Buffer.from(good("old"), "base64").toString("hex") }, "starts"],
    ["the key without padding", { one: good("old").replace("=", "") }, "starts"],
  ])("with %s over what is sealed", async (_name, ring, outcome) => {
    await storeSealedWith("old");
    const result = await start(ring);
    expect(result.outcome).toBe(outcome);
    if (outcome === "refused") expect(result.told).toContain(vaultOf("old").keys()[0]?.fingerprint);
  });

  test.each<[string, Ring]>([
    ["no key", {}],
    ["a key", { one: good("new") }],
    ["a ring", { one: good("new"), two: good("old") }],
  ])("with %s over an empty store", async (_name, ring) => {
    expect((await start(ring)).outcome).toBe("starts");
  });

  test.each(Object.entries(bad))(
    "with %s: refused, over an empty store too, beside a good key too",
    async (_name, text) => {
      for (const ring of [{ one: text }, { one: text, old: good("old") }, { old: good("old"), two: text }]) {
        const { outcome, told } = await start(ring);
        expect(outcome).toBe("configuration");
        if (text.trim().length > 8) expect(told).not.toContain(text);
      }
      await storeSealedWith("old");
      expect((await start({ old: good("old"), two: text })).outcome).toBe("configuration");
    },
  );

  test("with one key in two places: refused, however it is written", async () => {
    const hex = Buffer.from(good("one"), "base64").toString("hex");
    for (const second of [good("one"), hex, good("one").replace("=", ""), ` ${good("one")}`])
      expect((await start({ one: good("one"), two: second })).outcome).toBe("configuration");
  });

  test("with one of two keys in use: refused until both are there", async () => {
    const store = await openSqliteStore(join(folder.path, "gestalt.db"));
    const put = async (key: string, instance: string) => {
      const credentials = createCredentialStore({ store, vault: vaultOf(key), log: () => {} });
      await credentials.put(referenceOf({ instance }), factsOf({ access_token: "1" }), "absent", true);
    };
    await put("old", "a");
    await put("new", "b");
    await store.close();
    const [old, young] = ["old", "new"].map((name) => vaultOf(name).keys()[0]?.fingerprint ?? "");
    expect((await start({ new: good("new") })).told).toContain(old);
    expect((await start({ old: good("old") })).told).toContain(young);
    expect((await start({ new: good("new"), old: good("old") })).outcome).toBe("starts");
  });

  test("a key that others know does nothing where it got past the configuration", async () => {
    const store = await openSqliteStore(join(folder.path, "gestalt.db"));
    for (const text of Object.values(bad)) {
      const vault = createVault(() => [writtenKey(undefined, text), keyNamed("good")]);
      const credentials = createCredentialStore({ store, vault, log: () => {} });
      const put = credentials.put(referenceOf(), factsOf({ access_token: "1" }), "any", true);
      await expect(put).rejects.toMatchObject({ code: "unsupported" });
    }
    expect(await store.tenantsWith("credential")).toEqual([]);
    await store.close();
  });
});

describe("a reload", () => {
  test("to keys that can't open what is stored is refused, and changes nothing", async () => {
    await storeSealedWith("old");
    const config = await load({ one: good("old") });
    if (config === undefined) throw new Error("The configuration has errors.");
    const state = await openState(config, { log: () => {} });
    opened.push(state);
    for (const encryptionKeys of [[], [keyNamed("new")], [writtenKey("old", "changeme")]]) {
      const next = { ...config, server: { ...config.server, encryptionKeys } };
      await expect(state.reconfigure(next)).rejects.toMatchObject({ code: "internal" });
      expect(state.vault.keys()).toEqual([{ ...vaultOf("old").keys()[0], id: undefined }]);
    }
    const next = {
      ...config,
      server: { ...config.server, encryptionKeys: [keyNamed("new"), keyNamed("old")] },
    };
    (await state.reconfigure(next))();
    expect(state.vault.keys()).toEqual(vaultOf("new", "old").keys());
  });
});

test("keys that are made are good, and never the same", () => {
  const keys = Array.from({ length: 200 }, () =>
    writtenKey(undefined, randomBytes(32).toString("base64url")),
  );
  expect(createVault(() => keys).problem()).toBeUndefined();
});

describe("keys that sign what browsers bring back to the authorization server", () => {
  const user: Principal = {
    ...{ kind: "user", id: "usr_a", name: "ada", tenant: "default", home: "default", roles: [] },
    ...{ scopes: undefined, exposure: { kind: "all" }, credential: { kind: "session", id: "ses_a" } },
  };
  const id = "q".repeat(43);
  const bindingOf = (purpose: string, ...names: readonly string[]) =>
    createBrowserBinding(() => deriveKeys(names.map(keyNamed), purpose), 600);
  const cookieOf = (binding: BrowserBinding) => binding.begin(id, undefined)[0]?.split(";", 1)[0];

  test("follow from the gateway's own, rotate with them, and are for one purpose", () => {
    const own = bindingOf("consent", "old");
    const [cookie, seal] = [cookieOf(own), own.seal(id, user)];
    for (const [binding, isBelieved] of [
      [bindingOf("consent", "old"), true],
      [bindingOf("consent", "new", "old"), true],
      // Another environment, a key that was taken out, and another use of the same key.
      [bindingOf("consent", "new"), false],
      [bindingOf("oauth cookies", "old"), false],
      [bindingOf("request state", "old"), false],
    ] as const)
      expect([binding.isBegun(id, cookie), binding.isSealed(id, user, seal)]).toEqual([
        isBelieved,
        isBelieved,
      ]);
  });

  test("without any of them nothing is signed, and nothing believed", () => {
    const none = bindingOf("consent");
    expect(() => none.begin(id, undefined)).toThrow("no key");
    const own = bindingOf("consent", "old");
    expect(none.isBegun(id, cookieOf(own))).toBe(false);
    for (const seal of ["", own.seal(id, user)]) expect(none.isSealed(id, user, seal)).toBe(false);
  });

  test("a cookie does not pass for a form, nor one question's for another's", () => {
    const own = bindingOf("consent", "old");
    const value = cookieOf(own)?.replace(/^[^=]*=/, "") ?? "";
    expect(own.isSealed(id, user, value)).toBe(false);
    const other = "p".repeat(43);
    expect(own.isBegun(other, cookieOf(own))).toBe(false);
    const name = own.begin(other, undefined)[0]?.split("=", 1)[0];
    expect(own.isBegun(other, `${name}=${value}`)).toBe(false);
    expect(own.isSealed(other, user, own.seal(id, user))).toBe(false);
    const seal = own.seal(id, user);
    for (const somebody of [
      { ...user, id: "usr_b" },
      { ...user, home: "acme" },
      { ...user, credential: { kind: "session", id: "ses_b" } },
      { ...user, credential: { kind: "token", id: "ses_a" } },
    ] as const)
      expect(own.isSealed(id, somebody, seal)).toBe(false);
  });
});
