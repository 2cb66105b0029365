import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createAttemptLimiter } from "../../src/limits/attempt-limiter.ts";
import { createUsedOnce } from "../../src/server/mcp/used-once.ts";
import { callApi, callModern, openLegacy, readMcp, startSystem } from "./system.ts";
import { sendJson, startUpstream } from "./upstream.ts";

const hour = 3_600_000;

/** The wall clock of this process jumps; the one that measures time does not, and neither do timers. */
function stepClock(milliseconds: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + milliseconds });
}

afterEach(() => {
  vi.useRealTimers();
});

describe.each([-hour, hour])("the wall clock jumps by %i ms", (step) => {
  test("calls under way end as they would, and those after it too", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await using upstream = await startUpstream(async ({ target }, response) => {
      if (target === "/slow") await held;
      sendJson(response, { ok: true });
    });
    const operations = ["slow", "quick"].map((name) => ({ name, method: "GET", path: `/${name}` }));
    await using system = await startSystem({
      own: { surfaces: { rest: { base_url: upstream.url, operations } } },
    });
    const session = await openLegacy(system.url);
    const waiting = callApi(system.url, "own/slow", {});
    await vi.waitFor(() => expect(upstream.seen).toHaveLength(1));
    stepClock(step);
    expect(readMcp(await callModern(system.url, "own_quick", {})).kind).toBe("result");
    release();
    expect((await waiting).kind).toBe("result");
    // Sessions are counted by the other clock.
    const answer = await session.request("tools/call", { name: "own_quick", arguments: {} });
    expect(readMcp(answer).kind).toBe("result");
  });

  test("rates give nobody more calls, and keep nobody from those that there are", async () => {
    await using upstream = await startUpstream();
    await using system = await startSystem(
      {
        own: {
          surfaces: {
            rest: { base_url: upstream.url, operations: [{ name: "go", method: "GET", path: "/" }] },
          },
        },
      },
      { settings: { limits: { rates: [{ rate: "4/h", burst: 4 }] } } },
    );
    const call = async () => (await callApi(system.url, "own/go", {})).code;
    for (const count of [1, 2]) expect(await call(), `call ${count}`).not.toBe("rate_limited");
    stepClock(step);
    for (const count of [3, 4]) expect(await call(), `call ${count}`).not.toBe("rate_limited");
    expect(await call()).toBe("rate_limited");
    stepClock(-2 * step);
    expect(await call()).toBe("rate_limited");
  });
});

test("counts of attempts, given a clock that jumps: a step back gives nothing, and takes nothing for longer than a refill", () => {
  const steps = fc.array(fc.constantFrom(0, 1, 1_000, hour, -1, -1_000, -hour), { maxLength: 40 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), steps, (attempts, changes) => {
      let now = 10 * hour;
      let forward = 0;
      let taken = 0;
      const limiter = createAttemptLimiter({ attempts, refill: 1_000 }, () => now);
      for (const change of changes) {
        now += change;
        forward += Math.max(0, change);
        const wait = limiter.take("a");
        if (wait === undefined) taken += 1;
        else expect(wait).toBeLessThanOrEqual(1_000 * attempts);
        expect(taken).toBeLessThanOrEqual(attempts + Math.floor(forward / 1_000));
      }
    }),
  );
});

test("what counts once is not counted again because the clock went back", () => {
  let now = 10 * hour;
  const used = createUsedOnce(100, 100, () => now);
  expect(used.use("a", "ada", now, now + hour / 2)).toBe(true);
  for (const step of [-hour, hour, hour / 4, -hour / 4, 1]) {
    now += step;
    if (now <= 10 * hour + hour / 2)
      expect(used.use("a", "ada", 10 * hour, 10 * hour + hour / 2)).toBe(false);
  }
});
