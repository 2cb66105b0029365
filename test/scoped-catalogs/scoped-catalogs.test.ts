import { describe, expect, test } from "vitest";
import { createAuthorizer } from "../../src/authorization/create-authorizer.ts";
import type { ProviderConfig } from "../../src/model/config.ts";
import type { CredentialReference } from "../../src/model/credential.ts";
import { principalOf } from "../principals.ts";
import {
  createTestSource,
  type GuardedUpstream,
  notConnected,
  reconnectRequired,
  referenceOf,
  startGuarded,
} from "../providers/mcp/guarded-upstream.ts";
import { until } from "../providers/mcp/open-provider.ts";
import {
  connectionOf,
  makeScopedSession,
  scopedProvider,
  TestCredentials,
} from "../providers/scoped-session.ts";
import { type Stage, stageOf } from "./harness.ts";

const ada = principalOf("user", "ada");
const bob = principalOf("user", "bob");

async function startFor(
  users: readonly string[],
  era: "legacy" | "modern" = "legacy",
): Promise<GuardedUpstream> {
  const upstream = await startGuarded(era);
  for (const user of users) {
    upstream.tools.set(user, ["go", `only_${user}`]);
    upstream.accounts.set(`token-of-${user}`, user);
  }
  return upstream;
}

function sourceFor(user: string, overrides: Partial<CredentialReference> = {}) {
  return createTestSource(referenceOf(user, overrides), `token-of-${user}`);
}

function named(name: string, url: string, overrides: Partial<ProviderConfig> = {}): ProviderConfig {
  return {
    ...scopedProvider(url),
    name,
    displayName: name,
    mcp: { enabled: true, toolPrefix: `${name}_` },
    ...overrides,
  };
}

test("everybody gets what the upstream lists for them, and nothing of anybody else", async () => {
  const upstream = await startFor(["ada", "bob"]);
  const stage = await stageOf([scopedProvider(upstream.url)]);
  stage.store(sourceFor("ada"));
  stage.store(sourceFor("bob"));
  const eve = principalOf("user", "eve");
  await Promise.all([ada, bob, eve].map((principal) => stage.catalogs.prepare(principal)));
  expect(stage.names(ada)).toEqual(["peer_go", "peer_only_ada"]);
  expect(stage.names(bob)).toEqual(["peer_go", "peer_only_bob"]);
  expect(stage.names(eve)).toEqual([]);
  expect(stage.catalogs.index(eve)).toBe(stage.snapshot.index);
  expect(stage.catalogs.index(ada).catalog.providers).toMatchObject([
    { state: "ready", surfaces: [{ state: "ready", tools: 2 }] },
  ]);
  expect(stage.snapshot.catalog.providers).toMatchObject([{ state: "disabled" }]);
  // The same name in another tenant is somebody else.
  const other = principalOf("user", "ada", "acme");
  await stage.catalogs.prepare(other);
  expect(stage.names(other)).toEqual([]);
  expect(upstream.crossed).toEqual([]);
});

test("who was not prepared gets what all get", async () => {
  const upstream = await startFor(["ada"]);
  const stage = await stageOf([scopedProvider(upstream.url)]);
  stage.store(sourceFor("ada"));
  expect(stage.catalogs.index(ada)).toBe(stage.snapshot.index);
});

test("there is nothing to wait for while nothing has changed", async () => {
  const upstream = await startFor(["ada"]);
  const stage = await stageOf([scopedProvider(upstream.url)]);
  stage.store(sourceFor("ada"));
  const first = stage.catalogs.prepare(ada);
  expect(stage.catalogs.prepare(ada)).toBe(first);
  await first;
  const index = stage.catalogs.index(ada);
  expect(stage.catalogs.prepare(ada)).toBeUndefined();
  expect(stage.catalogs.index(ada)).toBe(index);
  expect(stage.asked).toBe(1);
  stage.epoch += 1;
  await stage.catalogs.prepare(ada);
  expect(stage.asked).toBe(2);
  expect(stage.catalogs.index(ada)).toBe(index);
  expect(upstream.count("tools/list")).toBe(1);
});

test("without any connection that credentials are stored for, nobody is asked anything", async () => {
  const upstream = await startFor(["ada"]);
  const stage = await stageOf([
    scopedProvider(upstream.url, { connections: { main: connectionOf("main", "none") } }),
  ]);
  expect(stage.catalogs.prepare(ada)).toBeUndefined();
  expect(stage.asked).toBe(0);
});

test("callers who see the same share one catalog, and so one view", async () => {
  const upstream = await startFor(["ada", "bob"]);
  for (const user of ["ada", "bob"]) upstream.tools.set(user, ["go"]);
  const stage = await stageOf([scopedProvider(upstream.url)]);
  stage.store(sourceFor("ada"));
  stage.store(sourceFor("bob"));
  await Promise.all([ada, bob].map((principal) => stage.catalogs.prepare(principal)));
  expect(stage.catalogs.index(ada)).toBe(stage.catalogs.index(bob));
  const settings = { default: "allow", destructive: "allow", roles: undefined, policies: [] } as const;
  const authorizer = createAuthorizer({
    snapshot: stage.snapshot,
    indexOf: (principal) => stage.catalogs.index(principal),
    settings: () => settings,
  });
  const view = authorizer.view(ada, "mcp");
  expect(view.tools.map(({ name }) => name)).toEqual(["peer_go"]);
  expect(authorizer.view(bob, "mcp")).toBe(view);
  expect(authorizer.view(principalOf("user", "eve"), "mcp").tools).toEqual([]);
  expect(authorizer.explain(ada, "mcp", "peer_go").outcome).toBe("allowed");
  expect(authorizer.explain(principalOf("user", "eve"), "mcp", "peer_go").outcome).toBe("denied");
});

test("nothing is opened with providers that a principal may not know of", async () => {
  const upstream = await startFor(["ada"]);
  const stage = await stageOf([scopedProvider(upstream.url)]);
  stage.mayKnow = () => false;
  stage.store(sourceFor("ada"));
  await stage.catalogs.prepare(ada);
  expect(stage.names(ada)).toEqual([]);
  expect(upstream.seen).toEqual([]);
});

describe("a credential", () => {
  test("that another process removes takes its tools along", async () => {
    const upstream = await startFor(["ada"]);
    const stage = await stageOf([scopedProvider(upstream.url)]);
    const source = sourceFor("ada");
    stage.store(source);
    await stage.catalogs.prepare(ada);
    expect(stage.names(ada)).toHaveLength(2);
    stage.remove(source.reference);
    await stage.catalogs.prepare(ada);
    expect(stage.catalogs.index(ada)).toBe(stage.snapshot.index);
  });

  test("that goes with its owner is not used any more, though nobody asks for anything", async () => {
    const upstream = await startFor(["ada", "bob"]);
    const stage = await stageOf([scopedProvider(upstream.url)]);
    const source = sourceFor("ada");
    stage.store(source);
    stage.store(sourceFor("bob"));
    await Promise.all([ada, bob].map((principal) => stage.catalogs.prepare(principal)));
    const owners = () =>
      stage.sessions.flatMap((session) => session.scopedReferences()).map(({ owner }) => owner.id);
    expect(owners().toSorted()).toEqual(["ada", "bob"]);
    stage.remove(source.reference);
    await until(() => owners().length === 1);
    expect(owners()).toEqual(["bob"]);
    expect(stage.names(bob)).toHaveLength(2);
    expect(stage.names(ada)).toEqual([]);
  });

  test("that is removed here takes its tools along at once, and tells those who wait", async () => {
    const upstream = await startFor(["ada", "bob"]);
    const stage = await stageOf([scopedProvider(upstream.url)]);
    const source = sourceFor("ada");
    stage.store(source);
    stage.store(sourceFor("bob"));
    await Promise.all([ada, bob].map((principal) => stage.catalogs.prepare(principal)));
    let told = 0;
    stage.catalogs.subscribe(() => {
      told += 1;
    });
    source.failure = notConnected;
    stage.remove(source.reference);
    stage.catalogs.changed(source.reference);
    expect(stage.names(ada)).toEqual([]);
    expect(stage.names(bob)).toHaveLength(2);
    await until(() => told > 0);
  });

  test("that somebody replaces is opened anew", async () => {
    const upstream = await startFor(["ada"]);
    const stage = await stageOf([scopedProvider(upstream.url)]);
    const source = sourceFor("ada");
    stage.store(source);
    await stage.catalogs.prepare(ada);
    upstream.accounts.set("other", "second account");
    upstream.tools.set("second account", ["other"]);
    source.token = "other";
    stage.catalogs.changed(source.reference);
    await stage.catalogs.prepare(ada);
    expect(stage.names(ada)).toEqual(["peer_other"]);
    expect(upstream.crossed).toEqual([]);
  });

  test("that has to be connected again keeps its tools, marked stale", async () => {
    const upstream = await startFor(["ada"]);
    const stage = await stageOf([scopedProvider(upstream.url)]);
    const source = sourceFor("ada");
    stage.store(source);
    await stage.catalogs.prepare(ada);
    source.failure = reconnectRequired;
    upstream.tools.set("ada", ["later"]);
    upstream.announce("ada");
    await until(() => stage.catalogs.index(ada).catalog.providers[0]?.state === "stale");
    expect(stage.names(ada)).toHaveLength(2);
    expect(stage.catalogs.prepare(ada)).toBeUndefined();
  });

  test("of the gateway itself, connected by another process, is noticed", async () => {
    const upstream = await startFor(["own"]);
    const reference = referenceOf("gateway", { tenant: "", owner: { kind: "gateway", id: "gateway" } });
    const source = createTestSource(reference, "token-of-own");
    source.failure = notConnected;
    const provider = scopedProvider(upstream.url, {
      connections: { main: connectionOf("main", "identity") },
    });
    const { session } = makeScopedSession(provider, new TestCredentials(), { credential: () => source });
    const stage = await stageOf([]);
    stage.sessions.push(session);
    await session.start();
    stage.publish();
    stage.catalogs.prepare(ada);
    source.failure = undefined;
    stage.epoch += 1;
    stage.catalogs.prepare(ada);
    await until(() => session.catalog().state === "ready");
  });
});

describe("several instances", () => {
  async function start() {
    const upstream = await startFor(["ada", "work"]);
    const stage = await stageOf([scopedProvider(upstream.url)]);
    stage.store({ ...sourceFor("ada"), reference: referenceOf("ada", { instance: "default" }) });
    stage.store(createTestSource(referenceOf("ada", { instance: "a-work" }), "token-of-work"));
    await stage.catalogs.prepare(ada);
    return { upstream, stage };
  }

  test("are listed together, and can be chosen among", async () => {
    const { stage } = await start();
    expect(stage.names(ada)).toEqual(["peer_go", "peer_only_ada", "peer_only_work"]);
    expect([...stage.catalogs.instances(ada)]).toEqual([["peer/main", ["default", "a-work"]]]);
    expect([...stage.catalogs.instances(bob)]).toEqual([]);
    expect(stage.catalogs.index(ada).catalog.providers[0]?.surfaces[0]?.tools).toBe(3);
  });

  test("of connections that no list depends on are known too", async () => {
    const upstream = await startFor(["ada"]);
    const provider = scopedProvider(upstream.url, {
      connections: { main: connectionOf("main"), rest: connectionOf("rest") },
    });
    const stage = await stageOf([provider]);
    for (const instance of ["b", "a"]) stage.store(sourceFor("ada", { connection: "rest", instance }));
    await stage.catalogs.prepare(ada);
    expect([...stage.catalogs.instances(ada)]).toEqual([["peer/rest", ["a", "b"]]]);
    expect(upstream.seen).toEqual([]);
  });
});

describe("beside providers that are in trouble", () => {
  test("one that is late already is not waited for whenever anything changes", async () => {
    const upstream = await startFor(["ada"]);
    const asked = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    upstream.refusal = (_seen, response) => {
      asked.resolve();
      void released.promise.then(() => response.writeHead(503).end());
      return true;
    };
    let now = 0;
    const stage = await stageOf([scopedProvider(upstream.url)], {
      deadlineMilliseconds: () => 120_000,
      now: () => now,
    });
    stage.store(sourceFor("ada"));
    const first = stage.catalogs.prepare(ada);
    await asked.promise;
    now += 120_000;
    // As when somebody else's token is refreshed.
    stage.epoch += 1;
    await stage.catalogs.prepare(ada);
    released.resolve();
    await first;
  });

  test("good ones are listed in time, and slow ones arrive later", async () => {
    const good = await startFor(["ada"]);
    const slow = await startFor(["ada"]);
    const dead = await startFor(["ada"]);
    const broken = await startFor(["ada"]);
    await dead.close();
    broken.refusal = (_seen, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<p>Hello");
      return true;
    };
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    slow.refusal = (_seen, response) => {
      void held.then(() => response.writeHead(503).end());
      return true;
    };
    const stage = await stageOf(
      [
        named("good", good.url),
        named("slow", slow.url),
        named("dead", dead.url),
        named("broken", broken.url),
      ],
      { deadlineMilliseconds: () => 200 },
    );
    for (const provider of ["good", "slow", "dead", "broken"]) stage.store(sourceFor("ada", { provider }));
    // The good one may be slow too, on a machine that is busy.
    await stage.catalogs.prepare(ada);
    await until(() => stage.names(ada).length === 2);
    expect(stage.names(ada)).toEqual(["good_go", "good_only_ada"]);
    // Nobody waits for the slow one twice.
    expect(stage.catalogs.prepare(ada)).toBeUndefined();
    const states = () =>
      stage.catalogs.index(ada).catalog.providers.map(({ name, state }) => `${name} ${state}`);
    await until(() => states().join() === "good ready,slow starting,dead unavailable,broken unavailable");
    slow.refusal = undefined;
    release();
    await until(() => stage.names(ada).length === 4);
    expect(stage.names(ada)).toEqual(["good_go", "good_only_ada", "slow_go", "slow_only_ada"]);
  });

  test("a store that fails takes no tools away, and is not taken for not being connected", async () => {
    const upstream = await startFor(["ada"]);
    let now = 0;
    const stage = await stageOf([scopedProvider(upstream.url)], { now: () => now });
    stage.store(sourceFor("ada"));
    const { references } = stage;
    const fail = async (): Promise<never> => {
      throw new Error("the store is away");
    };
    await stage.catalogs.prepare(ada);
    stage.references = fail;
    stage.epoch += 1;
    await stage.catalogs.prepare(ada);
    expect(stage.names(ada)).toHaveLength(2);
    await stage.catalogs.prepare(bob);
    expect(stage.catalogs.index(bob).catalog.providers).toMatchObject([
      { state: "unavailable", reason: expect.stringContaining("can't be found out") },
    ]);
    expect(stage.log).toEqual(["What is connected to peer/main can't be read."]);
    // It is asked again after a moment, and not at each request.
    expect(stage.catalogs.prepare(bob)).toBeUndefined();
    stage.references = references;
    now += 1_000;
    await stage.catalogs.prepare(bob);
    expect(stage.catalogs.index(bob)).toBe(stage.snapshot.index);
  });

  test("a store that can't even tell whether anything has changed takes nothing away", async () => {
    const upstream = await startFor(["ada"]);
    let isAway = false;
    const asked = { stored: 0 };
    const stage: Stage = await stageOf([scopedProvider(upstream.url)], {
      epoch: () => {
        if (isAway) throw new Error("the store is away");
        return stage.epoch;
      },
      isStored: async () => {
        asked.stored += 1;
        throw new Error("the store is away");
      },
    });
    stage.store(sourceFor("ada"));
    await stage.catalogs.prepare(ada);
    isAway = true;
    expect(stage.catalogs.prepare(ada)).toBeUndefined();
    expect(stage.names(ada)).toHaveLength(2);
    // Whoever is new gets what needs no store.
    await stage.catalogs.prepare(bob);
    expect(stage.names(bob)).toEqual([]);
    isAway = false;
    stage.epoch += 1;
    await until(() => asked.stored > 1);
    expect(stage.names(ada)).toHaveLength(2);
  });

  test("a store that never answers holds nobody up beyond the deadline", async () => {
    const upstream = await startFor(["ada"]);
    const stage = await stageOf([scopedProvider(upstream.url)], { deadlineMilliseconds: () => 20 });
    stage.references = () => new Promise(() => {});
    await stage.catalogs.prepare(ada);
    expect(stage.catalogs.prepare(ada)).toBeUndefined();
    expect(stage.names(ada)).toEqual([]);
  });
});

describe("names that two providers share", () => {
  test("are withheld from those who have both, and from nobody else", async () => {
    const first = await startFor(["ada", "bob"]);
    const second = await startFor(["ada"]);
    const prefix = { mcp: { enabled: true, toolPrefix: "x_" } };
    const stage = await stageOf([named("first", first.url, prefix), named("second", second.url, prefix)]);
    second.tools.set("ada", ["GO", "second"]);
    stage.store(sourceFor("ada", { provider: "first" }));
    stage.store(sourceFor("ada", { provider: "second" }));
    stage.store(sourceFor("bob", { provider: "first" }));
    await Promise.all([ada, bob].map((principal) => stage.catalogs.prepare(principal)));
    expect(stage.names(ada)).toEqual(["x_only_ada", "x_second"]);
    expect(stage.names(bob)).toEqual(["x_go", "x_only_bob"]);
    expect(stage.log.filter((message) => message.includes("x_go"))).toHaveLength(1);
    stage.epoch += 1;
    await stage.catalogs.prepare(ada);
    expect(stage.log.filter((message) => message.includes("x_go"))).toHaveLength(1);
  });
});

test("those who wait hear of what an upstream changes for one of them, once", async () => {
  const upstream = await startFor(["ada"]);
  const stage = await stageOf([scopedProvider(upstream.url)]);
  stage.store(sourceFor("ada"));
  await stage.catalogs.prepare(ada);
  const seen: string[] = [];
  const stop = stage.catalogs.subscribe(() => {
    seen.push(stage.names(ada).join());
  });
  await new Promise((resolve) => setImmediate(resolve));
  seen.length = 0;
  upstream.tools.set("ada", ["later"]);
  upstream.announce("ada");
  await until(() => seen.length > 0);
  expect(seen).toEqual(["peer_later"]);
  stop();
  upstream.tools.set("ada", ["even_later"]);
  upstream.announce("ada");
  await until(() => stage.names(ada).join() === "peer_even_later");
  expect(seen).toEqual(["peer_later"]);
});

test("what changes while a principal is prepared is not missed", async () => {
  const upstream = await startFor(["ada"]);
  const stage = await stageOf([scopedProvider(upstream.url)]);
  const { references } = stage;
  const asked = Promise.withResolvers<void>();
  stage.references = async (...of) => {
    const found = await references(...of);
    await asked.promise;
    return found;
  };
  const first = stage.catalogs.prepare(ada);
  stage.store(sourceFor("ada"));
  stage.catalogs.changed(referenceOf("ada"));
  const second = stage.catalogs.prepare(ada);
  asked.resolve();
  await first;
  expect(stage.names(ada)).toEqual(["peer_go", "peer_only_ada"]);
  await second;
  expect(stage.catalogs.prepare(ada)).toBeUndefined();
});

test("what a reload replaces is opened anew", async () => {
  const upstream = await startFor(["ada"]);
  const stage = await stageOf([scopedProvider(upstream.url)]);
  const source = sourceFor("ada");
  stage.store(source);
  await stage.catalogs.prepare(ada);
  const credentials = new TestCredentials();
  credentials.add(source);
  const { session } = makeScopedSession(scopedProvider(upstream.url), credentials);
  await session.start();
  const [before] = stage.sessions.splice(0, 1, session);
  await before?.close(0);
  expect(stage.names(ada)).toEqual([]);
  await stage.catalogs.prepare(ada);
  expect(stage.names(ada)).toHaveLength(2);
});

test("what nobody used for a while is shown at once and opened again behind it", async () => {
  const upstream = await startFor(["ada"]);
  const stage = await stageOf([scopedProvider(upstream.url)], {
    session: { scoped: { idleMilliseconds: 40 } },
  });
  stage.store(sourceFor("ada"));
  await stage.catalogs.prepare(ada);
  await until(() => upstream.seen.some(({ verb }) => verb === "DELETE"));
  upstream.tools.set("ada", ["later"]);
  expect(stage.names(ada)).toHaveLength(2);
  expect(stage.catalogs.prepare(ada)).toBeUndefined();
  await until(() => stage.names(ada).join() === "peer_later");
});

test("many callers at once: each gets its own", async () => {
  const users = Array.from({ length: 40 }, (_none, index) => `u${index}`);
  const upstream = await startFor(users, "modern");
  const stage = await stageOf([scopedProvider(upstream.url)], { deadlineMilliseconds: () => 60_000 });
  for (const user of users) stage.store(sourceFor(user));
  const principals = users.map((user) => principalOf("user", user));
  await Promise.all(
    principals.flatMap((principal) => [stage.catalogs.prepare(principal), stage.catalogs.prepare(principal)]),
  );
  expect(principals.map((principal) => stage.names(principal))).toEqual(
    users.map((user) => ["peer_go", `peer_only_${user}`]),
  );
  expect(upstream.count("tools/list")).toBe(users.length);
});
