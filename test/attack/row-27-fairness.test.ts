import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { gatewayMetaKeys } from "../../src/server/mcp/gateway-meta.ts";
import type { Answer } from "../server/mcp/wire.ts";
import { tokenCaller } from "./callers.ts";
import { callModern, openLegacy, type System, startSystem } from "./system.ts";
import { plainTool, sendJson, startMcpUpstream, startUpstream, type Upstream } from "./upstream.ts";

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});
function using<Resource extends AsyncDisposable>(resource: Resource): Resource {
  opened.push(resource);
  return resource;
}

const operation = { name: "go", method: "POST", path: "/go" };
const restOf = ({ url }: Upstream, own: object = {}): object => ({
  surfaces: { rest: { base_url: url, operations: [operation] } },
  ...own,
});

/** An upstream whose answers wait until they are released, and then come at once. */
async function startHolding() {
  const held: (() => void)[] = [];
  let isReleased = false;
  let most = 0;
  const upstream = using(
    await startUpstream((_seen, response) => {
      const answer = (): void => sendJson(response, { ok: true });
      if (isReleased) return answer();
      held.push(answer);
      most = Math.max(most, held.length);
    }),
  );
  return {
    upstream,
    held,
    most: () => most,
    release: () => {
      isReleased = true;
      for (const answer of held.splice(0)) answer();
    },
  };
}

async function start(...given: Parameters<typeof startSystem>): Promise<System> {
  return using(await startSystem(...given));
}

function go(system: System, provider: string, headers: Readonly<Record<string, string>> = {}) {
  return fetch(`${system.url}/api/v1/${provider}/go`, { method: "POST", headers });
}

async function waitUntil(condition: () => boolean): Promise<void> {
  const until = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > until) throw new Error("It did not come to that.");
    await sleep(5);
  }
}

/** What a refusal says over the HTTP API, and over MCP in either era. */
async function refusals(system: System, provider: string) {
  const response = await go(system, provider);
  const { error } = (await response.json()) as { error: JsonObject };
  const session = await openLegacy(system.url);
  const answers = [
    await session.request("tools/call", { name: `${provider}_go`, arguments: {} }),
    await callModern(system.url, `${provider}_go`, {}),
  ];
  return {
    api: {
      status: response.status,
      retryAfter: response.headers.get("retry-after"),
      code: response.headers.get("gateway-error"),
      error,
    },
    mcp: answers.map(readRefusal),
  };
}

function readRefusal({ status, message }: Answer) {
  const result = asObject(message["result"]) ?? {};
  const [content] = Array.isArray(result["content"]) ? result["content"] : [];
  return {
    status,
    isError: result["isError"],
    text: asObject(content)?.["text"],
    error: asObject(asObject(result["_meta"])?.[gatewayMetaKeys.error]),
  };
}

describe("a refusal says over every way in what to do and when", () => {
  test("too many calls at a time", async () => {
    const { upstream, held, release } = await startHolding();
    const system = await start(
      { books: restOf(upstream) },
      { settings: { limits: { calls: { per_tenant: 1, queue: 1 } } } },
    );
    const calls = [go(system, "books"), go(system, "books"), go(system, "books")];
    // One runs and one waits, so that it is the third.
    expect((await Promise.race(calls)).status).toBe(429);
    await waitUntil(() => held.length === 1);
    const { api, mcp } = await refusals(system, "books");
    const message =
      "This tenant has 1 calls under way, as many as it may (`limits.calls.per_tenant`), and 1 wait already (`limits.calls.queue`). Try again in 1 s, with fewer calls at a time.";
    expect(api).toEqual({
      status: 429,
      retryAfter: "1",
      code: "rate_limited",
      error: { code: "rate_limited", message, retry_after: 1 },
    });
    for (const refusal of mcp) {
      expect(refusal).toEqual({
        status: 200,
        isError: true,
        text: message,
        error: { code: "rate_limited", retry_after: 1, retryable: true },
      });
    }
    release();
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, 200, 429]);
  });

  test("no place in time", async () => {
    const { upstream, held, release } = await startHolding();
    const system = await start(
      { books: restOf(upstream) },
      { settings: { limits: { calls: { total: 1, queue_time: "50ms" } } } },
    );
    const first = go(system, "books");
    await waitUntil(() => held.length === 1);
    const { api, mcp } = await refusals(system, "books");
    expect(api).toMatchObject({ status: 503, retryAfter: "1", code: "overloaded" });
    for (const refusal of mcp) expect(refusal.error).toMatchObject({ code: "overloaded", retry_after: 1 });
    release();
    await first;
    expect(upstream.seen).toHaveLength(1);
  });

  test("too many calls in a time", async () => {
    const upstream = using(await startUpstream());
    const rates = [{ rate: "2/h", burst: 2, per: ["tool"] }];
    const system = await start({ books: restOf(upstream) }, { settings: { limits: { rates } } });
    expect([(await go(system, "books")).status, (await go(system, "books")).status]).toEqual([200, 200]);
    const { api, mcp } = await refusals(system, "books");
    expect(api).toMatchObject({ status: 429, code: "rate_limited" });
    expect(Number(api.retryAfter)).toBeGreaterThan(1_700);
    expect(api.error["message"]).toMatch(/^Too many calls: at most 2 an hour for each tool are let through/);
    for (const refusal of mcp) {
      expect(refusal.isError).toBe(true);
      expect(refusal.error).toMatchObject({ code: "rate_limited", retryable: true });
      expect(Number(refusal.error?.["retry_after"])).toBeGreaterThan(1_700);
    }
    expect(upstream.seen).toHaveLength(2);
  });

  test("an upstream that fails", async () => {
    const upstream = using(await startUpstream((_seen, response) => void response.writeHead(503).end()));
    const system = await start({ books: restOf(upstream) });
    for (let call = 0; call < 5; call += 1) expect((await go(system, "books")).status).toBe(503);
    const { api, mcp } = await refusals(system, "books");
    expect(api).toMatchObject({ status: 503, code: "provider_unavailable" });
    expect(Number(api.retryAfter)).toBeLessThanOrEqual(5);
    expect(api.error["message"]).toMatch(/`books` has failed several times in a row .*HTTP 503/);
    for (const refusal of mcp) expect(refusal.error).toMatchObject({ code: "provider_unavailable" });
    expect(upstream.seen).toHaveLength(5);
  });
});

test("each token has a count of its own, and a reload gives nobody a new one", async () => {
  const upstream = using(await startUpstream());
  const rates = [{ rate: "3/h", per: ["token"] }];
  const system = await start(
    { books: restOf(upstream) },
    { settings: { auth: { provider: "local" }, limits: { rates } } },
  );
  const administration = await system.administration();
  const [first, second] = [
    await tokenCaller(administration, { name: "first", scopes: undefined }),
    await tokenCaller(administration, { name: "second", scopes: undefined }),
  ];
  const through = async (headers: Readonly<Record<string, string>>): Promise<number> => {
    let count = 0;
    while (count < 10 && (await go(system, "books", headers)).status === 200) count += 1;
    return count;
  };
  expect(await through(first.headers)).toBe(3);
  const { config } = system.gateway;
  await system.gateway.reload({ ...config, limits: { ...config.limits, rates: [...config.limits.rates] } });
  expect(await through(first.headers)).toBe(0);
  expect(await through(second.headers)).toBe(3);
});

test("one of three providers never answers: the others have no failure, whoever keeps calling all three", async () => {
  const dead = await startHolding();
  const fine = [using(await startUpstream()), using(await startUpstream())] as const;
  const system = await start(
    { dead: restOf(dead.upstream), one: restOf(fine[0]), two: restOf(fine[1]) },
    { settings: { limits: { calls: { per_tenant: 6, queue: 6 }, providers: { concurrency: 5 } } } },
  );
  const failures: string[] = [];
  const statuses = new Map<number, number>();
  const running: Promise<void>[] = [];
  const begin = async (provider: string): Promise<void> => {
    const response = await go(system, provider);
    const text = await response.text();
    if (provider === "dead") statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    else if (response.status !== 200) failures.push(`${provider}: ${response.status} ${text}`);
  };
  for (let round = 0; round < 150; round += 1) {
    // Nobody waits for the dead one before the next call.
    running.push(begin("dead"));
    await Promise.all([begin("one"), begin("two"), begin("one")]);
  }
  expect(failures).toEqual([]);
  // Three quarters of five, rounded up.
  expect(dead.most()).toBe(4);
  expect(statuses.get(429)).toBeGreaterThan(100);
  dead.release();
  await Promise.all(running);
  expect([...statuses.keys()].toSorted()).toEqual([200, 429]);
});

test("a tenant that calls without an end leaves places to the others, in turn", async () => {
  const order: string[] = [];
  const held: (() => void)[] = [];
  const upstream = using(
    await startUpstream(({ body }, response) => {
      order.push(String((JSON.parse(body) as JsonObject)["tenant"]));
      held.push(() => sendJson(response, { ok: true }));
    }),
  );
  const tenants = ["noisy", "quiet"];
  const system = await start(
    {
      books: {
        surfaces: {
          rest: {
            base_url: upstream.url,
            operations: [{ ...operation, parameters: [{ name: "tenant", in: "body" }] }],
          },
        },
      },
    },
    {
      settings: {
        auth: { provider: "local" },
        tenants: Object.fromEntries(tenants.map((tenant) => [tenant, {}])),
        limits: { calls: { total: 2 } },
      },
    },
  );
  const callers = await Promise.all(
    tenants.map(async (tenant) => {
      const { headers } = await tokenCaller(await system.administration(tenant), {
        name: tenant,
        scopes: undefined,
      });
      return () =>
        fetch(`${system.url}/api/v1/books/go`, {
          method: "POST",
          headers: { ...headers, "content-type": "application/json" },
          body: JSON.stringify({ tenant }),
        });
    }),
  );
  const [noisy, quiet] = callers;
  if (noisy === undefined || quiet === undefined) throw new Error("There are two.");
  const calls = Array.from({ length: 40 }, noisy);
  await waitUntil(() => order.length === 2);
  const others = Array.from({ length: 5 }, quiet);
  // So that they wait as well.
  await sleep(500);
  for (let ended = 0; ended < 45; ended += 1) {
    await waitUntil(() => held.length > 0);
    held.shift()?.();
  }
  for (const response of await Promise.all([...calls, ...others])) expect(response.status).toBe(200);
  // Every other place that became free, where in order of arrival they would have been the last.
  expect(order.slice(2, 22).filter((tenant) => tenant === "quiet")).toHaveLength(5);
});

describe("the breaker of an upstream that is well again", () => {
  test("lets all calls through once one of them was answered, within twice its pause", async () => {
    let isWell = false;
    const upstream = using(
      await startUpstream((_seen, response) =>
        isWell ? sendJson(response, { ok: true }) : response.destroy(),
      ),
    );
    const system = await start({
      books: restOf(upstream, { limits: { breaker: { failures: 3, pause: "2s" } } }),
    });
    for (let call = 0; call < 3; call += 1) expect((await go(system, "books")).status).toBe(502);
    expect((await go(system, "books")).status).toBe(503);
    const before = upstream.seen.length;
    isWell = true;
    let refused = 0;
    await waitUntilAnswered(async () => {
      const { status } = await go(system, "books");
      if (status !== 200) refused += 1;
      return status === 200;
    });
    expect(refused).toBeGreaterThan(0);
    // The first that went out was the one that was answered.
    expect(upstream.seen.length).toBe(before + 1);
    const after = await Promise.all(Array.from({ length: 10 }, () => go(system, "books")));
    expect(after.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  });

  test("of one tenant is nothing to another", async () => {
    let isWell = false;
    const upstream = using(
      await startUpstream((_seen, response) =>
        isWell ? sendJson(response, { ok: true }) : void response.writeHead(503).end(),
      ),
    );
    const system = await start(
      { books: restOf(upstream) },
      { settings: { auth: { provider: "local" }, tenants: { one: {}, two: {} } } },
    );
    const headersOf = async (tenant: string): Promise<Readonly<Record<string, string>>> =>
      (await tokenCaller(await system.administration(tenant), { name: tenant, scopes: undefined })).headers;
    const [one, two] = [await headersOf("one"), await headersOf("two")];
    for (let call = 0; call < 5; call += 1) await go(system, "books", one);
    isWell = true;
    expect((await go(system, "books", one)).status).toBe(503);
    expect((await go(system, "books", two)).status).toBe(200);
  });

  async function waitUntilAnswered(attempt: () => Promise<boolean>): Promise<void> {
    const until = Date.now() + 60_000;
    while (!(await attempt())) {
      if (Date.now() > until) throw new Error("It was never let through again.");
      await sleep(20);
    }
  }
});

test("an upstream in trouble is asked little more often than its callers ask, over all surfaces of a provider", async () => {
  const upstream = using(await startUpstream((_seen, response) => void response.writeHead(503).end()));
  const system = await start(
    {
      books: {
        surfaces: {
          rest: { base_url: upstream.url, operations: [{ name: "go", method: "GET", path: "/go" }] },
          graphql: { url: upstream.url, schema: "./schema.graphql" },
        },
        retries: { attempts: 3, budget: 50 },
        limits: { breaker: { failures: 0 } },
      },
    },
    { files: { "schema.graphql": "type Query { ask: String }" } },
  );
  const ask = async (operation: string): Promise<number> =>
    (await fetch(`${system.url}/api/v1/books/${operation}`)).status;
  const calls = Array.from({ length: 40 }, (_none, count) => ask(count % 2 === 0 ? "go" : "ask"));
  expect(new Set(await Promise.all(calls))).toEqual(new Set([503]));
  // Half of forty, where two surfaces with a budget each would have had as many, and no budget a hundred and twenty.
  expect(upstream.seen.length).toBeGreaterThan(40);
  expect(upstream.seen.length).toBeLessThanOrEqual(60);
});

test("calls of MCP servers are counted like others", async () => {
  const upstream = using(await startMcpUpstream([plainTool("go")]));
  const rates = [{ rate: "1/h", per: ["provider"] }];
  const system = await start(
    { desk: { mcp_url: `${upstream.url}/mcp` } },
    { settings: { limits: { rates } } },
  );
  const session = await openLegacy(system.url);
  const call = () => session.request("tools/call", { name: "desk_go", arguments: {} });
  expect(readRefusal(await call()).isError).not.toBe(true);
  expect(readRefusal(await call()).error).toMatchObject({ code: "rate_limited" });
});
