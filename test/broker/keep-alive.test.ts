import { expect, test } from "vitest";
import { keepAlive } from "../../src/broker/interceptors/keep-alive.ts";
import type { Invocation } from "../../src/model/invocation.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { InvocationResult } from "../../src/model/result.ts";
import { makeTool } from "../catalog/fixtures.ts";
import { principalOf } from "../principals.ts";

const answer: InvocationResult = { kind: "mcp", result: {}, isError: false };
const tool = makeTool("slow");

function call(overrides: Partial<Invocation> = {}) {
  const told: (readonly [string, JsonObject])[] = [];
  const invocation: Invocation = {
    id: "1",
    via: "mcp",
    tenant: "default",
    principal: principalOf("user"),
    provider: "books",
    tool: "slow",
    arguments: {},
    connection: undefined,
    credential: undefined,
    catalogVersion: "1",
    peer: {
      capabilities: {},
      ask: async () => null,
      notify: (method, params) => void told.push([method, params]),
    },
    signal: new AbortController().signal,
    ...overrides,
  };
  return { told, invocation };
}

test("a long call says that it is under way, again and again, and never after its end", async () => {
  const { told, invocation } = call();
  const running = Promise.withResolvers<InvocationResult>();
  const result = keepAlive(5)(invocation, tool, () => running.promise);
  await expect.poll(() => told.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(3);
  running.resolve(answer);
  expect(await result).toBe(answer);
  const count = told.length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(told).toHaveLength(count);
  for (const [index, [method, params]] of told.entries()) {
    expect(method).toBe("notifications/progress");
    expect(params["message"]).toBe("Still waiting for `slow`.");
    expect(params["progress"]).toBeCloseTo((index + 1) / 1_000);
  }
});

test("a call that fails, is short or was left says nothing", async () => {
  const { told, invocation } = call();
  const failure = new Error("no");
  await expect(keepAlive(5)(invocation, tool, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(await keepAlive(5)(invocation, tool, async () => answer)).toBe(answer);
  const left = call({ signal: AbortSignal.abort() });
  const running = Promise.withResolvers<InvocationResult>();
  const result = keepAlive(5)(left.invocation, tool, () => running.promise);
  await new Promise((resolve) => setTimeout(resolve, 50));
  running.resolve(answer);
  await result;
  expect([...told, ...left.told]).toEqual([]);
});

test("other methods go by the name of their provider", async () => {
  const { told, invocation } = call({ method: "prompts/get" });
  const running = Promise.withResolvers<InvocationResult>();
  const result = keepAlive(5)(invocation, tool, () => running.promise);
  await expect.poll(() => told.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(1);
  running.resolve(answer);
  await result;
  expect(told[0]?.[1]["message"]).toBe("Still waiting for `books`.");
});
