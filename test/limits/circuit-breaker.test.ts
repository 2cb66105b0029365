import { describe, expect, test } from "vitest";
import { type BreakerOutcome, createCircuitBreakers } from "../../src/limits/circuit-breaker.ts";

const usual = { failures: 5, pauseMilliseconds: 5_000 };
const failed: BreakerOutcome = { failed: "it broke" };

function make(settings = usual) {
  let time = 0;
  const breakers = createCircuitBreakers(() => time);
  const enter = (key = "a") => breakers.enter(key, settings);
  return {
    breakers,
    enter,
    wait: (milliseconds: number) => {
      time += milliseconds;
    },
    settle: (outcome: BreakerOutcome, entered: "closed" | "trial" = "closed", key = "a") =>
      breakers.settle(key, settings, entered, outcome),
    /** Makes a call, and gives what it was let in as. */
    call(outcome: BreakerOutcome, key = "a") {
      const entered = enter(key);
      if (typeof entered === "string") breakers.settle(key, settings, entered, outcome);
      return entered;
    },
  };
}

describe("opens", () => {
  test.each([1, 5, 20])("at %i failures in a row, not one before", (failures) => {
    const { call, enter } = make({ ...usual, failures });
    for (let count = 0; count < failures; count += 1) expect(call(failed)).toBe("closed");
    expect(enter()).toEqual({ kind: "open", milliseconds: 5_000, reason: "it broke" });
  });

  test("never where failures don't count", () => {
    const { call } = make({ ...usual, failures: 0 });
    for (let count = 0; count < 50; count += 1) expect(call(failed)).toBe("closed");
  });

  test("not where an answer was among the failures", () => {
    const { call } = make();
    for (let count = 0; count < 20; count += 1) {
      expect(call(count % 5 === 4 ? "answered" : failed)).toBe("closed");
    }
  });

  test("whatever says nothing was among them", () => {
    const { call, enter } = make();
    for (let count = 0; count < 5; count += 1) {
      call(failed);
      call("nothing");
    }
    expect(enter()).toMatchObject({ kind: "open" });
  });

  test("for itself alone", () => {
    const { call, enter } = make();
    for (let count = 0; count < 5; count += 1) call(failed, "a");
    expect(enter("a")).toMatchObject({ kind: "open" });
    expect(enter("b")).toBe("closed");
  });
});

describe("while it is open", () => {
  function makeOpen(settings = usual) {
    const made = make(settings);
    for (let count = 0; count < settings.failures; count += 1) made.call(failed);
    return made;
  }

  test("nobody is let through before the pause is over, and then one", () => {
    const { enter, wait } = makeOpen();
    wait(4_999);
    expect(enter()).toMatchObject({ milliseconds: 1 });
    wait(1);
    expect(enter()).toBe("trial");
    expect(enter()).toMatchObject({ milliseconds: 5_000 });
  });

  test("to look takes no trial", () => {
    const { breakers, enter, wait } = makeOpen();
    expect(breakers.look("a", usual)).toMatchObject({ milliseconds: 5_000, reason: "it broke" });
    wait(5_000);
    expect(breakers.look("a", usual)).toBeUndefined();
    expect(enter()).toBe("trial");
    expect(breakers.look("a", usual)).toBeDefined();
  });

  test("a trial that is answered closes it", () => {
    const { call, enter, wait } = makeOpen();
    wait(5_000);
    expect(call("answered")).toBe("trial");
    expect(enter()).toBe("closed");
    expect(enter()).toBe("closed");
  });

  test("a trial that fails makes the pause twice as long, and no longer after that", () => {
    const { call, enter, wait } = makeOpen();
    wait(5_000);
    for (let count = 0; count < 5; count += 1) {
      expect(call({ failed: "still" })).toBe("trial");
      wait(9_999);
      expect(enter()).toMatchObject({ milliseconds: 1, reason: "still" });
      wait(1);
    }
  });

  test.each([
    [20_000, 40_000],
    [40_000, 60_000],
    [90_000, 90_000],
  ])("of %i ms the longer pause is %i ms", (pauseMilliseconds, longer) => {
    const { call, enter, wait } = makeOpen({ failures: 1, pauseMilliseconds });
    wait(pauseMilliseconds);
    call(failed);
    expect(enter()).toMatchObject({ milliseconds: longer });
  });

  test("failures of calls that began before it change nothing", () => {
    const { settle, enter, wait } = makeOpen();
    wait(3_000);
    for (let count = 0; count < 30; count += 1) settle(failed);
    expect(enter()).toMatchObject({ milliseconds: 2_000 });
  });

  test("an answer to one of those closes it", () => {
    const { settle, enter } = makeOpen();
    settle("answered");
    expect(enter()).toBe("closed");
  });

  test("a trial that says nothing is made again by whoever comes next", () => {
    const { call, wait } = makeOpen();
    wait(5_000);
    expect(call("nothing")).toBe("trial");
    expect(call("answered")).toBe("trial");
  });

  test("a trial that hangs keeps nobody from trying for longer than the pause", () => {
    const { enter, settle, wait } = makeOpen();
    wait(5_000);
    expect(enter()).toBe("trial");
    wait(5_000);
    expect(enter()).toBe("trial");
    settle("answered", "trial");
    expect(enter()).toBe("closed");
    // The one that hung.
    settle(failed, "trial");
    expect(enter()).toBe("closed");
  });

  test("turned off, it lets everybody through", () => {
    const { breakers } = makeOpen();
    const off = { ...usual, failures: 0 };
    expect(breakers.enter("a", off)).toBe("closed");
    expect(breakers.look("a", off)).toBeUndefined();
  });
});

test("of more than ten thousand those that failed first are forgotten", () => {
  const { call, enter } = make({ ...usual, failures: 1 });
  for (let count = 0; count < 10_001; count += 1) call(failed, `key ${count}`);
  expect(enter("key 0")).toBe("closed");
  expect(enter("key 1")).toMatchObject({ kind: "open" });
  expect(enter("key 10000")).toMatchObject({ kind: "open" });
});
