import { expect, test } from "vitest";
import { createLoadMonitor, type LoadMonitor, type MemoryUse } from "../../src/limits/load-monitor.ts";
import type { OverloadLimits } from "../../src/model/limits.ts";

const megabyte = 1024 * 1024;
const plenty: MemoryUse = {
  resident: 100 * megabyte,
  available: 1_000 * megabyte,
  heap: 50 * megabyte,
  heapLimit: 500 * megabyte,
};

interface Stage {
  readonly monitor: LoadMonitor;
  readonly log: readonly string[];
  use(memory: Partial<MemoryUse>): void;
  pass(milliseconds: number): void;
}

function start(given: Partial<OverloadLimits> = {}): Stage {
  const limits: OverloadLimits = {
    delayMilliseconds: 200,
    memoryBytes: undefined,
    requests: 2_048,
    ...given,
  };
  const log: string[] = [];
  let time = 0;
  let memory = plenty;
  const monitor = createLoadMonitor({
    limits: () => limits,
    memory: () => memory,
    now: () => time,
    log: (message) => log.push(message),
  });
  return {
    ...{ monitor, log },
    use: (changed) => {
      memory = { ...plenty, ...changed };
    },
    pass: (milliseconds) => {
      time += milliseconds;
      monitor.look();
    },
  };
}

test.each([
  ["limits.overload.memory", { memoryBytes: 300 * megabyte }, "resident", 300 * megabyte],
  ["nine tenths of what the machine has", {}, "resident", 900 * megabyte],
  ["nine tenths of the heap", {}, "heap", 450 * megabyte],
] as const)("memory is scarce above %s, and no sooner", (_name, limits, key, limit) => {
  const { monitor, use, pass } = start(limits);
  for (const [bytes, isScarce] of [
    [limit - 1, false],
    [limit, false],
    [limit + 1, true],
  ] as const) {
    use({ [key]: bytes });
    pass(250);
    expect(monitor.isMemoryScarce()).toBe(isScarce);
  }
});

test("scarce memory stays so until a twentieth of the limit is free again", () => {
  const limit = 300 * megabyte;
  const { monitor, use, pass } = start({ memoryBytes: limit });
  use({ resident: limit + 1 });
  pass(250);
  use({ resident: 0.95 * limit + 1 });
  pass(250);
  expect(monitor.isMemoryScarce()).toBe(true);
  use({ resident: 0.95 * limit });
  pass(250);
  expect(monitor.isMemoryScarce()).toBe(false);
});

test("the log says once that an overload began, with the reason, and once that it is over, with how much was refused", () => {
  const { monitor, log, pass } = start();
  expect(monitor.overload()).toBeUndefined();
  for (let second = 0; second < 30; second += 1) {
    monitor.refused("delay");
    monitor.refused("requests");
    pass(1_000);
  }
  expect(monitor.overload()).toBe("delay");
  pass(3_999);
  expect(monitor.overload()).toBe("delay");
  pass(1);
  expect(monitor.overload()).toBeUndefined();
  pass(60_000);
  expect(log).toEqual([
    "The gateway is overloaded and refuses requests with 503: requests have waited for 200 ms to be begun (`limits.overload.delay`).",
    "The gateway is no longer overloaded. It has refused 60 requests in 29 s.",
  ]);
});

test("scarce memory is an overload, whether anybody asks for something or not", () => {
  const { monitor, log, use, pass } = start();
  use({ resident: 999 * megabyte });
  for (let look = 0; look < 100; look += 1) pass(250);
  expect(monitor.overload()).toBe("memory");
  expect(log).toEqual([expect.stringContaining("`limits.overload.memory`")]);
  use({});
  pass(250);
  pass(5_000);
  expect(monitor.overload()).toBeUndefined();
  expect(log).toHaveLength(2);
});
