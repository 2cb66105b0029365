import { expect, onTestFinished, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { callModern, openLegacy, type System, startSystem } from "../attack/system.ts";
import { baseHeaders, modern, modernRequest, streamMessages } from "../server/mcp/wire.ts";
import { type Hanging, type SlowUpstream, startSlowUpstream } from "./slow-upstream.ts";

const upstreams = 20;
const toolsOfEach = 50;
/** The one that hangs. */
const slow = 7;
const unavailableKey = "io.gestalt/unavailable";

async function start(hanging: Hanging): Promise<{ system: System; servers: readonly SlowUpstream[] }> {
  const servers = await Promise.all(
    Array.from({ length: upstreams }, (_none, index) =>
      startSlowUpstream(toolsOfEach, `u${index}`, index === slow ? hanging : "nowhere"),
    ),
  );
  const providers = Object.fromEntries(
    servers.map(({ url }, index) => [`u${index}`, { surfaces: { mcp: { url } } }]),
  );
  const system = await startSystem(providers, { start: "follow" });
  onTestFinished(async () => {
    await system.close();
    for (const server of servers) await server[Symbol.asyncDispose]();
  });
  return { system, servers };
}

interface Listed {
  readonly names: readonly string[];
  /** State of each provider that is named as missing, on any page. */
  readonly missing: Readonly<Record<string, unknown>>;
}

type Ask = (params: JsonObject) => Promise<JsonObject>;

async function listAll(ask: Ask): Promise<Listed> {
  const names: string[] = [];
  const missing: Record<string, unknown> = {};
  let cursor: unknown;
  do {
    const page = await ask(typeof cursor === "string" ? { cursor } : {});
    for (const tool of Array.isArray(page["tools"]) ? page["tools"] : [])
      names.push(String(asObject(tool)?.["name"]));
    const unavailable = asObject(page["_meta"])?.[unavailableKey];
    for (const one of Array.isArray(unavailable) ? unavailable : []) {
      const { provider, state } = asObject(one) ?? {};
      missing[String(provider)] = state;
    }
    cursor = page["nextCursor"];
  } while (cursor !== undefined);
  return { names, missing };
}

/** Ways to list, by era. */
async function listers(system: System): Promise<readonly Ask[]> {
  const session = await openLegacy(system.url);
  return [
    async (params) => asObject((await session.request("tools/list", params)).message["result"]) ?? {},
    async (params) =>
      asObject((await modern(`${system.url}/mcp`, "tools/list", params)).message["result"]) ?? {},
  ];
}

/** Resolves once a client of either era is told that its tools have changed. */
async function followTools(system: System): Promise<readonly Promise<void>[]> {
  const { headers } = await openLegacy(system.url);
  const leaving = new AbortController();
  onTestFinished(() => leaving.abort());
  const get = await fetch(`${system.url}/mcp`, {
    headers: { ...baseHeaders, ...headers },
    signal: leaving.signal,
  });
  const listen = modernRequest("subscriptions/listen", { notifications: { toolsListChanged: true } });
  const listened = await fetch(`${system.url}/mcp`, {
    method: "POST",
    headers: { ...baseHeaders, ...listen.headers },
    body: JSON.stringify(listen.message),
    signal: leaving.signal,
  });
  const changed = async (stream: Response): Promise<void> => {
    for await (const { method } of streamMessages(stream)) {
      if (method === "notifications/tools/list_changed") return;
    }
    throw new Error("The stream ended before the list changed.");
  };
  return [changed(get), changed(listened)];
}

const expectedOf = (indexes: readonly number[]): readonly string[] =>
  indexes
    .flatMap((index) => Array.from({ length: toolsOfEach }, (_none, tool) => `u${index}_t${tool}`))
    .toSorted();
const everybody = Array.from({ length: upstreams }, (_none, index) => index);
const others = everybody.filter((index) => index !== slow);

test.each(["initialize", "tools/list", "drip"] as const)(
  "1,000 tools of 20 upstreams, one of which hangs (%s): complete but for that one, which is named, and complete once it has come",
  async (hanging) => {
    const { system, servers } = await start(hanging);
    const [legacy, modernly] = await listers(system);
    if (legacy === undefined || modernly === undefined) throw new Error("no way to list");
    const began = performance.now();
    const firsts = await Promise.all([listAll(legacy), listAll(modernly)]);
    const waited = performance.now() - began;
    for (const first of firsts) {
      expect(first.names.toSorted()).toEqual(expectedOf(others));
      expect(first.missing).toEqual({ [`u${slow}`]: "starting" });
    }
    // Nobody waits for it a second time.
    const again = performance.now();
    expect((await listAll(legacy)).names).toHaveLength(toolsOfEach * others.length);
    expect(performance.now() - again).toBeLessThan(waited);
    // Its upstream still has the first attempt: the list did not wait for the end of that.
    expect(servers[slow]?.asked()).toBe(hanging === "initialize" ? 0 : 1);

    const changes = await followTools(system);
    servers[slow]?.release();
    await Promise.all(changes);
    for (const ask of [legacy, modernly]) {
      const whole = await listAll(ask);
      expect(whole.names.toSorted()).toEqual(expectedOf(everybody));
      expect(whole.missing).toEqual({});
    }
  },
);

test("an upstream that dies keeps its tools, named as stale; calls to it fail at once, and others go on", async () => {
  const { system, servers } = await start("nowhere");
  const [legacy, modernly] = await listers(system);
  if (legacy === undefined || modernly === undefined) throw new Error("no way to list");
  expect((await listAll(legacy)).names).toHaveLength(upstreams * toolsOfEach);
  const session = await openLegacy(system.url);
  let id = 0;
  const call = (name: string): Promise<string> => {
    id += 1;
    return session.request("tools/call", { name, arguments: {} }, id).then(({ text }) => text);
  };
  expect(await call("u3_t1")).toContain('"u3"');

  await servers[3]?.die();
  // The first of them may find out; none hangs.
  await call("u3_t1");
  const refused = await Promise.all(Array.from({ length: 50 }, () => call("u3_t1")));
  for (const text of refused) expect(text).toMatch(/provider_unavailable|upstream_failed/);
  expect(
    await Promise.all(others.filter((index) => index !== 3).map((index) => call(`u${index}_t0`))),
  ).toSatisfy((texts: readonly string[]) => texts.every((text) => !text.includes('isError":true')));

  let listed = await listAll(legacy);
  while (listed.missing["u3"] !== "stale") {
    await new Promise((resolve) => setTimeout(resolve, 20));
    listed = await listAll(legacy);
  }
  expect(listed.names.toSorted()).toEqual(expectedOf(everybody));
  expect((await listAll(modernly)).missing).toEqual({ u3: "stale" });
  expect((await callModern(system.url, "u4_t0", {})).text).toContain('"u4"');
});
