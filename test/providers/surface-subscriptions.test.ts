import { expect, test } from "vitest";
import type { Executor, Subscription } from "../../src/broker/executor.ts";
import type { ProviderContext } from "../../src/providers/provider-kind.ts";
import { SurfaceSession } from "../../src/providers/surface-session.ts";
import { makeProvider, mcpSurface } from "../catalog/fixtures.ts";

type Call = Parameters<NonNullable<Executor["subscribe"]>>;

// The stand-ins look at none of their arguments.
const call = [] as unknown as Call;

/** Writes down that it was ended. */
function subscriptionOf(ended: string[]): Subscription {
  return { end: () => void ended.push("ended") };
}

async function open(executor: Partial<Executor>) {
  const session = new SurfaceSession(mcpSurface, makeProvider("books", { surfaces: [mcpSurface] }), {
    openSurface: async () => ({
      operations: [],
      diagnostics: [],
      origin: "upstream",
      executor: { execute: async () => ({ kind: "mcp", result: {}, isError: false }), ...executor },
      close: async () => {},
    }),
    context: { log: () => {} } as unknown as ProviderContext,
    onChange: () => {},
    retry: undefined,
  });
  await session.ensure();
  return session;
}

test("a subscription counts as use until it is ended", async () => {
  const ended: string[] = [];
  const made = Promise.withResolvers<void>();
  const session = await open({
    subscribe: async () => {
      await made.promise;
      return subscriptionOf(ended);
    },
  });
  const making = session.executor()?.subscribe?.(...call);
  expect(session.isBusy).toBe(true);
  made.resolve();
  const subscription = await making;
  expect(session.isBusy).toBe(true);
  subscription?.end();
  expect([session.isBusy, ended]).toEqual([false, ["ended"]]);
  await session.close(0);
});

test("what was made with a session that is given up counts no more, and can still be ended", async () => {
  const ended: string[] = [];
  const session = await open({ subscribe: async () => subscriptionOf(ended) });
  const subscription = await session.executor()?.subscribe?.(...call);
  session.rest();
  expect(session.isBusy).toBe(false);
  await session.ensure();
  subscription?.end();
  expect([session.isBusy, ended]).toEqual([false, ["ended"]]);
  await session.close(0);
});

test("a subscription that fails is none, and where there are none there is no way to make one", async () => {
  const failing = await open({ subscribe: () => Promise.reject(new Error("no")) });
  await expect(failing.executor()?.subscribe?.(...call)).rejects.toThrow("no");
  expect(failing.isBusy).toBe(false);
  const without = await open({});
  expect(without.executor()).not.toHaveProperty("subscribe");
  await Promise.all([failing.close(0), without.close(0)]);
});
