import { describe, expect, test } from "vitest";
import { type CallPlace, createCallScheduler } from "../../src/limits/call-scheduler.ts";
import type { CallLimits } from "../../src/model/limits.ts";

const roomy: CallLimits = { total: 1_000, perTenant: 1_000, queue: 1_000, queueMilliseconds: 1_000 };

function make(limits: Partial<CallLimits> = {}) {
  let current: CallLimits = { ...roomy, ...limits };
  const scheduler = createCallScheduler(() => current);
  return {
    change: (next: Partial<CallLimits>) => {
      current = { ...current, ...next };
    },
    /** Enters, and fails the test where there is no room to wait either. */
    enter(tenant: string, provider = "p", concurrency = 1_000): CallPlace {
      const place = scheduler.enter(tenant, provider, concurrency);
      if (typeof place === "string") throw new Error(`refused for want of room: ${place}`);
      return place;
    },
    refusal: (tenant: string, provider = "p", concurrency = 1_000): string | undefined => {
      const place = scheduler.enter(tenant, provider, concurrency);
      if (typeof place === "string") return place;
      place.leave();
      return undefined;
    },
  };
}

const states = (places: readonly CallPlace[]): readonly string[] => places.map(({ state }) => state);

describe("at each limit, one below and one above", () => {
  test.each([
    ["calls of the gateway", { total: 3 }, ["a", "b", "c", "d"], 1_000],
    ["calls of a tenant", { perTenant: 3 }, ["a", "a", "a", "a"], 1_000],
    ["calls of a provider", {}, ["a", "a", "b", "b"], 3],
    ["a tenant's part of a provider", {}, ["a", "a", "a", "a"], 4],
  ])("%s", (_what, limits, tenants, concurrency) => {
    const { enter } = make(limits);
    const places = tenants.map((tenant) => enter(tenant, "p", concurrency));
    expect(states(places)).toEqual(["running", "running", "running", "waiting"]);
    places[0]?.leave();
    expect(places[3]?.state).toBe("running");
  });

  test.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 3],
    [5, 4],
    [48, 36],
  ])("of a provider with %i places a tenant has %i", (concurrency, share) => {
    const { enter } = make();
    const places = Array.from({ length: share + 1 }, () => enter("a", "p", concurrency));
    expect(states(places)).toEqual([...Array.from({ length: share }, () => "running"), "waiting"]);
  });

  test.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 3],
    [6, 5],
    [64, 43],
  ])("of a tenant's %i places a provider has %i where it is alone", (perTenant, part) => {
    const { enter, refusal } = make({ perTenant, queue: 1 });
    const places = Array.from({ length: part + 1 }, () => enter("a"));
    expect(states(places)).toEqual([...Array.from({ length: part }, () => "running"), "waiting"]);
    expect(refusal("a")).toBe(part < perTenant ? "part" : "tenant");
  });

  test("what waits", () => {
    const { enter, refusal } = make({ perTenant: 1, queue: 2 });
    const places = [enter("a"), enter("a"), enter("a")];
    expect(states(places)).toEqual(["running", "waiting", "waiting"]);
    expect(refusal("a")).toBe("tenant");
    expect(refusal("b")).toBeUndefined();
    places[1]?.leave();
    expect(enter("a").state).toBe("waiting");
    expect(refusal("a")).toBe("tenant");
  });

  test("nobody waits where the queue has no room", () => {
    const { enter, refusal } = make({ total: 2, queue: 0 });
    const first = enter("a");
    enter("b");
    expect(refusal("c")).toBe("gateway");
    first.leave();
    expect(refusal("c")).toBeUndefined();
  });
});

test("a shortage is that of what stands in the way first", () => {
  const { enter, refusal } = make({ total: 2, perTenant: 1, queue: 0 });
  enter("a", "p", 1);
  expect(refusal("b", "p", 1)).toBe("provider");
  expect(refusal("a", "q", 1)).toBe("tenant");
  enter("b", "q", 1);
  expect(refusal("c", "r", 1)).toBe("gateway");
});

test.each([1, 2, 3, 5, 8])("%i providers that do not answer leave places of a tenant to another", (dead) => {
  const { enter } = make({ perTenant: 64 });
  for (let call = 0; call < 64; call += 1)
    for (let provider = 0; provider < dead; provider += 1) enter("a", `dead${provider}`, 48);
  const fine = Array.from({ length: 3 }, () => enter("a", "fine", 48));
  expect(states(fine)).toEqual(["running", "running", "running"]);
  fine[0]?.leave();
  expect(enter("a", "fine", 48).state).toBe("running");
});

test("places go round the tenants, however many calls one of them has waiting", () => {
  const { enter } = make({ total: 1 });
  const order: string[] = [];
  let current = enter("first");
  const wait = (tenant: string, count: number): void => {
    for (let call = 0; call < count; call += 1) {
      const place = enter(tenant);
      place.settled = () => {
        order.push(tenant);
        current = place;
      };
    }
  };
  wait("noisy", 5);
  wait("quiet", 2);
  wait("other", 1);
  for (let turn = 0; turn < 8; turn += 1) current.leave();
  expect(order).toEqual(["noisy", "quiet", "other", "noisy", "quiet", "noisy", "noisy", "noisy"]);
});

test("a full provider is passed over, and its calls keep their order", () => {
  const { enter } = make({ total: 2 });
  const slow = enter("a", "slow", 1);
  const fine = enter("a", "fine");
  const waiting = [enter("a", "slow", 1), enter("a", "slow", 1), enter("a", "fine"), enter("b", "fine")];
  fine.leave();
  expect(states(waiting)).toEqual(["waiting", "waiting", "running", "waiting"]);
  slow.leave();
  // It is b's turn.
  expect(states(waiting)).toEqual(["waiting", "waiting", "running", "running"]);
  waiting[2]?.leave();
  expect(states(waiting).slice(0, 2)).toEqual(["running", "waiting"]);
});

test("of a tenant's calls whoever has waited longest is next, whatever it waits for", () => {
  const { enter } = make({ total: 1 });
  const first = enter("a", "p");
  const waiting = [enter("a", "q"), enter("a", "p"), enter("a", "r"), enter("a", "q")];
  first.leave();
  expect(states(waiting)).toEqual(["running", "waiting", "waiting", "waiting"]);
  waiting[0]?.leave();
  expect(states(waiting)).toEqual(["over", "running", "waiting", "waiting"]);
});

describe("a queue full of calls for one provider", () => {
  test("makes room for those of another, by the call that has waited least", () => {
    const { enter, refusal } = make({ perTenant: 2, queue: 4 });
    enter("a", "dead", 1);
    enter("a", "busy");
    const dead = Array.from({ length: 4 }, () => enter("a", "dead", 1));
    const pushed: (string | undefined)[] = [];
    for (const place of dead) place.settled = (shortage) => pushed.push(shortage);
    expect(refusal("a", "dead", 1)).toBe("provider");
    const first = enter("a", "fine");
    expect(states([...dead, first])).toEqual(["waiting", "waiting", "waiting", "over", "waiting"]);
    expect(pushed).toEqual(["provider"]);
    enter("a", "fine");
    // From here on both wait for as much.
    expect(refusal("a", "fine")).toBe("tenant");
    expect(refusal("a", "other")).toBeUndefined();
  });

  test("takes all of the queue while nothing else wants it", () => {
    const { enter, refusal } = make({ queue: 5 });
    enter("a", "dead", 1);
    for (let call = 0; call < 5; call += 1) expect(enter("a", "dead", 1).state).toBe("waiting");
    expect(refusal("a", "dead", 1)).toBe("provider");
  });
});

describe("a call that waits for a person", () => {
  test("gives its place up, and has it again at once, even where that is one too many", () => {
    const { enter } = make({ total: 1 });
    const asking = enter("a");
    const next = enter("b");
    asking.pause();
    expect(states([asking, next])).toEqual(["paused", "running"]);
    asking.resume();
    expect(states([asking, next])).toEqual(["running", "running"]);
    const third = enter("c");
    next.leave();
    expect(third.state).toBe("waiting");
    asking.leave();
    expect(third.state).toBe("running");
  });

  test("may end meanwhile", () => {
    const { enter } = make({ total: 1 });
    const asking = enter("a");
    asking.pause();
    asking.leave();
    asking.resume();
    expect(enter("a").state).toBe("running");
    expect(enter("a").state).toBe("waiting");
  });

  test("without a place has nothing to give up", () => {
    const { enter } = make({ total: 1 });
    const first = enter("a");
    const waiting = enter("a");
    waiting.pause();
    waiting.resume();
    expect(waiting.state).toBe("waiting");
    first.leave();
    expect(waiting.state).toBe("running");
  });
});

test("a place is given back once", () => {
  const { enter } = make({ total: 1 });
  const place = enter("a");
  place.leave();
  place.leave();
  expect([enter("a"), enter("a")].map(({ state }) => state)).toEqual(["running", "waiting"]);
});

describe("limits that change", () => {
  test("upwards let those who wait go first", () => {
    const { enter, change } = make({ total: 1 });
    enter("a");
    const waiting = enter("a");
    change({ total: 2 });
    expect(enter("a").state).toBe("waiting");
    expect(waiting.state).toBe("running");
  });

  test("of a provider count from the next call on", () => {
    const { enter } = make();
    enter("a", "p", 1);
    const waiting = enter("a", "p", 1);
    expect(enter("a", "p", 2).state).toBe("waiting" satisfies CallPlace["state"]);
    expect(waiting.state).toBe("running");
  });

  test("downwards end nothing that runs", () => {
    const { enter, change } = make({ total: 3 });
    const running = [enter("a"), enter("a"), enter("a")];
    change({ total: 1 });
    const waiting = enter("a");
    running[0]?.leave();
    running[1]?.leave();
    expect(waiting.state).toBe("waiting");
    running[2]?.leave();
    expect(waiting.state).toBe("running");
  });
});
