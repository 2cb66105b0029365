import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeKeyFault, parseKey } from "../src/key-form.ts";

const sequence = (step: number) =>
  Buffer.from(Array.from({ length: 32 }, (_, index) => (index * step + 7) % 256));

describe("keys", () => {
  test("are 32 random bytes, in any of their writings", () => {
    for (let count = 0; count < 300; count += 1) {
      const key = randomBytes(32);
      const base64 = key.toString("base64");
      for (const text of [
        base64,
        base64.replace(/=$/, ""),
        key.toString("base64url"),
        key.toString("hex"),
        key.toString("hex").toUpperCase(),
        ` ${base64}\n`,
      ]) {
        expect(parseKey(text)).toEqual(key);
        expect(describeKeyFault(text)).toBeUndefined();
      }
    }
  });

  test("have one text in each writing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const text = Buffer.from(bytes).toString("base64url");
        const last = text.at(-1) ?? "";
        for (const digit of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
          if (digit !== last) expect(parseKey(text.slice(0, -1) + digit)?.equals(bytes) ?? false).toBe(false);
        }
      }),
      { numRuns: 30 },
    );
  });

  const bytes = randomBytes(32);
  test.each([
    ["nothing", ""],
    ["31 bytes", bytes.subarray(1).toString("base64")],
    ["33 bytes", Buffer.concat([bytes, bytes.subarray(0, 1)]).toString("base64")],
    ["16 bytes in hexadecimal", bytes.subarray(16).toString("hex")],
    ["64 bytes", Buffer.concat([bytes, bytes]).toString("base64")],
    ["a pass phrase", "correct horse battery staple"],
    ["a pass phrase of 32 letters", "correct horse battery staple-123"],
    ["both alphabets", `${"A-+".repeat(14)}A`],
    ["too much padding", `${bytes.toString("base64")}=`],
    ["white space inside", bytes.toString("base64").replace(/^.{8}/, "$& ")],
    ["a prefix", `0x${bytes.toString("hex")}`],
    ["quotes", `"${bytes.toString("base64")}"`],
    ["a reference that was not followed", "${env:GATEWAY_KEY}"],
  ])("%s is none", (_name, text) => {
    expect(parseKey(text)).toBeUndefined();
    expect(describeKeyFault(text)).toMatch(/^is not 32 bytes/);
  });

  test.each([
    ["zeros", Buffer.alloc(32), /sequence/],
    ["ones", Buffer.alloc(32, 0xff), /sequence/],
    ["letters", Buffer.alloc(32, "a"), /sequence/],
    ["counted up", sequence(1), /sequence/],
    ["counted down", sequence(255), /sequence/],
    ["in steps", sequence(8), /sequence/],
    ["from 1", Buffer.from(Array.from({ length: 32 }, (_, index) => index + 1)), /sequence/],
    ["a half twice", Buffer.concat([bytes.subarray(0, 16), bytes.subarray(0, 16)]), /sequence/],
    [
      "few bytes",
      Buffer.from(Array.from({ length: 32 }, (_, index) => (index * index * 31) % 11)),
      /few bytes/,
    ],
    ["a padded word", Buffer.concat([Buffer.from("changeme"), Buffer.alloc(24)]), /few bytes/],
    ["a text", Buffer.from("this is the key of our gateway!!"), /text/],
    ["an example", Buffer.from("0123456789abcdef0123456789abcdef"), /sequence/],
    ["hexadecimal digits as a text", Buffer.from(bytes.toString("hex").slice(0, 32)), /text|few bytes/],
    ["a text with a line end", Buffer.from("the-secret-key-of-our-gateway-1\n"), /text/],
    ["a text beyond ASCII", Buffer.from("ключ-нашего-шлюза").subarray(0, 32), /text|few bytes/],
  ])("%s are not random", (_name, key, fault) => {
    for (const text of [key.toString("base64"), key.toString("hex"), key.toString("base64url")])
      expect(describeKeyFault(text)).toMatch(fault);
  });

  test.each([
    "changeme-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGA",
    "thisisasecretkeythatshouldbechangedinprod1A",
    "ReplaceThisByYourOwnEncryptionKeyBefore123Q",
  ])("%s is made of words", (text) => {
    expect(describeKeyFault(text)).toMatch(/words|few bytes|sequence/);
  });
});
