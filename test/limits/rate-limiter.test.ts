import { describe, expect, test } from "vitest";
import { compileGlob } from "../../src/catalog/glob.ts";
import { createRateLimiter } from "../../src/limits/rate-limiter.ts";
import type { Tool } from "../../src/model/catalog.ts";
import type { RateRule } from "../../src/model/limits.ts";
import type { Principal } from "../../src/model/principal.ts";
import { makeTool } from "../catalog/fixtures.ts";
import { principalOf } from "../principals.ts";

const find = makeTool("books_find", { provider: "books" });
const add = makeTool("books_add", { provider: "books" });
const open = makeTool("vault_open", { provider: "vault" });

const ada = principalOf("user", "ada", "acme");

function rule(changes: Partial<RateRule> = {}): RateRule {
  const every = { tenant: undefined, provider: undefined, tool: undefined };
  return { calls: 60, milliseconds: 60_000, burst: 2, per: [], text: "60/min", ...every, ...changes };
}

function make(first: readonly RateRule[], keys?: number) {
  let rules = first;
  let time = 0;
  const limiter = createRateLimiter({
    rules: () => rules,
    compileGlob: (glob) => compileGlob(glob, "name"),
    now: () => time,
    ...(keys !== undefined && { keys }),
  });
  return {
    limiter,
    wait: (milliseconds: number) => {
      time += milliseconds;
    },
    change: (next: readonly RateRule[]) => {
      rules = next;
    },
    /** How many calls are let through at once. */
    through(principal: Principal = ada, tool: Tool = find, most = 20): number {
      let count = 0;
      while (count < most && limiter.take(principal, tool, true) === undefined) count += 1;
      return count;
    },
  };
}

test("without rules everything is let through", () => {
  expect(make([]).through()).toBe(20);
});

test.each([1, 2, 7])("a burst of %i at once, then one by one", (burst) => {
  const { through, limiter, wait } = make([rule({ burst })]);
  expect(through()).toBe(burst);
  expect(limiter.take(ada, find, true)).toMatchObject({ milliseconds: 1_000 });
  wait(999);
  expect(limiter.take(ada, find, true)).toMatchObject({ milliseconds: 1 });
  wait(1);
  expect(through()).toBe(1);
  wait(3_600_000);
  expect(through()).toBe(burst);
});

test.each([3, 7, 11, 600, 999_999])("%i a minute are so many, whatever the interval comes to", (calls) => {
  const { through, wait } = make([rule({ calls, burst: Math.min(calls, 2_000) })]);
  expect(through(ada, find, 3_000)).toBe(Math.min(calls, 2_000));
  wait(60_000);
  expect(through(ada, find, 3_000)).toBe(Math.min(calls, 2_000));
});

describe("each subject has a count of its own", () => {
  const bob = principalOf("user", "bob", "acme");
  const elsewhere = principalOf("user", "ada", "umbrella");
  const byToken = (id: string): Principal => ({ ...ada, credential: { kind: "token", id } });

  test.each<[RateRule["per"], Principal, Tool, boolean]>([
    [[], bob, open, false],
    [["tenant"], bob, open, false],
    [["tenant"], elsewhere, find, true],
    [["user"], byToken("other"), open, false],
    [["user"], bob, find, true],
    [["token"], byToken("t1"), open, false],
    [["token"], byToken("t2"), find, true],
    [["token"], bob, find, true],
    [["provider"], bob, add, false],
    [["provider"], ada, open, true],
    [["tool"], bob, find, false],
    [["tool"], ada, add, true],
    [["user", "tool"], bob, find, true],
    [["user", "tool"], ada, add, true],
    [["user", "tool"], byToken("other"), find, false],
  ])("%j", (per, principal, tool, isOwn) => {
    const { through } = make([rule({ per })]);
    expect(through(byToken("t1"), find)).toBe(2);
    expect(through(principal, tool)).toBe(isOwn ? 2 : 0);
  });

  test("a user of the same id in another tenant is another one", () => {
    const { through } = make([rule({ per: ["user"] })]);
    expect(through(ada)).toBe(2);
    expect(through(elsewhere)).toBe(2);
  });

  test("callers without a name share one", () => {
    const { through } = make([rule({ per: ["token"] })]);
    expect(through(principalOf("anonymous"))).toBe(2);
    expect(through(principalOf("anonymous"))).toBe(0);
  });
});

describe("a rule counts only what it is for", () => {
  test.each<[Partial<RateRule>, number, number]>([
    [{ tenant: "acme" }, 2, 2],
    [{ tenant: "ac*" }, 2, 2],
    [{ tenant: "umbrella" }, 20, 20],
    [{ provider: "books" }, 2, 20],
    [{ provider: "v*" }, 20, 2],
    [{ tool: "books_*" }, 2, 20],
    [{ tool: "*_open" }, 20, 2],
    [{ provider: "books", tool: "vault_open" }, 20, 20],
  ])("%j", (changes, ofFind, ofOpen) => {
    const { through } = make([rule({ ...changes, per: ["tool"] })]);
    expect(through(ada, find)).toBe(ofFind);
    expect(through(ada, open)).toBe(ofOpen);
  });

  test("one that names tools counts nothing else", () => {
    const { limiter } = make([rule({ tool: "*", burst: 1 })]);
    for (let call = 0; call < 5; call += 1) expect(limiter.take(ada, find, false)).toBeUndefined();
    expect(limiter.take(ada, find, true)).toBeUndefined();
    expect(limiter.take(ada, find, true)).toBeDefined();
  });
});

describe("several rules", () => {
  const wide = rule({ burst: 5, per: ["tenant"] });
  const narrow = rule({ burst: 1, per: ["tool"], calls: 1 });

  test("each has to let a call through, and a refused one counts nowhere", () => {
    const { through, limiter } = make([wide, narrow]);
    expect(through(ada, find)).toBe(1);
    for (let call = 0; call < 20; call += 1) expect(limiter.take(ada, find, true)).toBeDefined();
    // Four are left to the tenant.
    expect(through(ada, add)).toBe(1);
    expect(through(ada, open)).toBe(1);
    expect([0, 1, 2, 3].map((count) => through(ada, makeTool(`tool_${count}`)))).toEqual([1, 1, 0, 0]);
  });

  test("the refusal is that of the longest wait", () => {
    const { limiter } = make([rule({ burst: 1 }), narrow]);
    limiter.take(ada, find, true);
    expect(limiter.take(ada, find, true)).toEqual({ rule: narrow, milliseconds: 60_000 });
  });
});

describe("over a reload", () => {
  test("rules that stay the same go on with what they have counted, others begin anew", () => {
    const { through, change } = make([rule({ per: ["tool"] }), rule({ per: ["user"], burst: 5 })]);
    expect(through()).toBe(2);
    change([rule({ per: ["tool"] })]);
    expect(through()).toBe(0);
    change([rule({ per: ["tool"], burst: 3 })]);
    expect(through()).toBe(3);
    change([]);
    expect(through()).toBe(20);
  });
});

test("no more counts are kept than may be, those used last among them", () => {
  const { through } = make([rule({ per: ["user"], burst: 1 })], 2);
  const [first, second, third] = ["1", "2", "3"].map((id) => principalOf("user", id, "acme"));
  for (const principal of [first, second, third]) expect(through(principal)).toBe(1);
  expect(through(third)).toBe(0);
  expect(through(second)).toBe(0);
  expect(through(first)).toBe(1);
});
