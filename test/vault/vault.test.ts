import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Secret } from "../../src/secret.ts";
import { createVault } from "../../src/vault/create-vault.ts";
import type { SealContext } from "../../src/vault/vault.ts";
import { keyNamed, vaultOf, writtenKey } from "./keys.ts";

const context: SealContext = {
  tenant: "acme",
  owner: "user:usr_a",
  provider: "crm",
  connection: "default",
  instance: "default",
  field: "access_token",
  version: 1,
  facts: "[]",
};

function codeOf(work: () => unknown): string {
  try {
    work();
    return "no error";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

describe("a sealed value", () => {
  test("opens to what was sealed, whatever text that is", () => {
    const vault = vaultOf("one");
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: "binary", maxLength: 3_000 }), fc.constant("\ud800")),
        (text) => {
          expect(vault.open(vault.seal(new Secret(text), context), context).reveal()).toBe(text);
        },
      ),
    );
  });

  test("has one form, another nonce each time, and the fingerprint of its key", () => {
    const vault = vaultOf("one", "two");
    const [first, second] = [1, 2].map(() => vault.seal(new Secret("text"), context));
    expect(first).toMatch(/^gv1\.[0-9a-f]{16}\.[\w-]+$/);
    expect(first).not.toBe(second);
    expect(vault.keyOf(first ?? "")).toBe(vault.keys()[0]?.fingerprint);
  });

  test("opens for its own context and for no other", () => {
    const vault = vaultOf("one");
    const part = fc.oneof(fc.string(), fc.constantFrom("", "a", "b", '","', "\\", "\ud800", "null"));
    const contexts: fc.Arbitrary<SealContext> = fc.record({
      tenant: part,
      owner: part,
      provider: part,
      connection: part,
      instance: part,
      field: part,
      version: fc.integer({ min: 1, max: 3 }),
      facts: part,
    });
    fc.assert(
      fc.property(contexts, contexts, (first, second) => {
        const sealed = vault.seal(new Secret("text"), first);
        const isSame = (Object.keys(context) as (keyof SealContext)[]).every(
          (name) => first[name] === second[name],
        );
        expect(vault.open(sealed, first).reveal()).toBe("text");
        expect(codeOf(() => vault.open(sealed, second))).toBe(isSame ? "no error" : "forged");
      }),
    );
  });

  test("parts that change places make another context", () => {
    const vault = vaultOf("one");
    const sealed = vault.seal(new Secret("text"), { ...context, provider: "a", connection: "bc" });
    for (const other of [
      { ...context, provider: "ab", connection: "c" },
      { ...context, provider: "bc", connection: "a" },
      { ...context, provider: 'a","bc', connection: "" },
    ])
      expect(codeOf(() => vault.open(sealed, other))).toBe("forged");
  });

  test("that differs in any character is no sealed value", () => {
    const vault = vaultOf("one");
    const sealed = vault.seal(new Secret("some text that is sealed"), context);
    for (let index = 0; index < sealed.length; index += 1) {
      for (const other of ["A", "B", "-", "0", "1", "f", ".", " ", "\n"]) {
        if (sealed[index] === other) continue;
        const changed = sealed.slice(0, index) + other + sealed.slice(index + 1);
        expect(["forged", "unknown_key"]).toContain(codeOf(() => vault.open(changed, context)));
      }
    }
  });

  test.each([
    "",
    "text",
    "gv1",
    "gv1..",
    "gv1.0123456789abcdef.",
    "gv2.0123456789abcdef.AAAA",
    `gv1.${"0".repeat(16)}.${"A".repeat(36)}`,
  ])("%j is none", (text) => {
    const vault = vaultOf("one");
    expect(["forged", "unknown_key"]).toContain(codeOf(() => vault.open(text, context)));
    expect(["forged", "unknown_key"]).toContain(codeOf(() => vault.open(`${text}=`, context)));
  });

  test("in another writing of the same bytes is none", () => {
    const vault = vaultOf("one");
    const sealed = vault.seal(new Secret("x"), context);
    const [form, fingerprint, text = ""] = sealed.split(".");
    const bytes = Buffer.from(text, "base64url");
    for (const other of [
      `${sealed}=`,
      `${sealed}\n`,
      ` ${sealed}`,
      `${form}.${fingerprint?.toUpperCase()}.${text}`,
      `${form}.${fingerprint}.${bytes.toString("hex")}`,
    ])
      if (other !== sealed)
        expect(
          codeOf(() => vault.open(other, context)),
          other,
        ).not.toBe("no error");
  });
});

describe("a ring", () => {
  test("seals with its first key and opens with all", () => {
    const old = vaultOf("old").seal(new Secret("text"), context);
    const ring = vaultOf("new", "old");
    expect(ring.open(old, context).reveal()).toBe("text");
    expect(ring.keyOf(ring.seal(new Secret("text"), context))).toBe(vaultOf("new").keys()[0]?.fingerprint);
    expect(codeOf(() => vaultOf("new").open(old, context))).toBe("unknown_key");
  });

  test("is what the configuration says at each moment", () => {
    let keys = [keyNamed("old")];
    const vault = createVault(() => keys);
    const sealed = vault.seal(new Secret("text"), context);
    keys = [keyNamed("new")];
    expect(codeOf(() => vault.open(sealed, context))).toBe("unknown_key");
    keys = [keyNamed("new"), keyNamed("old")];
    expect(vault.open(sealed, context).reveal()).toBe("text");
    keys = [];
    expect(codeOf(() => vault.seal(new Secret("text"), context))).toBe("no_key");
    expect(vault.keys()).toEqual([]);
  });

  test("with a bad key is none at all, and says why without the key", () => {
    const sealed = vaultOf("good").seal(new Secret("text"), context);
    const vault = createVault(() => [keyNamed("good"), writtenKey("bad", "changeme-canary")]);
    expect(vault.keys()).toEqual([]);
    expect(vault.problem()).toMatch(
      /^The key `bad` of `server.encryption_keys` is not 32 bytes .* `gateway keys generate`\.$/,
    );
    expect(vault.problem()).not.toContain("canary");
    expect(codeOf(() => vault.seal(new Secret("text"), context))).toBe("no_key");
    expect(codeOf(() => vault.open(sealed, context))).toBe("unknown_key");
  });

  test("fingerprints follow from keys, however they are written, and tell nothing of them", () => {
    const key = keyNamed("one").key.reveal();
    const hex = Buffer.from(key, "base64").toString("hex");
    const [first] = vaultOf("one").keys();
    const [second] = createVault(() => [writtenKey(undefined, hex)]).keys();
    expect(second).toEqual({ fingerprint: first?.fingerprint, id: undefined });
    expect(hex).not.toContain(first?.fingerprint);
    expect(vaultOf("two").keys()[0]?.fingerprint).not.toBe(first?.fingerprint);
  });

  test("nothing that is thrown or printed holds a key or a secret", () => {
    const vault = vaultOf("one");
    const sealed = vault.seal(new Secret("canary"), context);
    const printed = [JSON.stringify(vault), String(vault.keys()), JSON.stringify(vault.keys())];
    try {
      vault.open(sealed, { ...context, version: 2 });
    } catch (error) {
      printed.push(String(error), JSON.stringify(error), error instanceof Error ? (error.stack ?? "") : "");
    }
    expect(printed.join()).not.toContain("canary");
    expect(printed.join()).not.toContain(keyNamed("one").key.reveal().slice(0, 12));
  });

  test("of many tenants stays small", () => {
    const vault = vaultOf("one");
    for (let index = 0; index < 2_500; index += 1) {
      const own = { ...context, tenant: `t${index}` };
      expect(vault.open(vault.seal(new Secret("x"), own), own).reveal()).toBe("x");
    }
  });
});
