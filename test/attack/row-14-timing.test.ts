import { describe, expect, test, vi } from "vitest";
import { isSameHash } from "../../src/identity/credential-form.ts";
import type { Derive } from "../../src/identity/password-hash.ts";
import { createOwnAddress } from "../../src/own-address.ts";
import { createFaultyStore, type FaultyStore } from "../identity/faulty-store.ts";
import { authorizationServer, baseUrl, issue } from "../identity/granted.ts";
import {
  bearer,
  codeOf,
  createHarness,
  password,
  quickDerive,
  signedIn,
  signIn,
} from "../identity/harness.ts";

// No clock is looked at: what could tell by its duration is counted as work.

const timingSafeEqual = vi.hoisted(() => vi.fn<(one: Uint8Array, other: Uint8Array) => boolean>());
vi.mock("node:crypto", async (original) => {
  const real = await original<typeof import("node:crypto")>();
  timingSafeEqual.mockImplementation((one, other) => real.timingSafeEqual(one, other));
  return { ...real, timingSafeEqual };
});

type Work = Parameters<Derive>;

async function prepare() {
  const hashed: Work[] = [];
  let faulty: FaultyStore | undefined;
  const harness = await createHarness({
    derive: (...work) => {
      hashed.push(work);
      return quickDerive(...work);
    },
    wrap: (store) => {
      faulty = createFaultyStore(store);
      return faulty.store;
    },
  });
  await signedIn(harness, "ada");
  await signedIn(harness, "off");
  await harness.identity.administration(harness.operator).updateUser("off", { disabled: true });
  if (faulty === undefined) throw new Error("no store");
  return { harness, hashed, asked: faulty.asked };
}

describe("a sign-in that fails does the same work, whatever is wrong", () => {
  const wrong = "wrong horse battery";
  test.each([
    ["a known user", "ada", wrong],
    ["an unknown user", "bob", wrong],
    ["a disabled user", "off", wrong],
    ["a disabled user with the right password", "off", password],
    ["no name", "", wrong],
    ["no possible name", "\u0000 or 1=1", wrong],
    ["a name without end", "a".repeat(1_000_000), wrong],
    ["a known user and no password", "ada", ""],
    ["an unknown user and no password", "bob", ""],
    ["a known user and a password without end", "ada", "x".repeat(1_000_000)],
    ["an unknown user and a password that is no text", "bob", "\ud800".repeat(20)],
  ])("%s", async (_, name, text) => {
    const { harness, hashed, asked } = await prepare();
    hashed.length = 0;
    asked.length = 0;
    timingSafeEqual.mockClear();
    expect(await codeOf(signIn(harness.identity, name, text))).toBe("unauthenticated");
    expect(asked).toEqual(["find user"]);
    expect(hashed).toHaveLength(1);
    const [[hashedText, salt, parameters] = []] = hashed;
    expect(parameters).toEqual({ memory: 19_456, passes: 2, lanes: 1 });
    expect(salt).toHaveLength(16);
    expect(hashedText?.length).toBeLessThanOrEqual(1_024);
    expect(timingSafeEqual).toHaveBeenCalledTimes(1);
  });
});

test("tokens of the right form are hashed and looked for, be they near a real one or not", async () => {
  const { harness, asked } = await prepare();
  const { secret } = await harness.identity
    .administration(harness.operator)
    .createToken({ name: "ci", service: true });
  const real = secret.reveal();
  // The last character of 43 holds two bits of nothing, so only the one before it makes another token for certain.
  const near = `${real.slice(0, -2)}${real.at(-2) === "A" ? "B" : "A"}${real.slice(-1)}`;
  for (const text of [`gst_api_${"A".repeat(43)}`, near, `gst_api_A${real.slice(9)}`]) {
    asked.length = 0;
    expect(await codeOf(harness.identity.authenticate(bearer(text), undefined))).toBe("unauthenticated");
    expect(asked).toEqual(["epoch", "find token"]);
  }
});

test("what is compared is the hash, in constant time", async () => {
  const { harness } = await prepare();
  const { secret } = await harness.identity
    .administration(harness.operator)
    .createToken({ name: "ci", service: true });
  timingSafeEqual.mockClear();
  await harness.identity.authenticate(bearer(secret), undefined);
  expect(timingSafeEqual).toHaveBeenCalledTimes(1);
  const texts = timingSafeEqual.mock.calls.flat().map((bytes) => Buffer.from(bytes).toString());
  expect(texts.every((text) => /^[\w-]{43}$/.test(text) && !secret.reveal().includes(text))).toBe(true);
});

test("access tokens are looked for and compared in the same way", async () => {
  const { harness, asked } = await prepare();
  harness.settings = { ...harness.settings, auth: { ...harness.settings.auth, authorizationServer } };
  const address = createOwnAddress(() => ({ host: "127.0.0.1", port: 8080, baseUrl }));
  const { identity } = await harness.other({ address });
  const ada = await signIn(harness.identity, "ada");
  const { token } = await issue(harness.store, ada.principal.id, { now: harness.time });
  const near = `${token.slice(0, -2)}${token.at(-2) === "A" ? "B" : "A"}${token.slice(-1)}`;
  for (const text of [`gst_oat_${"A".repeat(43)}`, near, `gst_oat_A${token.slice(9)}`]) {
    asked.length = 0;
    expect(await codeOf(harness.identity.authenticate(bearer(text), undefined, "mcp"))).toBe(
      "unauthenticated",
    );
    expect(asked).toEqual(["epoch", "find access"]);
  }
  timingSafeEqual.mockClear();
  await identity.authenticate(bearer(token), undefined, "mcp");
  expect(timingSafeEqual).toHaveBeenCalledTimes(1);
  const texts = timingSafeEqual.mock.calls.flat().map((bytes) => Buffer.from(bytes).toString());
  expect(texts.every((text) => /^[\w-]{43}$/.test(text) && !token.includes(text))).toBe(true);
});

test.each([
  ["abc", "abc", true],
  ["abc", "abd", false],
  ["abc", "ab", false],
  [undefined, "abc", false],
  ["", "abc", false],
])("%j and %j are the same hash: %s", (stored, presented, same) => {
  expect(isSameHash(stored, presented)).toBe(same);
});
