import { describe, expect, test } from "vitest";
import type { ScopedSurface } from "../../src/providers/scoped-surfaces.ts";
import {
  createTestSource,
  notConnected,
  reconnectRequired,
  referenceOf,
  startGuarded,
} from "./mcp/guarded-upstream.ts";
import { until } from "./mcp/open-provider.ts";
import {
  callScoped,
  connectionOf,
  makeScopedSession,
  scopedProvider,
  TestCredentials,
} from "./scoped-session.ts";

async function start(era: "legacy" | "modern" = "legacy", users: readonly string[] = ["ada", "bob"]) {
  const upstream = await startGuarded(era);
  const credentials = new TestCredentials();
  const sources = users.map((user) => {
    upstream.tools.set(user, ["go", `only-${user}`]);
    upstream.accounts.set(`token-of-${user}`, user);
    return credentials.add(createTestSource(referenceOf(user), `token-of-${user}`));
  });
  const sourceOf = (user: string) => {
    const source = sources[users.indexOf(user)];
    if (source === undefined) throw new Error(`no ${user}`);
    return source;
  };
  return { upstream, credentials, sources, sourceOf };
}

function namesOf(scoped: ScopedSurface | undefined): readonly string[] {
  const status = scoped?.session.status;
  return status !== undefined && "exposed" in status ? status.exposed.tools.map(({ id }) => id) : [];
}

describe.each(["legacy", "modern"] as const)("an upstream of the %s era", (era) => {
  test("shows each user its own tools, and each call travels with the token of its user alone", async () => {
    const users = ["ada", "bob", "eve", "kim"];
    const { upstream, credentials, sourceOf } = await start(era, users);
    const { session } = makeScopedSession(scopedProvider(upstream.url), credentials);
    await session.start();
    expect(session.catalog()).toMatchObject({ state: "disabled", tools: [] });
    expect(upstream.seen).toEqual([]);
    const scoped = await Promise.all(
      users.map(async (user) => {
        const surface = session.openScoped("mcp", referenceOf(user), sourceOf(user));
        await surface?.session.ensure();
        return surface;
      }),
    );
    expect(scoped.map(namesOf)).toEqual(users.map((user) => ["go", `only-${user}`]));
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    upstream.calling = () => gate;
    const calls = Array.from({ length: 400 }, (_none, index) => {
      const user = users[index % users.length] ?? "";
      const canary = `canary-${user}-${index}`;
      return { user, canary, result: callScoped(session, sourceOf(user).credential(), canary) };
    });
    await until(() => upstream.count("tools/call") === 400);
    release();
    for (const { user, canary, result } of calls) expect(await result).toContain(`"${user} ${canary}"`);
    for (const { canary, token } of upstream.seen) {
      if (typeof canary === "string") expect(token).toBe(`token-of-${canary.split("-")[1]}`);
    }
    expect(upstream.crossed).toEqual([]);
    expect(upstream.tokens()).toEqual(new Set(users.map((user) => `token-of-${user}`)));
  });

  test("is opened by the first call of a user, once for many at a time", async () => {
    const { upstream, credentials, sourceOf } = await start(era);
    const { session } = makeScopedSession(scopedProvider(upstream.url), credentials);
    await session.start();
    const results = await Promise.all(
      ["a", "b", "c"].map((canary) => callScoped(session, sourceOf("ada").credential(), canary)),
    );
    expect(results.join()).toContain("ada c");
    expect(upstream.count("tools/list")).toBe(1);
  });
});

test("what users see alike is kept once", async () => {
  const { upstream, credentials, sources } = await start();
  for (const user of ["ada", "bob"]) upstream.tools.set(user, ["go"]);
  const { session } = makeScopedSession(scopedProvider(upstream.url), credentials);
  await session.start();
  const [ada, bob] = sources.map((source) => session.openScoped("mcp", source.reference, source)?.session);
  await Promise.all([ada?.ensure(), bob?.ensure()]);
  expect(ada?.status).toMatchObject({ state: "ready" });
  const exposed = [ada, bob].map((own) => own !== undefined && "exposed" in own.status && own.status.exposed);
  expect(exposed[0]).toBe(exposed[1]);
});

test("a call with a credential of another provider, connection or of nobody is refused before anything is sent", async () => {
  const { upstream, credentials } = await start();
  const { session } = makeScopedSession(scopedProvider(upstream.url), credentials);
  await session.start();
  for (const reference of [
    referenceOf("ada", { provider: "other" }),
    referenceOf("ada", { connection: "other" }),
    undefined,
  ]) {
    const call = callScoped(session, { reference, headers: {}, query: {} }, "x");
    await expect(call).rejects.toMatchObject({ code: "internal" });
  }
  expect(upstream.seen).toEqual([]);
});

describe("a credential that is gone in mid-session", () => {
  test("because it was removed: nothing more is sent with it, and its tools are gone", async () => {
    const { upstream, credentials, sourceOf } = await start();
    const { session } = makeScopedSession(scopedProvider(upstream.url), credentials);
    await session.start();
    const ada = sourceOf("ada");
    await callScoped(session, ada.credential(), "x");
    const scoped = session.openScoped("mcp", ada.reference, ada);
    const before = upstream.seen.length;
    ada.failure = notConnected;
    await expect(callScoped(session, ada.credential(), "y")).rejects.toBe(notConnected);
    expect(scoped?.isDropped).toBe(true);
    // The next call opens anew, which fails before anything is sent.
    await expect(callScoped(session, ada.credential(), "z")).rejects.toBe(notConnected);
    expect(upstream.seen).toHaveLength(before);
    await callScoped(session, sourceOf("bob").credential(), "bob is not touched");
  });

  test("because somebody has to connect again: its tools stay, so that calls can say so", async () => {
    const { upstream, credentials, sourceOf } = await start();
    const { session } = makeScopedSession(scopedProvider(upstream.url), credentials);
    await session.start();
    const ada = sourceOf("ada");
    await callScoped(session, ada.credential(), "x");
    const scoped = session.openScoped("mcp", ada.reference, ada);
    upstream.accounts.delete("token-of-ada");
    ada.renewal = () => {
      throw reconnectRequired;
    };
    await expect(callScoped(session, ada.credential(), "y")).rejects.toBe(reconnectRequired);
    expect(scoped?.session.status).toMatchObject({ state: "stale", reason: "Connect Peer again." });
    expect(namesOf(scoped)).toEqual(["go", "only-ada"]);
    upstream.accounts.set("new", "ada");
    ada.token = "new";
    session.dropScoped(ada.reference);
    expect(scoped?.isDropped).toBe(true);
    expect(await callScoped(session, ada.credential(), "z")).toContain("ada z");
  });

  test("because it was given up: calls that run may finish, and a new one gets a session of its own", async () => {
    const { upstream, credentials, sourceOf } = await start();
    const { session } = makeScopedSession(scopedProvider(upstream.url), credentials);
    await session.start();
    const ada = sourceOf("ada");
    await callScoped(session, ada.credential(), "x");
    let release = (): void => {};
    upstream.calling = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const running = callScoped(session, ada.credential(), "running");
    await until(() => upstream.count("tools/call") === 2);
    upstream.calling = undefined;
    session.dropScoped(ada.reference);
    expect(await callScoped(session, ada.credential(), "new")).toContain("ada new");
    release();
    expect(await running).toContain("ada running");
    // One session that lists, and one that calls, for each.
    expect(upstream.count("initialize")).toBe(4);
    expect(upstream.crossed).toEqual([]);
  });
});

describe("bounds", () => {
  test("those not used for the longest make room, but not those that are busy", async () => {
    const { upstream, credentials, sourceOf } = await start("legacy", ["ada", "bob", "eve"]);
    const { session } = makeScopedSession(scopedProvider(upstream.url), credentials, { scoped: { most: 2 } });
    await session.start();
    const open = async (user: string) => {
      const scoped = session.openScoped("mcp", referenceOf(user), sourceOf(user));
      await scoped?.session.ensure();
      return scoped;
    };
    const ada = await open("ada");
    let release = (): void => {};
    upstream.calling = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const running = callScoped(session, sourceOf("ada").credential(), "busy");
    await until(() => upstream.count("tools/call") === 1);
    const bob = await open("bob");
    const eve = await open("eve");
    expect([ada, bob, eve].map((scoped) => scoped?.isDropped)).toEqual([false, true, false]);
    release();
    expect(await running).toContain("ada busy");
    await until(() => upstream.seen.some(({ verb, token }) => verb === "DELETE" && token === "token-of-bob"));
  });

  test("what nobody uses is closed, its tools stay known, and a call opens it again", async () => {
    const { upstream, credentials, sourceOf } = await start();
    const { session } = makeScopedSession(scopedProvider(upstream.url), credentials, {
      scoped: { idleMilliseconds: 40 },
    });
    await session.start();
    const ada = sourceOf("ada");
    const scoped = session.openScoped("mcp", ada.reference, ada);
    await scoped?.session.ensure();
    await until(() => upstream.seen.some(({ verb }) => verb === "DELETE"));
    expect(scoped?.session.isResting).toBe(true);
    expect(scoped?.isDropped).toBe(false);
    expect(namesOf(scoped)).toEqual(["go", "only-ada"]);
    expect(await callScoped(session, ada.credential(), "again")).toContain("ada again");
    // Two that list, and one that calls.
    expect(upstream.count("initialize")).toBe(3);
  });

  test("a call does not wait for ever for an upstream that does not answer", async () => {
    const { upstream, credentials, sourceOf } = await start();
    upstream.refusal = () => true;
    const { session } = makeScopedSession(scopedProvider(upstream.url), credentials, {
      scoped: { openMilliseconds: 50 },
    });
    await session.start();
    const call = callScoped(session, sourceOf("ada").credential(), "x");
    await expect(call).rejects.toMatchObject({ code: "provider_unavailable", retryable: true });
    const caller = new AbortController();
    const patient = makeScopedSession(scopedProvider(upstream.url), credentials).session;
    const other = callScoped(patient, sourceOf("bob").credential(), "x", "go", caller.signal);
    caller.abort(new Error("left"));
    await expect(other).rejects.toMatchObject({ code: "cancelled" });
  });
});

test("an upstream that is away for one user is tried again for that one", async () => {
  const { upstream, credentials, sourceOf } = await start();
  upstream.refusal = ({ token }, response) => {
    if (token !== "token-of-ada") return false;
    response.writeHead(503).end();
    return true;
  };
  const { session, log } = makeScopedSession(scopedProvider(upstream.url), credentials);
  await session.start();
  const [ada, bob] = ["ada", "bob"].map((user) =>
    session.openScoped("mcp", referenceOf(user), sourceOf(user)),
  );
  await Promise.all([ada?.session.ensure(), bob?.session.ensure()]);
  expect(ada?.session.status).toMatchObject({ state: "unavailable" });
  expect(namesOf(bob)).toEqual(["go", "only-bob"]);
  // Nothing of one caller's trouble is everybody's.
  expect(session.diagnostics()).toEqual([]);
  expect(session.catalog()).toMatchObject({ state: "disabled" });
  upstream.refusal = undefined;
  await until(() => ada?.session.status.state === "ready");
  expect(namesOf(ada)).toEqual(["go", "only-ada"]);
  expect(JSON.stringify(log)).not.toContain("token-of");
});

test("what the upstream changes for one user is changed for that one", async () => {
  const { upstream, credentials, sourceOf } = await start();
  let changes = 0;
  const { session } = makeScopedSession(scopedProvider(upstream.url), credentials);
  session.followScoped(() => {
    changes += 1;
  });
  await session.start();
  const [ada, bob] = ["ada", "bob"].map((user) =>
    session.openScoped("mcp", referenceOf(user), sourceOf(user)),
  );
  await Promise.all([ada?.session.ensure(), bob?.session.ensure()]);
  const before = changes;
  upstream.tools.set("ada", ["go", "later"]);
  upstream.announce("ada");
  await until(() => namesOf(ada).includes("later"));
  expect(namesOf(bob)).toEqual(["go", "only-bob"]);
  expect(changes).toBeGreaterThan(before);
});

test("a provider that is closed opens nothing for a call", async () => {
  const { upstream, credentials, sourceOf } = await start();
  const { session } = makeScopedSession(scopedProvider(upstream.url), credentials);
  await session.start();
  await callScoped(session, sourceOf("ada").credential(), "x");
  const executor = session.executor("mcp");
  await session.close(0);
  expect(executor).toBeDefined();
  const call = callScoped(session, sourceOf("ada").credential(), "y");
  await expect(call).rejects.toMatchObject({ code: "provider_unavailable" });
  expect(session.openScoped("mcp", referenceOf("ada"), sourceOf("ada"))).toBeUndefined();
});

describe("the gateway's own connection", () => {
  const own = (url: string) =>
    scopedProvider(url, { connections: { main: connectionOf("main", "identity") } });
  const reference = referenceOf("gateway", { tenant: "", owner: { kind: "gateway", id: "gateway" } });

  test("is opened once somebody has connected it, and closed when it is gone", async () => {
    const { upstream, credentials } = await start();
    upstream.accounts.set("own", "ada");
    const source = createTestSource(reference, "own");
    source.failure = notConnected;
    const { session } = makeScopedSession(own(upstream.url), credentials, { credential: () => source });
    await session.start();
    expect(session.catalog()).toMatchObject({ state: "disabled", reason: "mcp: Peer is not connected." });
    expect(upstream.seen).toEqual([]);
    source.failure = undefined;
    session.connectionChanged("other");
    expect(upstream.seen).toEqual([]);
    session.lookAgain();
    await until(() => session.catalog().state === "ready");
    expect(session.catalog().tools.map(({ id }) => id)).toEqual(["go", "only-ada"]);
    expect(await callScoped(session, source.credential(), "x")).toContain("ada x");
    source.failure = notConnected;
    session.connectionChanged("main");
    await until(() => session.catalog().state === "disabled");
    expect(session.catalog().tools).toEqual([]);
  });

  test("that is replaced is opened anew, with its tools shown meanwhile", async () => {
    const { upstream, credentials } = await start();
    upstream.accounts.set("one", "ada").set("two", "bob");
    const source = createTestSource(reference, "one");
    const { session } = makeScopedSession(own(upstream.url), credentials, { credential: () => source });
    await session.start();
    source.token = "two";
    session.connectionChanged("main");
    expect(session.catalog().tools.map(({ id }) => id)).toEqual(["go", "only-ada"]);
    await until(() => session.catalog().tools.some(({ id }) => id === "only-bob"));
    await session.close(0);
    expect(upstream.crossed).toEqual([]);
  });
});

test("a header that is passed on can list nothing, and says so", async () => {
  const { upstream, credentials } = await start();
  const provider = scopedProvider(upstream.url, {
    connections: { main: connectionOf("main", "user", "passthrough") },
  });
  const { session } = makeScopedSession(provider, credentials);
  await session.start();
  expect(session.catalog()).toMatchObject({
    state: "disabled",
    reason: expect.stringContaining("passthrough"),
  });
  expect(session.executor("mcp")).toBeUndefined();
  expect(
    session.openScoped("mcp", referenceOf("ada"), createTestSource(referenceOf("ada"), "x")),
  ).toBeUndefined();
});
