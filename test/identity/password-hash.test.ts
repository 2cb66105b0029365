import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  deriveByArgon2,
  hashPassword,
  isOutdated,
  isPasswordHash,
  verifyPassword,
} from "../../src/identity/password-hash.ts";
import { createPasswords } from "../../src/identity/passwords.ts";
import { Secret } from "../../src/secret.ts";
import { codeOf, quickDerive } from "./harness.ts";

test("argon2id gives the hash of RFC 9106's authors", async () => {
  // From the test vectors of the reference implementation (argon2id, v=19, m=65536, t=2, p=1).
  const hash = await deriveByArgon2("password", Buffer.from("somesalt"), {
    memory: 65_536,
    passes: 2,
    lanes: 1,
  });
  expect(hash.toString("hex")).toBe("09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7");
});

test("a hash is verified by its own parameters", async () => {
  const hash = await hashPassword("correct horse battery", deriveByArgon2, {
    memory: 1_024,
    passes: 1,
    lanes: 1,
  });
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=1024,t=1,p=1\$/);
  expect(await verifyPassword("correct horse battery", hash, deriveByArgon2)).toBe(true);
  expect(await verifyPassword("correct horse batterz", hash, deriveByArgon2)).toBe(false);
  expect(await verifyPassword("correct horse battery", undefined, deriveByArgon2)).toBe(false);
  expect(isOutdated(hash)).toBe(true);
});

test("any text comes back, and only that one", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: "grapheme" }),
      async (text, other) => {
        const hash = await hashPassword(text, quickDerive);
        expect(isPasswordHash(hash)).toBe(true);
        expect(isOutdated(hash)).toBe(false);
        expect(await verifyPassword(text, hash, quickDerive)).toBe(true);
        expect(await verifyPassword(other, hash, quickDerive)).toBe(other === text);
      },
    ),
  );
});

const salt = "A".repeat(22);
const bytes = "B".repeat(43);
test.each([
  "",
  "plain",
  `$argon2i$v=19$m=19456,t=2,p=1$${salt}$${bytes}`,
  `$argon2id$v=16$m=19456,t=2,p=1$${salt}$${bytes}`,
  `$argon2id$m=19456,t=2,p=1$${salt}$${bytes}`,
  `$argon2id$v=19$m=0,t=2,p=1$${salt}$${bytes}`,
  `$argon2id$v=19$m=9999999,t=2,p=1$${salt}$${bytes}`,
  `$argon2id$v=19$m=19456,t=99,p=1$${salt}$${bytes}`,
  `$argon2id$v=19$m=19456,t=2,p=99$${salt}$${bytes}`,
  `$argon2id$v=19$m=8,t=2,p=2$${salt}$${bytes}`,
  `$argon2id$v=19$m=19456,t=2,p=1$${salt}$`,
  `$argon2id$v=19$m=19456,t=2,p=1$$${bytes}`,
  `$argon2id$v=19$m=19456,t=2,p=1$${salt}$${bytes}\n`,
])("%j is no hash, and nothing has it", async (text) => {
  expect(isPasswordHash(text)).toBe(false);
  expect(await verifyPassword("", text, quickDerive)).toBe(false);
});

describe("passwords that are refused", () => {
  const passwords = createPasswords(quickDerive);
  const user = "ada.lovelace@example.com";
  test.each([
    ["", "bad_request"],
    ["elevenchars", "bad_request"],
    ["twelve chars", "resolved"],
    ["🐴".repeat(11), "bad_request"],
    ["🐴".repeat(12), "resolved"],
    ["🐴".repeat(1_024), "resolved"],
    ["x".repeat(1_024), "resolved"],
    ["x".repeat(1_025), "bad_request"],
    ["x".repeat(100_000), "bad_request"],
    ["ADA.Lovelace@Example.com", "bad_request"],
    ["twelve chars\ud800", "bad_request"],
  ])("%j", async (text, code) => {
    expect(await codeOf(passwords.hash(new Secret(text), user))).toContain(code);
  });
});
