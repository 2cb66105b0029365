import { afterEach, describe, expect, test, vi } from "vitest";
import type { Principal } from "../../../src/model/principal.ts";
import { KeptResults } from "../../../src/server/mcp/kept-results.ts";
import { principalOf } from "../../principals.ts";

const kB = 1_000;
const ada = principalOf("user", "ada", "one");
const clock = { now: 0 };
let results: KeptResults;

function start(keptResultBytes: number, keptResultMilliseconds = 600_000): void {
  clock.now = 0;
  results = new KeptResults({ keptResultBytes, keptResultMilliseconds }, () => clock.now);
}
afterEach(() => results.close());

/** Keeps a result that takes so many bytes in all, and gives its URI. */
function keep(owner: Principal, bytes: number): string | undefined {
  const text = Buffer.alloc(bytes - 1_000, "x");
  return results.keep(owner, "tool", [{ mimeType: "text/plain", text }])?.uri;
}

const isThere = (uri: string | undefined, caller: Principal): boolean =>
  results.find(uri ?? "", caller) !== undefined;

describe("whole results", () => {
  test("are there for the caller that they were given to, and for nobody else", () => {
    start(100 * kB);
    const token = { kind: "token", id: "t1" } as const;
    const owner = principalOf("user", "ada", "one", { credential: token });
    const uri = keep(owner, 2 * kB);
    expect(isThere(uri, { ...owner })).toBe(true);
    for (const other of [
      principalOf("user", "bob", "one", { credential: token }),
      principalOf("user", "ada", "two", { credential: token }),
      principalOf("service", "ada", "one", { credential: token }),
      principalOf("user", "ada", "one", { credential: token, home: "two" }),
      principalOf("user", "ada", "one", { credential: { kind: "token", id: "t2" } }),
      principalOf("anonymous"),
    ])
      expect(isThere(uri, other)).toBe(false);
    expect(isThere("gateway://results/00000000-0000-0000-0000-000000000000", owner)).toBe(false);
  });

  test.each([
    [24, true],
    [25, true],
    [26, false],
  ])("of %i kB, where a caller has a quarter of 100 kB, is kept: %s", (size, isKept) => {
    start(100 * kB);
    expect(isThere(keep(ada, size * kB), ada)).toBe(isKept);
  });

  test("of one caller make room for each other, the oldest first", () => {
    start(100 * kB);
    const other = keep(principalOf("user", "zoe", "two"), 2 * kB);
    const [first, second, third] = [keep(ada, 10 * kB), keep(ada, 10 * kB), keep(ada, 10 * kB)];
    expect([first, second, third].map((uri) => isThere(uri, ada))).toEqual([false, true, true]);
    expect(isThere(other, principalOf("user", "zoe", "two"))).toBe(true);
  });

  test("of one tenant have three quarters of the room, and make room for each other", () => {
    start(100 * kB);
    const zoe = principalOf("user", "zoe", "two");
    const others = keep(zoe, 25 * kB);
    const people = ["a", "b", "c", "d"].map((id) => principalOf("user", id, "one"));
    const kept = people.map((person) => keep(person, 25 * kB));
    expect(people.map((person, at) => isThere(kept[at], person))).toEqual([false, true, true, true]);
    expect(isThere(others, zoe)).toBe(true);
    // And whoever comes to a full house as the first of its tenant gets in.
    const tim = principalOf("user", "tim", "three");
    expect(isThere(keep(tim, 10 * kB), tim)).toBe(true);
    expect(isThere(others, zoe)).toBe(false);
  });

  test("of callers without a name have all of the room", () => {
    start(100 * kB);
    const nobody = principalOf("anonymous");
    const [first, second] = [keep(nobody, 60 * kB), keep(nobody, 60 * kB)];
    expect([first, second].map((uri) => isThere(uri, nobody))).toEqual([false, true]);
    expect(keep(nobody, 101 * kB)).toBeUndefined();
  });

  test.each([
    [99, true],
    [100, false],
    [101, false],
  ])("are there after %i of 100 ms: %s", (passed, expected) => {
    start(100 * kB, 100);
    const uri = keep(ada, 2 * kB);
    clock.now = passed;
    expect(isThere(uri, ada)).toBe(expected);
  });

  test("that nobody comes for give their room back by themselves", async () => {
    vi.useFakeTimers();
    try {
      start(100 * kB, 100);
      keep(ada, 2 * kB);
      expect(results.bytes).toBe(2 * kB);
      clock.now = 200;
      await vi.advanceTimersByTimeAsync(200);
      expect(results.bytes).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test("are none where there is no room for any", () => {
    start(0);
    expect(keep(ada, 2 * kB)).toBeUndefined();
    expect(keep(principalOf("anonymous"), 2 * kB)).toBeUndefined();
  });
});
