import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import type { ClientHome, LogLevel } from "../../../src/model/invocation.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import type { Caller, CallerSession } from "../../../src/providers/mcp/caller-session.ts";
import { type CallerSessionLimits, CallerSessions } from "../../../src/providers/mcp/caller-sessions.ts";
import { connect } from "../../../src/providers/mcp/connect.ts";
import { EraVerdict } from "../../../src/providers/mcp/era-verdict.ts";
import { until } from "./open-provider.ts";
import { callTool, observe, type TestTarget, targetOf, textIn } from "./open-session.ts";
import { startStreamableV1 } from "./peers.ts";
import { answer, startScripted } from "./scripted-upstream.ts";

const asking = fileURLToPath(new URL("asking-fixture.ts", import.meta.url));
const command: [string, ...string[]] = [process.execPath, asking];
const never = new AbortController().signal;

const limits: CallerSessionLimits = {
  sessions: 10,
  idle: 60_000,
  opening: 30_000,
  pauses: { first: 500, longest: 30_000 },
};

/** A pool by a clock that the test moves; closed at the end of the test. */
function createPool(where: TestTarget, options: Partial<CallerSessionLimits> = {}) {
  let now = 0;
  let opened = 0;
  const broke: Error[] = [];
  const target = targetOf(where);
  const verdict = new EraVerdict(() => performance.now());
  const pool = new CallerSessions({
    provider: "peer",
    limits: { ...limits, ...options },
    now: () => now,
    connect: (events, capabilities, signal) => {
      opened += 1;
      return connect(target, events, signal, { capabilities, verdict });
    },
    describe: (error) =>
      new GatewayError("provider_unavailable", error instanceof Error ? error.message : "?", {
        cause: error,
      }),
    broke: (reason) => broke.push(reason),
  });
  onTestFinished(() => pool.close());
  return {
    pool,
    broke,
    opened: () => opened,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

function callerOf(key: string, capabilities: JsonObject = {}): Caller {
  return { key, capabilities };
}

async function call(
  pool: CallerSessions,
  caller: Caller,
  tool: string,
  observer = observe(),
): Promise<unknown> {
  using own = await pool.obtain(caller, never);
  return JSON.parse(String(textIn(await callTool(own.session, tool, observer))));
}

interface Facts {
  readonly pid: number;
  readonly declared: JsonObject;
  readonly levels: readonly LogLevel[];
  readonly rootsChanged: number;
}

async function factsOf(pool: CallerSessions, caller: Caller): Promise<Facts> {
  return (await call(pool, caller, "facts")) as Facts;
}

/** A client's home that a test drives. */
function createHome(key: string, capabilities: JsonObject = {}) {
  const gone = new AbortController();
  const listeners = new Set<(change: "roots" | "log-level") => void>();
  const notified: { method: string; params: JsonObject }[] = [];
  const asked: string[] = [];
  let level: LogLevel | undefined;
  const home: ClientHome = {
    key,
    capabilities,
    gone: gone.signal,
    logLevel: () => level,
    ask: async (method) => {
      asked.push(method);
      return { action: "accept", content: { from: key } };
    },
    notify: (method, params) => notified.push({ method, params }),
    follow: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const caller: Caller = { key, capabilities, home };
  return {
    caller,
    gone,
    notified,
    asked,
    listeners,
    setLevel: (next: LogLevel) => {
      level = next;
      for (const listener of listeners) listener("log-level");
    },
    changeRoots: () => {
      for (const listener of listeners) listener("roots");
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("whose session it is", () => {
  test("one for each caller, used again, opened once for all who ask at one time", async () => {
    const { pool, opened } = createPool(command);
    const [first, again, other] = await Promise.all([
      factsOf(pool, callerOf("a", { roots: {} })),
      factsOf(pool, callerOf("a", { roots: {} })),
      factsOf(pool, callerOf("b", { elicitation: {} })),
    ]);
    expect(first.pid).toBe(again.pid);
    expect(other.pid).not.toBe(first.pid);
    expect([first.declared, other.declared]).toEqual([{ roots: {} }, { elicitation: {} }]);
    expect((await factsOf(pool, callerOf("a"))).pid).toBe(first.pid);
    expect(opened()).toBe(2);
  });

  test("one who leaves while it opens does not end it for the others", async () => {
    const { pool, opened } = createPool(command);
    const leaving = new AbortController();
    const left = pool.obtain(callerOf("a"), leaving.signal).catch((error: unknown) => error);
    const staying = factsOf(pool, callerOf("a"));
    leaving.abort(new Error("left"));
    expect(await left).toMatchObject({ message: "left" });
    expect((await staying).pid).toBeGreaterThan(0);
    expect(opened()).toBe(1);
  });
});

describe("what belongs to no call", () => {
  test("questions go to the client, and to no other; without a client they are refused", async () => {
    const { pool } = createPool(command);
    const home = createHome("a", { elicitation: {} });
    const other = createHome("b", { elicitation: {} });
    await factsOf(pool, other.caller);
    // Two calls under way: nobody can tell whose question it is.
    using own = await pool.obtain(home.caller, never);
    const waiting = callTool(own.session, "later");
    expect(await call(pool, home.caller, "ask")).toMatchObject({ content: { from: "a" } });
    await callTool(own.session, "finish");
    await waiting;
    expect([home.asked.length, other.asked.length]).toEqual([1, 0]);
    using homeless = await pool.obtain(callerOf("c", { elicitation: {} }), never);
    const later = callTool(homeless.session, "later");
    expect(textIn(await callTool(homeless.session, "ask"))).toContain("no client is there");
    await callTool(homeless.session, "finish");
    await later;
  });

  test("log messages go to the client as far as it wants them, and updates to who has subscribed", async () => {
    const { pool } = createPool(command);
    const home = createHome("a");
    home.setLevel("warning");
    using own = await pool.obtain(home.caller, never);
    const updated: JsonObject[] = [];
    const stop = own.follow({ updated: (params) => updated.push(params), missed: () => {} });
    await callTool(own.session, "say");
    await until(() => updated.length === 1);
    stop();
    await callTool(own.session, "say");
    await until(() => home.notified.length === 2);
    expect(home.notified.map(({ params }) => params["data"])).toEqual(["loud", "loud"]);
    expect(updated).toEqual([{ uri: "file:///a" }]);
  });

  test("the log level is that of the client, follows it, and is lowered for calls that want more", async () => {
    const { pool } = createPool(command);
    const home = createHome("a");
    home.setLevel("warning");
    using own = await pool.obtain(home.caller, never);
    await own.wantLogs("error", never);
    await own.wantLogs("info", never);
    await own.wantLogs("notice", never);
    expect((await factsOf(pool, home.caller)).levels).toEqual(["warning", "info"]);
    home.setLevel("critical");
    expect((await factsOf(pool, home.caller)).levels).toEqual(["warning", "info", "critical"]);
    expect((await factsOf(pool, callerOf("b"))).levels).toEqual([]);
  });

  test("changed roots are told where the session has declared them", async () => {
    const { pool } = createPool(command);
    const rooted = createHome("a", { roots: {} });
    const rootless = createHome("b");
    await factsOf(pool, rooted.caller);
    await factsOf(pool, rootless.caller);
    rooted.changeRoots();
    rootless.changeRoots();
    expect((await factsOf(pool, rooted.caller)).rootsChanged).toBe(1);
    expect((await factsOf(pool, rootless.caller)).rootsChanged).toBe(0);
  });
});

test("a client that changes its mind without end keeps its upstream from nothing", async () => {
  const { pool } = createPool(command);
  const home = createHome("a", { roots: {} });
  await factsOf(pool, home.caller);
  for (let count = 0; count < 1_000; count += 1) {
    home.setLevel(count % 2 === 0 ? "debug" : "error");
    home.changeRoots();
  }
  const { levels, rootsChanged } = await factsOf(pool, home.caller);
  expect(levels.at(-1)).toBe("error");
  expect(levels.length).toBeLessThan(10);
  expect(rootsChanged).toBeGreaterThan(0);
  expect(rootsChanged).toBeLessThan(10);
});

describe("the end of a session", () => {
  test("comes when it was not used for a while, and the next call gets another", async () => {
    const { pool } = createPool(command, { idle: 20 });
    const first = await factsOf(pool, callerOf("a"));
    await until(() => !isAlive(first.pid));
    expect((await factsOf(pool, callerOf("a"))).pid).not.toBe(first.pid);
  });

  test("does not come while something holds it, such as a subscription", async () => {
    const { pool } = createPool(command, { idle: 20 });
    const held = await pool.obtain(callerOf("a"), never);
    const { pid } = await factsOf(pool, callerOf("a"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isAlive(pid)).toBe(true);
    held[Symbol.dispose]();
    held[Symbol.dispose]();
    await until(() => !isAlive(pid));
    expect(held.over.aborted).toBe(true);
  });

  test("comes with that of the client, also while it is being opened", async () => {
    const { pool } = createPool(command);
    const home = createHome("a");
    const { pid } = await factsOf(pool, home.caller);
    home.gone.abort();
    await until(() => !isAlive(pid));
    expect(home.listeners.size).toBe(0);
    await expect(pool.obtain(home.caller, never)).rejects.toMatchObject({ code: "cancelled" });
    const other = createHome("b");
    const opening = pool.obtain(other.caller, never);
    setImmediate(() => other.gone.abort());
    await expect(opening).rejects.toMatchObject({ code: "cancelled" });
    // Its end is nobody's fault.
    expect((await factsOf(pool, callerOf("c"))).pid).toBeGreaterThan(0);
  });

  test("a server over HTTP is told of it", async () => {
    const peer = await startStreamableV1();
    onTestFinished(() => peer.close());
    const { pool } = createPool(peer.url);
    for (const key of ["a", "b"]) {
      using _own = await pool.obtain(callerOf(key), never);
    }
    await pool.close();
    expect(peer.events).toEqual(["session opened", "session opened", "session closed", "session closed"]);
    await expect(pool.obtain(callerOf("a"), never)).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("as many as there may be", () => {
  test("the one that was not used for longest makes room", async () => {
    const { pool } = createPool(command, { sessions: 2 });
    const a = await factsOf(pool, callerOf("a"));
    const b = await factsOf(pool, callerOf("b"));
    await factsOf(pool, callerOf("a"));
    const c = await factsOf(pool, callerOf("c"));
    // There are never more processes than there may be.
    expect([a, b, c].map(({ pid }) => isAlive(pid))).toEqual([true, false, true]);
    expect((await factsOf(pool, callerOf("a"))).pid).toBe(a.pid);
  });

  test("where all are at work, others are refused until one is free", async () => {
    const { pool } = createPool(command, { sessions: 2 });
    const held: CallerSession[] = [];
    for (const key of ["a", "b"]) held.push(await pool.obtain(callerOf(key), never));
    await expect(pool.obtain(callerOf("c"), never)).rejects.toMatchObject({
      code: "overloaded",
      retryable: true,
      message: expect.stringContaining("All 2 sessions"),
    });
    using _again = await pool.obtain(callerOf("a"), never);
    held[1]?.[Symbol.dispose]();
    expect((await factsOf(pool, callerOf("c"))).pid).toBeGreaterThan(0);
    held[0]?.[Symbol.dispose]();
  });
});

test("one principal does not get all of them", async () => {
  const { pool } = createPool(command, { sessions: 4 });
  using held = new DisposableStack();
  for (const key of ["a", "b", "c"]) {
    held.use(await pool.obtain({ ...callerOf(key), principal: "greedy" }, never));
  }
  await expect(pool.obtain({ ...callerOf("d"), principal: "greedy" }, never)).rejects.toMatchObject({
    code: "overloaded",
    message: expect.stringContaining("one caller may have"),
  });
  expect((await factsOf(pool, { ...callerOf("e"), principal: "other" })).pid).toBeGreaterThan(0);
});

describe("a session that is lost", () => {
  test("is replaced at once; what it carries may still be answered", async () => {
    let finish = (): void => {};
    const upstream = await startScripted({
      call: (message, response) => {
        if (message.params?.name === "slow") finish = () => answer(response, message, "slow");
        else answer(response, message);
      },
    });
    const { pool, opened } = createPool(upstream.url);
    const old = await pool.obtain(callerOf("a"), never);
    const slow = callTool(old.session, "slow");
    await until(() => upstream.count("tools/call") === 1);
    old.lost();
    expect(old.over.aborted).toBe(true);
    {
      using fresh = await pool.obtain(callerOf("a"), never);
      expect(fresh.session).not.toBe(old.session);
      expect(textIn(await callTool(fresh.session, "go"))).toBe("done");
    }
    expect(upstream.visits).not.toContain("DELETE s1");
    finish();
    expect(textIn(await slow)).toBe("slow");
    old[Symbol.dispose]();
    await until(() => upstream.visits.includes("DELETE s1"));
    expect(opened()).toBe(2);
  });

  test("one after the other: there is a pause, for this caller alone", async () => {
    const upstream = await startScripted();
    const { pool, pass } = createPool(upstream.url);
    for (let round = 0; round < 2; round++) {
      using own = await pool.obtain(callerOf("a"), never);
      await callTool(own.session, "go");
      own.lost();
    }
    await expect(pool.obtain(callerOf("a"), never)).rejects.toMatchObject({
      code: "provider_unavailable",
      retryable: true,
      message: expect.stringContaining("ends its sessions"),
    });
    using _other = await pool.obtain(callerOf("b"), never);
    pass(500);
    using _own = await pool.obtain(callerOf("a"), never);
  });
});

describe("a server that ends", () => {
  test("right after each start is not started over and over", async () => {
    const { pool, opened, pass } = createPool([process.execPath, asking, "dead"]);
    const attempt = (key: string): Promise<unknown> =>
      pool.obtain(callerOf(key), never).catch((error: unknown) => error);
    const unavailable = { code: "provider_unavailable", retryable: true };
    expect(await attempt("a")).toMatchObject(unavailable);
    expect(opened()).toBe(1);
    let before = 1;
    for (const pause of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      pass(pause - 1);
      expect(await attempt("b")).toMatchObject({
        ...unavailable,
        message: expect.stringContaining("Provider `peer` is not available at the moment: "),
      });
      expect(opened()).toBe(before);
      pass(1);
      expect(await attempt("a")).toMatchObject(unavailable);
      before += 1;
      expect(opened()).toBe(before);
    }
  });

  test("during a caller's call is started again after a pause, and others are not kept waiting", async () => {
    const { pool, pass, broke } = createPool(command);
    const { pid } = await factsOf(pool, callerOf("a"));
    await factsOf(pool, callerOf("b"));
    await expect(call(pool, callerOf("a"), "die")).rejects.toMatchObject({
      code: "upstream_failed",
      message: expect.stringContaining("exit code 3"),
    });
    expect(broke).toHaveLength(1);
    await expect(pool.obtain(callerOf("a"), never)).rejects.toMatchObject({ code: "provider_unavailable" });
    await factsOf(pool, callerOf("b"));
    await factsOf(pool, callerOf("c"));
    pass(500);
    expect((await factsOf(pool, callerOf("a"))).pid).not.toBe(pid);
  });

  test("after it has run for long is started again at once", async () => {
    const { pool, pass, broke } = createPool(command);
    const { pid } = await factsOf(pool, callerOf("a"));
    pass(30_000);
    process.kill(pid, "SIGKILL");
    await until(() => broke.length === 1);
    expect((await factsOf(pool, callerOf("a"))).pid).not.toBe(pid);
  });
});

test("after 200 restarts no process and no listener is left over", async () => {
  const { pool, pass, broke } = createPool(command, { sessions: 4 });
  const pids = new Set<number>();
  const before = process.listenerCount("exit");
  const callers = ["a", "b", "c", "d"].map((key) => callerOf(key));
  for (let round = 1; round <= 50; round++) {
    const facts = await Promise.all(callers.map((caller) => factsOf(pool, caller)));
    for (const { pid } of facts) {
      pids.add(pid);
      process.kill(pid, "SIGKILL");
    }
    await until(() => broke.length === round * 4);
    pass(60_000);
  }
  expect(pids.size).toBe(200);
  await pool.close();
  await until(() => [...pids].every((pid) => !isAlive(pid)));
  expect(process.listenerCount("exit")).toBe(before);
}, 180_000);

test("what is open when the pool is closed ends with it", async () => {
  const { pool } = createPool(command);
  const held = await pool.obtain(callerOf("a"), never);
  const { pid } = await factsOf(pool, callerOf("a"));
  const waiting = callTool(held.session, "later").catch((error: unknown) => error);
  const over = once(held.over, "abort");
  await pool.close();
  await over;
  expect(await waiting).toMatchObject({ code: "upstream_failed" });
  expect(isAlive(pid)).toBe(false);
  held[Symbol.dispose]();
});
