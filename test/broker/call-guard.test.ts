import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type CallGuard, createCallGuard } from "../../src/broker/call-guard.ts";
import { GatewayError } from "../../src/errors.ts";
import type { Tool } from "../../src/model/catalog.ts";
import type { Invocation } from "../../src/model/invocation.ts";
import type { CallLimits, RateRule } from "../../src/model/limits.ts";
import type { HttpResult, InvocationResult } from "../../src/model/result.ts";
import { makeTool } from "../catalog/fixtures.ts";
import { usualLimits, usualProviderLimits } from "../limits.ts";
import { principalOf } from "../principals.ts";

const find = makeTool("books_find", { provider: "books" });
const ask = makeTool("desk_ask", {
  provider: "desk",
  surface: "mcp",
  binding: { kind: "mcp", tool: "ask" },
});
const fine: HttpResult = { kind: "http", status: 200, headers: {}, body: new Uint8Array(), isError: false };

type Changes = Omit<Partial<Invocation>, "tool"> & { readonly tool?: Tool };

interface Settings {
  readonly calls?: Partial<CallLimits>;
  readonly rates?: readonly RateRule[];
  readonly concurrency?: number;
  readonly callMilliseconds?: number;
  readonly failures?: number;
}

function make(settings: Settings = {}) {
  let time = 0;
  const { concurrency = 48, callMilliseconds = 60_000, failures = 5 } = settings;
  const guard: CallGuard = createCallGuard({
    limits: () => ({
      rates: settings.rates ?? [],
      calls: { ...usualLimits.calls, ...settings.calls },
    }),
    provider: (name) =>
      name === "gone"
        ? undefined
        : {
            ...usualProviderLimits,
            concurrency,
            callMilliseconds,
            breaker: { failures, pauseMilliseconds: 5_000 },
          },
    now: () => time,
  });
  /** Makes a call that comes to what `execute` does. */
  const call = (
    execute: (invocation: Invocation) => Promise<InvocationResult>,
    { tool = find, ...changes }: Changes = {},
  ): Promise<InvocationResult> => {
    const invocation: Invocation = {
      id: "id",
      via: "mcp",
      tenant: "acme",
      principal: principalOf("user", "ada", "acme"),
      provider: tool.provider,
      arguments: {},
      connection: undefined,
      credential: undefined,
      catalogVersion: "1",
      peer: { capabilities: {}, ask: async () => ({}), notify: () => {} },
      signal: new AbortController().signal,
      ...changes,
      tool: tool.name,
    };
    return guard.interceptors.reduceRight<typeof execute>(
      (next, interceptor) => (current) => interceptor(current, tool, next),
      execute,
    )(invocation);
  };
  /** A call that runs until it is ended. */
  const start = (changes: Changes = {}) => {
    const gate = Promise.withResolvers<InvocationResult>();
    const begun = { hasBegun: false };
    const result = call(() => {
      begun.hasBegun = true;
      return gate.promise;
    }, changes);
    result.catch(() => {});
    return { begun, result, end: () => gate.resolve(fine), fail: gate.reject };
  };
  return {
    guard,
    call,
    start,
    wait: (milliseconds: number) => {
      time += milliseconds;
    },
  };
}

async function errorOf(call: Promise<unknown>): Promise<GatewayError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof GatewayError) return error;
  throw new Error(`expected a GatewayError, got ${String(error)}`);
}

describe("places", () => {
  test("a call that need not wait begins at once, within the same turn", () => {
    const { start } = make();
    const { begun, end } = start();
    expect(begun.hasBegun).toBe(true);
    end();
  });

  test("the next one begins when one ends, however that ends", async () => {
    const { start } = make({ calls: { perTenant: 1 } });
    const [first, second, third] = [start(), start(), start()];
    expect(second.begun.hasBegun).toBe(false);
    first.fail(new GatewayError("upstream_failed", "Broken."));
    await errorOf(first.result);
    await turn();
    expect([second.begun.hasBegun, third.begun.hasBegun]).toEqual([true, false]);
    second.end();
    await second.result;
    await turn();
    expect(third.begun.hasBegun).toBe(true);
    third.end();
    expect(await third.result).toBe(fine);
  });

  test("who leaves waits no more, and has not called anybody", async () => {
    const { start } = make({ calls: { perTenant: 1, queue: 1 } });
    const first = start();
    const leaving = new AbortController();
    const second = start({ signal: leaving.signal });
    leaving.abort("gone");
    expect(await errorOf(second.result)).toMatchObject({ code: "cancelled", cause: "gone" });
    // Its room in the queue is free again.
    const third = start();
    first.end();
    await first.result;
    await turn();
    expect([second.begun.hasBegun, third.begun.hasBegun]).toEqual([false, true]);
    third.end();
  });

  test("who has left before it came does not wait either", async () => {
    const { start } = make({ calls: { perTenant: 1 } });
    const first = start();
    const reason = new GatewayError("draining", "The gateway is shutting down.");
    const second = start({ signal: AbortSignal.abort(reason) });
    expect(await errorOf(second.result)).toBe(reason);
    first.end();
  });

  test.each([
    [{ calls: { perTenant: 1, queue: 0 } }, "rate_limited", "limits.calls.per_tenant"],
    [{ calls: { perTenant: 1, queue: 1 } }, "rate_limited", "limits.calls.per_tenant"],
    [{ calls: { total: 1, queue: 0 } }, "overloaded", "limits.calls.total"],
    [{ calls: { queue: 0 }, concurrency: 1 }, "rate_limited", "providers.books.limits.concurrency"],
  ] as const)("%j: one too many is refused at once", async (settings, code, key) => {
    const { start } = make(settings);
    const running = start();
    const waiting = settings.calls.queue === 1 ? start() : undefined;
    const error = await errorOf(start().result);
    expect(error).toMatchObject({ code, retryable: true, details: { retry_after: 1 } });
    expect(error.message).toContain(key);
    expect(error.message).toContain("limits.calls.queue");
    running.end();
    waiting?.end();
  });

  test("who finds no place in time is told so", async () => {
    const { start } = make({ calls: { perTenant: 1, queueMilliseconds: 20 } });
    const first = start();
    const second = start();
    const error = await errorOf(second.result);
    expect(error).toMatchObject({ code: "overloaded", retryable: true, details: { retry_after: 1 } });
    expect(error.message).toMatch(/no place within 0\.02 s \(`limits\.calls\.queue_time`\)/);
    first.end();
    await turn();
    expect(second.begun.hasBegun).toBe(false);
  });

  test("a call of a provider that a reload has taken away is let through", async () => {
    const { call } = make();
    expect(await call(async () => fine, { tool: makeTool("x", { provider: "gone" }) })).toBe(fine);
  });

  test("the time in the queue is none of the call's own", async () => {
    const { start, call } = make({ calls: { perTenant: 1 }, callMilliseconds: 40 });
    const first = start({ tool: ask });
    const second = call(async ({ endsAt }) => {
      expect((endsAt ?? 0) - performance.now()).toBeGreaterThan(20);
      return fine;
    });
    setTimeout(first.end, 60);
    expect(await second).toBe(fine);
  });
});

describe("while a call asks a person", () => {
  const peer = (question: Promise<unknown>) => ({
    capabilities: { elicitation: {} },
    ask: async () => {
      await question;
      return {};
    },
    notify: () => {},
  });

  test("another one has its place", async () => {
    const { call, start } = make({ calls: { perTenant: 1 } });
    const answer = Promise.withResolvers<unknown>();
    const asked = call(
      async (invocation) => {
        await Promise.all([invocation.peer.ask("a", {}), invocation.peer.ask("b", {})]);
        return fine;
      },
      { tool: ask, peer: peer(answer.promise) },
    );
    const other = start();
    expect(other.begun.hasBegun).toBe(true);
    const third = start();
    answer.resolve({});
    // It goes on at once, one too many for a moment.
    expect(await asked).toBe(fine);
    expect(third.begun.hasBegun).toBe(false);
    other.end();
    await other.result;
    await turn();
    expect(third.begun.hasBegun).toBe(true);
    third.end();
  });

  test("a question that comes to nothing takes the place back as well", async () => {
    const { call, start } = make({ calls: { perTenant: 1 } });
    const failing = Promise.reject(new GatewayError("unsupported", "Nobody is there."));
    const asked = call(
      async (invocation) => {
        await invocation.peer.ask("a", {}).catch(() => {});
        const other = start();
        expect(other.begun.hasBegun).toBe(false);
        other.end();
        return fine;
      },
      { tool: ask, peer: peer(failing) },
    );
    expect(await asked).toBe(fine);
    const last = start();
    await turn();
    expect(last.begun.hasBegun).toBe(true);
    last.end();
  });

  test("all else of the client stays as it is", async () => {
    const { call } = make();
    const own = { ...peer(Promise.resolve()), logLevel: "error", pause: () => {} } as const;
    const { ask: _ask, ...rest } = own;
    await call(
      async (invocation) => {
        expect(invocation.peer).toMatchObject(rest);
        return fine;
      },
      { tool: ask, peer: own },
    );
  });
});

describe("the breaker", () => {
  const failure = (code: GatewayError["code"], retryable = true, details = {}) => {
    return () => Promise.reject(new GatewayError(code, "Could not connect to x:1.", { retryable, details }));
  };
  const status = (code: number) => () => Promise.resolve({ ...fine, status: code, isError: code >= 400 });
  const mcpAnswer = () => Promise.resolve({ kind: "mcp", result: {}, isError: true } as const);

  test.each<[string, () => Promise<InvocationResult>, Tool, boolean]>([
    ["a connection that fails", failure("upstream_failed"), find, true],
    ["a deadline", failure("timed_out", false), find, true],
    ["a deadline of an MCP server", failure("timed_out"), ask, true],
    ["502", status(502), find, true],
    ["503", status(503), find, true],
    ["504", status(504), find, true],
    ["500", status(500), find, false],
    ["429", status(429), find, false],
    ["401", status(401), find, false],
    ["404", status(404), find, false],
    ["a client that does not answer", failure("timed_out", false), ask, false],
    ["an MCP server that is asked too often", failure("upstream_failed", true, { status: 429 }), ask, false],
    ["an MCP server that answers HTTP 500", failure("upstream_failed", true, { status: 500 }), ask, true],
    ["an error that an MCP server answers", failure("upstream_failed", false), ask, false],
    ["a result that says it is an error", mcpAnswer, ask, false],
    ["a caller who leaves", failure("cancelled", false), find, false],
    ["an answer that is too large", failure("answer_too_large", false), find, false],
    ["a provider that is known to be away", failure("provider_unavailable"), find, false],
    ["a credential that is not there", failure("not_connected", false), find, false],
    ["a fault of ours", () => Promise.reject(new Error("bug")), find, false],
  ])("%s", async (_what, execute, tool, opens) => {
    const { call } = make();
    for (let count = 0; count < 5; count += 1) await call(execute, { tool }).catch(() => {});
    let reached = false;
    const after = call(
      async () => {
        reached = true;
        return fine;
      },
      { tool },
    );
    if (!opens) {
      await after;
      return;
    }
    const error = await errorOf(after);
    expect(error).toMatchObject({
      code: "provider_unavailable",
      retryable: true,
      details: { retry_after: 5 },
    });
    expect(reached).toBe(false);
  });

  test("a provider that takes its time to be away is one that fails", async () => {
    const { call, wait } = make();
    const slow = async (): Promise<never> => {
      wait(1_000);
      throw new GatewayError("provider_unavailable", "Not there.");
    };
    for (let count = 0; count < 5; count += 1) await call(slow).catch(() => {});
    expect(await errorOf(call(async () => fine))).toMatchObject({ details: { retry_after: 5 } });
  });

  test("says why, and of an MCP server nothing that it told somebody else", async () => {
    const { call } = make();
    const said = () =>
      Promise.reject(
        new GatewayError("upstream_failed", "Provider said: account 4711 is locked.", { retryable: true }),
      );
    for (let count = 0; count < 5; count += 1) {
      await call(said, { tool: ask }).catch(() => {});
      await call(status(503)).catch(() => {});
    }
    expect((await errorOf(call(status(200)))).message).toBe(
      "Provider `books` has failed several times in a row (the last time it answered HTTP 503), and is not called for a moment (`providers.books.limits.breaker`). Try again in 5 s.",
    );
    expect((await errorOf(call(mcpAnswer, { tool: ask }))).message).not.toContain("4711");
  });

  test("is one for each tenant, so that nobody can take a provider from others", async () => {
    const { call } = make();
    for (let count = 0; count < 20; count += 1) await call(status(503), { tenant: "evil" }).catch(() => {});
    expect(await call(async () => fine, { tenant: "acme" })).toBe(fine);
    await errorOf(call(async () => fine, { tenant: "evil" }));
  });

  test("is one for each connection where the address comes from it", async () => {
    const { call } = make();
    if (find.binding.kind !== "http") throw new Error("Not an HTTP tool.");
    const binding = { ...find.binding, baseUrl: "https://{shop}.example.com" };
    const shop = makeTool("shop_list", { provider: "shop", binding });
    const of = (id: string): Changes => ({
      tool: shop,
      credential: {
        tenant: "acme",
        owner: { kind: "user", id },
        provider: "shop",
        connection: "default",
        instance: "default",
      },
    });
    for (let count = 0; count < 5; count += 1) await call(status(503), of("ada")).catch(() => {});
    expect(await call(async () => fine, of("bob"))).toBe(fine);
    await errorOf(call(async () => fine, of("ada")));
  });

  test("opens for one call after its pause, and closes with its answer", async () => {
    const { call, start, wait } = make();
    for (let count = 0; count < 5; count += 1) await call(status(503));
    wait(5_000);
    const trial = start();
    expect(trial.begun.hasBegun).toBe(true);
    await errorOf(call(async () => fine));
    trial.end();
    await trial.result;
    expect(await call(async () => fine)).toBe(fine);
  });

  test("nobody waits for a place at a provider that is not called", async () => {
    const { call, start } = make({ concurrency: 1, calls: { queue: 10 } });
    for (let count = 0; count < 5; count += 1) await call(status(503), { tenant: "acme" });
    const busy = start({ tenant: "other" });
    expect(await errorOf(call(async () => fine))).toMatchObject({ code: "provider_unavailable" });
    busy.end();
  });
});

test("a call ends with the time that its provider gives it", async () => {
  const { call } = make({ callMilliseconds: 20 });
  const error = await errorOf(
    call(
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    ),
  );
  expect(error.code).toBe("timed_out");
  expect(error.message).toMatch(/within 0\.02 s \(`providers\.books\.limits\.call_time`/);
});

describe("rates", () => {
  const rule: RateRule = {
    ...{ calls: 600, milliseconds: 60_000, burst: 2, text: "600/min" },
    ...{ per: ["token"], tenant: "ac*", provider: undefined, tool: undefined },
  };
  const refusal = (rates: readonly RateRule[]): GatewayError => {
    const { guard } = make({ rates });
    const principal = principalOf("user", "ada", "acme");
    guard.count(principal, find, "tool");
    guard.count(principal, find, "tool");
    try {
      guard.count(principal, find, "tool");
    } catch (error) {
      if (error instanceof GatewayError) return error;
    }
    throw new Error("It was let through.");
  };

  test("the refusal says which, but not whose", () => {
    expect(refusal([rule])).toMatchObject({
      code: "rate_limited",
      message:
        "Too many calls: at most 600 a minute for each token, and 2 at once, are let through (`limits.rates`). Try again in 1 s.",
      details: { retry_after: 1 },
      retryable: true,
    });
  });

  test.each<[Partial<RateRule>, string]>([
    [{ per: [] }, "600 a minute for all callers together, and"],
    [{ per: ["tool", "user"] }, "600 a minute for each user and tool, and"],
    [{ provider: "bo*" }, "600 a minute to provider `bo*` for each token, and"],
    [{ tool: "books_find" }, "600 a minute of tool `books_find` for each token, and"],
    [{ calls: 2, milliseconds: 1_000 }, "2 a second for each token are"],
    [{ milliseconds: 3_600_000 }, "600 an hour for"],
    [{ milliseconds: 86_400_000 }, "600 a day for"],
  ])("%j", (changes, words) => {
    expect(refusal([{ ...rule, ...changes }]).message).toContain(words);
  });
});
