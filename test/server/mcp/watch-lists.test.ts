import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CatalogSnapshot } from "../../../src/catalog/snapshot.ts";
import { GatewayError } from "../../../src/errors.ts";
import type { Principal } from "../../../src/model/principal.ts";
import type { Origin } from "../../../src/server/mcp/face.ts";
import { type ListDigests, type ListWatch, watchLists } from "../../../src/server/mcp/watch-lists.ts";
import { principalOf } from "../../principals.ts";
import { makeCatalog, makeTool } from "./harness.ts";

const life = 3_600_000;
/** For what happens at once, on a machine that is busy with something else. */
const soon = { timeout: 30_000 };
const ada = principalOf("user", "ada");
const bob = principalOf("user", "bob");

let snapshot: CatalogSnapshot;
/** What each principal's list is now, by id. */
let lists: Record<string, string>;
/** What each principal's request comes to, by id; those that are not here are as they were. */
let outcomes: Record<string, () => Promise<Principal>>;
let asked: string[];
let presented: string[];
let logged: string[];
let clock: number;
let watch: ListWatch;

beforeEach(() => {
  snapshot = new CatalogSnapshot();
  lists = { ada: "a", bob: "b" };
  outcomes = {};
  asked = [];
  presented = [];
  logged = [];
  clock = 0;
  watch = start();
});
afterEach(() => watch.close());

function start(changeMilliseconds = 1): ListWatch {
  return watchLists({
    snapshot,
    digestsOf: ({ id }) => digestsOf(lists[id] ?? ""),
    limits: {
      changeMilliseconds,
      recheckMilliseconds: 5,
      streamLifeMilliseconds: life,
      unconfirmedMilliseconds: 100,
    },
    now: () => clock,
    log: (message) => logged.push(message),
  });
}

function originOf(id: string, authorization = ""): Origin {
  const authenticate = async (): Promise<Principal> => {
    asked.push(id);
    presented.push(authorization);
    return outcomes[id]?.() ?? (id === "ada" ? ada : bob);
  };
  const header = (): undefined => undefined;
  const { signal } = new AbortController();
  return {
    transport: "http",
    header,
    passedHeader: header,
    presented: authorization,
    authenticate,
    signal,
  };
}

function digestsOf(tools: string): ListDigests {
  return { tools, prompts: "", resources: "" };
}

/** Follows a stream and writes down what happens to it. */
function follow(
  principal: Principal,
  { digest = lists[principal.id] ?? "", authorization = "" } = {},
): { readonly events: string[]; readonly stop: () => void } {
  const events: string[] = [];
  const stop = watch.follow({
    origin: originOf(principal.id, authorization),
    principal,
    digests: digestsOf(digest),
    tell: (_changed, { tools }) => events.push(tools),
    end: () => events.push("end"),
  });
  return { events, stop };
}

/** Waits until every stream that is open now was authenticated once more. */
async function pass(...ids: readonly string[]): Promise<void> {
  asked = [];
  // Each is asked again only when the last answer was dealt with.
  await expect.poll(() => ids.every((id) => asked.filter((one) => one === id).length >= 2), soon).toBe(true);
}

function fail(code: "unauthenticated" | "store_unavailable" | "internal"): () => Promise<Principal> {
  return async () => {
    throw new GatewayError(code, "No.");
  };
}

describe("a change of the catalog", () => {
  test("is told to those whose own list it changed, once", async () => {
    const [first, second] = [follow(ada), follow(bob)];
    lists["ada"] = "a2";
    snapshot.swap(makeCatalog([makeTool("one")]));
    snapshot.swap(makeCatalog([makeTool("two")]));
    await expect.poll(() => first.events, soon).toEqual(["a2"]);
    await pass("ada", "bob");
    expect(first.events).toEqual(["a2"]);
    expect(second.events).toEqual([]);
  });

  test("reaches more streams than are looked at in one turn", async () => {
    watch.close();
    watch = start();
    const streams = Array.from({ length: 333 }, () => follow(ada));
    lists["ada"] = "a2";
    snapshot.swap(makeCatalog([makeTool("one")]));
    await expect.poll(() => streams.every(({ events }) => events.join() === "a2"), soon).toBe(true);
  });

  test("before the stream was opened is told at its start", () => {
    expect(follow(ada, { digest: "older" }).events).toEqual(["a"]);
  });

  test("is not told to a stream that has ended", async () => {
    const [gone, there] = [follow(ada), follow(ada)];
    gone.stop();
    lists["ada"] = "a2";
    snapshot.swap(makeCatalog([makeTool("one")]));
    await expect.poll(() => there.events, soon).toEqual(["a2"]);
    expect(gone.events).toEqual([]);
  });
});

describe("the principal of an open stream", () => {
  test("that sees other tools now is told", async () => {
    const [first, second] = [follow(ada), follow(bob)];
    outcomes["ada"] = async () => ({ ...ada, roles: ["other"] });
    lists["ada"] = "a2";
    await expect.poll(() => first.events, soon).toEqual(["a2"]);
    await pass("ada", "bob");
    expect([first.events, second.events]).toEqual([["a2"], []]);
  });

  test.each([
    { why: "is refused", outcome: fail("unauthenticated"), logs: 0 },
    { why: "can't be found out for a reason of ours", outcome: fail("internal"), logs: 0 },
    {
      why: "can't be found out for a bug",
      outcome: () => Promise.reject(new TypeError("no function")),
      logs: 1,
    },
    { why: "has become another one", outcome: async () => bob, logs: 0 },
    { why: "acts in another tenant", outcome: async () => ({ ...ada, tenant: "other" }), logs: 0 },
  ])("that $why loses the stream", async ({ outcome, logs }) => {
    const [first, second] = [follow(ada), follow(bob)];
    outcomes["ada"] = outcome;
    await expect.poll(() => first.events, soon).toEqual(["end"]);
    await pass("bob");
    expect(asked).not.toContain("ada");
    expect([first.events, second.events]).toEqual([["end"], []]);
    expect(logged).toHaveLength(logs);
  });

  test("that can't be confirmed is told nothing until it can again", async () => {
    const first = follow(ada);
    outcomes["ada"] = fail("store_unavailable");
    await pass("ada");
    lists["ada"] = "a2";
    snapshot.swap(makeCatalog([makeTool("one")]));
    await pass("ada");
    expect(first.events).toEqual([]);
    outcomes = {};
    await expect.poll(() => first.events, soon).toEqual(["a2"]);
  });

  test("that can't be confirmed for too long loses the stream", async () => {
    const first = follow(ada);
    outcomes["ada"] = fail("store_unavailable");
    clock = 100;
    await pass("ada");
    expect(first.events).toEqual([]);
    clock = 101;
    await expect.poll(() => first.events, soon).toEqual(["end"]);
  });

  test("whose authentication never ends loses the stream too, and nobody else", async () => {
    const [first, second] = [follow(ada), follow(bob)];
    outcomes["ada"] = () => new Promise(() => {});
    await pass("bob");
    clock = 101;
    await expect.poll(() => first.events, soon).toEqual(["end"]);
    lists["bob"] = "b2";
    await expect.poll(() => second.events, soon).toEqual(["b2"]);
  });

  test("is authenticated once for all of its streams that present the same", async () => {
    const streams = Array.from({ length: 100 }, () => follow(ada));
    const replaced = follow(ada, { authorization: "Bearer older" });
    const older = (): number => presented.filter((one) => one !== "").length;
    await expect.poll(older, soon).toBeGreaterThan(4);
    // One pass may be under way.
    expect(presented.length - older()).toBeLessThanOrEqual(older() + 1);
    expect([...streams, replaced].flatMap(({ events }) => events)).toEqual([]);
  });
});

test("nobody is authenticated while no stream is open", async () => {
  const first = follow(ada);
  await pass("ada");
  first.stop();
  asked = [];
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(asked).toEqual([]);
});

test("closing ends all streams, also those that come later", () => {
  const first = follow(ada);
  watch.close();
  expect([first.events, follow(bob).events]).toEqual([["end"], ["end"]]);
});

describe("a stream that has lasted long", () => {
  /** Follows one that can be opened again. */
  const followHttp = (events: string[]) =>
    watch.follow({
      origin: originOf("ada"),
      principal: ada,
      digests: digestsOf("a"),
      tell: () => events.push("tell"),
      end: () => events.push("end"),
      rest: () => events.push("rest"),
    });

  test("rests after its life, of which up to a tenth is missing by chance, and is not followed any more", async () => {
    const many = Array.from({ length: 40 }, (): string[] => []);
    for (const events of many) followHttp(events);
    const resting = () => many.filter((events) => events.includes("rest")).length;
    clock = life * 0.9 - 1;
    await pass("ada");
    expect(resting()).toBe(0);
    clock = life * 0.95;
    await pass("ada");
    expect(resting()).toBeGreaterThan(0);
    expect(resting()).toBeLessThan(40);
    clock = life;
    await expect.poll(resting, soon).toBe(40);
    lists["ada"] = "a2";
    snapshot.swap(makeCatalog([makeTool("one")]));
    const { events } = follow(ada, { digest: "a" });
    await expect.poll(() => events, soon).toEqual(["a2"]);
    expect(many).toEqual(many.map(() => ["rest"]));
  });

  test("stays where its client opens no other", async () => {
    const { events } = follow(ada);
    clock = life * 2;
    await pass("ada");
    expect(events).toEqual([]);
  });
});
