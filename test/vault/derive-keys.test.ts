import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { Secret } from "../../src/secret.ts";
import { createVault } from "../../src/vault/create-vault.ts";
import { deriveKeys } from "../../src/vault/derive-keys.ts";
import { placeAt } from "../catalog/fixtures.ts";

const keyOf = (id: string, key = randomBytes(32).toString("base64")) => ({
  ...{ id, key: new Secret(key), place: placeAt(3) },
});

test("each key gives one for a purpose, in the same order", () => {
  const [first, second] = [keyOf("new"), keyOf("old")];
  const derived = deriveKeys([first, second], "request state");
  expect(derived.map(({ length }) => length)).toEqual([32, 32]);
  expect(deriveKeys([second], "request state")).toEqual(derived.slice(1));
  expect(deriveKeys([first], "another")).not.toEqual(derived.slice(0, 1));
  expect(derived[0]?.toString("base64")).not.toBe(first.key.reveal());
});

test("where one can't be used, none is, as in the vault", () => {
  const bad = keyOf("bad", "short");
  expect(deriveKeys([keyOf("good"), bad], "request state")).toEqual([]);
  expect(createVault(() => [keyOf("good"), bad]).keys()).toEqual([]);
  expect(deriveKeys([], "request state")).toEqual([]);
});
