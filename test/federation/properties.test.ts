import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseStrictObject } from "../../src/federation/parse-strict-json.ts";
import { parseToken } from "../../src/federation/parse-token.ts";
import { personOf, rolesOf, tenantOf } from "../../src/identity/read-claims.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";

const runs = { numRuns: 1_000 };
const encode = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString("base64url");
const object = fc.dictionary(fc.string({ maxLength: 10 }), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 });

describe("tokens", () => {
  test("whatever comes is read as both parsers would, or not at all", () => {
    const part = fc.oneof(
      object.map((value) => encode(JSON.stringify(value))),
      fc.json().map((text) => encode(text)),
      fc.uint8Array({ maxLength: 32 }).map((bytes) => encode(bytes)),
      fc.string({ maxLength: 20 }),
    );
    const token = fc.oneof(
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join(".")),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(token, (text) => {
        const parsed = parseToken(text);
        if (parsed === undefined) return;
        const [header = "", claims = "", signature = "", ...more] = text.split(".");
        expect(more).toEqual([]);
        expect(JSON.parse(Buffer.from(header, "base64url").toString("utf8"))).toEqual(parsed.header);
        expect(JSON.parse(Buffer.from(claims, "base64url").toString("utf8"))).toEqual(parsed.claims);
        for (const one of [header, claims, signature])
          expect(encode(Buffer.from(one, "base64url"))).toBe(one);
      }),
      runs,
    );
  });

  test("objects come back as they were; with a member twice, at any place, they do not", () => {
    const name = fc.string({ maxLength: 10 }).filter((text) => text !== "__proto__");
    const flat = fc.dictionary(name, fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)), {
      minKeys: 1,
    });
    fc.assert(
      fc.property(flat, fc.nat(), fc.boolean(), (given, index, isEscaped) => {
        const text = JSON.stringify(given);
        expect(parseStrictObject(new TextEncoder().encode(text))).toEqual(given);
        const names = Object.keys(given);
        const again = names[index % names.length] ?? "";
        // The same name, spelled otherwise.
        const units = Array.from({ length: again.length }, (_, at) => again.charCodeAt(at));
        const escaped = units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
        const member = `${isEscaped ? `"${escaped}"` : JSON.stringify(again)} :1`;
        for (const twice of [`${text.slice(0, -1)},${member}}`, `{${member},${text.slice(1)}`]) {
          expect(parseStrictObject(new TextEncoder().encode(twice))).toBeUndefined();
          const nested = `{"a":[{"b":${twice}}]}`;
          expect(parseStrictObject(new TextEncoder().encode(nested))).toBeUndefined();
        }
      }),
      runs,
    );
  });
});

describe("claims", () => {
  const name = fc.constantFrom("groups", "realm.roles", "constructor", "__proto__", "a", "");
  const word = fc.oneof(
    fc.constantFrom("admin", "operator", "member", "Admin", "toString", "default", "__proto__"),
    fc.string({ maxLength: 8 }),
  );
  const value: fc.Arbitrary<JsonValue> = fc.oneof(
    word,
    fc.array(word, { maxLength: 5 }),
    fc.dictionary(name, word),
    fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>,
  );
  const claims: fc.Arbitrary<JsonObject> = fc.dictionary(name, value);

  test("give no power that the file does not name, nor anything that is no role", () => {
    fc.assert(
      fc.property(claims, name, (given, claim) => {
        const roles = rolesOf(given, { tenant: undefined, roles: { claim, values: undefined } }) ?? [];
        expect(roles).not.toContain("admin");
        expect(roles).not.toContain("operator");
        expect(new Set(roles).size).toBe(roles.length);
        for (const role of roles) expect(role).toMatch(/^[a-z0-9][a-z0-9._-]*$/i);
        const mapped = rolesOf(given, { tenant: undefined, roles: { claim, values: { staff: "admin" } } });
        const texts = JSON.stringify(given);
        if (mapped?.length !== 0) expect([mapped, texts.includes('"staff"')]).toEqual([["admin"], true]);
      }),
      runs,
    );
  });

  test("mean one tenant or none, and names of one line", () => {
    fc.assert(
      fc.property(claims, name, (given, claim) => {
        const tenant = tenantOf(given, { tenant: { claim, values: undefined }, roles: undefined });
        if (tenant !== undefined) expect(JSON.stringify(given)).toContain(JSON.stringify(tenant));
        const hostile = { ...given, name: given["a"] ?? null, email: given["a"] ?? null };
        const { displayName, email } = personOf(hostile);
        expect(email).toBeUndefined();
        if (displayName !== undefined) expect(displayName).toMatch(/^[^\p{Cc}\p{Cs}\u2028\u2029]+$/u);
      }),
      runs,
    );
  });
});
