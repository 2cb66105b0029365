import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { markedProcesses, openHandles } from "../e2e/marked-processes.ts";
import {
  type ClientOptions,
  type CrosstalkClient,
  connectLegacy,
  connectModern,
} from "./crosstalk-client.ts";
import { canaryOf } from "./crosstalk-ledger.ts";
import { type CrosstalkSystem, startCrosstalkSystem } from "./crosstalk-system.ts";

const principals = 20;

let stage: CrosstalkSystem;
let upstreams: CrosstalkSystem["upstreams"];
let system: CrosstalkSystem["system"];
let tokens: CrosstalkSystem["tokens"];

beforeAll(async () => {
  stage = await startCrosstalkSystem(principals);
  ({ upstreams, system, tokens } = stage);
});
afterAll(() => stage.close());

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Bytes in use once everything that nobody holds is gone. */
async function heapInUse(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    collect();
  }
  return process.memoryUsage().heapUsed;
}

const most = 10 * 1024 * 1024;

function optionsOf(index: number, askable: readonly string[] = []): ClientOptions {
  return {
    url: `${system.url}/mcp`,
    headers: tokens[index % principals] ?? {},
    askable,
    isOwn: () => true,
    complain: () => {},
  };
}

/** Does something so many times, a few at a time. */
async function times(count: number, act: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await act(next);
    }
  };
  await Promise.all(Array.from({ length: 20 }, lane));
}

const work = (client: CrosstalkClient, provider: string, index: number, ...steps: string[]) => {
  const canary = canaryOf(index % principals, "x", index, 1);
  return client.request("tools/call", { name: `${provider}_work`, arguments: { canary, steps } }, 1);
};

/** Sessions of upstreams over HTTP that are open, without the one of each surface that lists. */
async function openAtUpstreams(): Promise<number> {
  const { opened, deleted } = await upstreams.ledger();
  return opened - deleted - 2;
}

async function untilHolds(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** What a wave leaves behind when its clients go without a word. */
const waves: Readonly<
  Record<string, { readonly count: number; readonly act: (index: number) => Promise<unknown> }>
> = {
  "client sessions": { count: 3_000, act: (index) => connectLegacy(optionsOf(index)) },
  "client sessions that have called": {
    count: 600,
    act: async (index) => {
      const client = await connectLegacy(optionsOf(index));
      await work(client, index % 2 === 0 ? "legacy" : "sse", index);
    },
  },
  "GET streams": {
    count: 500,
    act: async (index) => {
      const client = await connectLegacy(optionsOf(index));
      await client.listen();
      await client.close("abandon");
    },
  },
  "listen streams": {
    count: 500,
    act: async (index) => {
      const client = connectModern(optionsOf(index));
      await client.listen();
      await client.close("abandon");
    },
  },
  subscriptions: {
    count: 500,
    act: async (index) => {
      const uri = `gw-legacy+mem://of/${canaryOf(index % principals, "x", index, 1)}`;
      const client =
        index % 2 === 0 ? await connectLegacy(optionsOf(index)) : connectModern(optionsOf(index));
      await client.listen([uri]);
      await client.close("abandon");
    },
  },
  "cancelled calls": {
    count: 1_000,
    act: async (index) => {
      const client =
        index % 2 === 0 ? await connectLegacy(optionsOf(index)) : connectModern(optionsOf(index));
      const canary = canaryOf(index % principals, "x", index, 1);
      const given = { name: "legacy_work", arguments: { canary, steps: ["wait", "wait"] } };
      await client.request("tools/call", given, 1, {
        how: index % 4 < 2 ? "cancel" : "drop",
        after: index % 20,
      });
    },
  },
  "parked calls": {
    count: 500,
    act: async (index) => {
      const client = connectModern({ ...optionsOf(index, ["elicitation"]), leavesQuestions: true });
      const canary = canaryOf(index % principals, "x", index, 1);
      const given = { name: "legacy_work", arguments: { canary, steps: ["elicit"] } };
      await client.request("tools/call", given, 1);
    },
  },
};

test.each(Object.keys(waves))(
  "%s that are left behind: a second wave takes no more memory and no more handles than the first",
  { timeout: 240_000 },
  async (name) => {
    const wave = waves[name];
    if (wave === undefined) throw new Error("no wave");
    await times(wave.count, wave.act);
    const heap = await heapInUse();
    const handles = openHandles(process.pid);
    await times(wave.count, wave.act);
    await untilHolds(async () => openHandles(process.pid) <= handles + 50);
    await untilHolds(async () => (await heapInUse()) <= heap + most);
    // And somebody who comes now is served.
    const client = await connectLegacy(optionsOf(1));
    for (const provider of ["legacy", "sse", "modern"]) {
      const { answer } = await work(client, provider, 1);
      expect(JSON.stringify(answer)).toContain("canary");
    }
    await client.close("delete");
    expect(await openAtUpstreams()).toBeLessThanOrEqual(2 * 200);
  },
);

test("upstream sessions end with the client sessions that they belong to", { timeout: 120_000 }, async () => {
  const before = await openAtUpstreams();
  const clients = await Promise.all(
    Array.from({ length: 100 }, (_none, index) => connectLegacy(optionsOf(index))),
  );
  await Promise.all(clients.map((client, index) => work(client, index % 2 === 0 ? "legacy" : "sse", index)));
  expect(await openAtUpstreams()).toBeGreaterThan(before);
  await Promise.all(clients.map((client) => client.close("delete")));
  await untilHolds(async () => (await openAtUpstreams()) <= before);
});

test.runIf(process.platform === "linux")(
  "local servers end with the client sessions that they belong to",
  { timeout: 120_000 },
  async () => {
    const before = markedProcesses(upstreams.mark).length;
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_none, index) => connectLegacy(optionsOf(index))),
    );
    await Promise.all(clients.map((client, index) => work(client, "stdio", index)));
    expect(markedProcesses(upstreams.mark).length).toBe(before + clients.length);
    await Promise.all(clients.map((client) => client.close("delete")));
    await untilHolds(async () => markedProcesses(upstreams.mark).length === before);
  },
);

test("when the gateway ends, no session and no local server is left", { timeout: 120_000 }, async () => {
  const clients = await Promise.all(
    Array.from({ length: 40 }, async (_none, index) =>
      index % 2 === 0 ? connectLegacy(optionsOf(index)) : connectModern(optionsOf(index)),
    ),
  );
  const providers = ["legacy", "modern", "sse", "stdio"];
  await Promise.all(clients.map((client, index) => work(client, providers[index % 4] ?? "", index)));
  await system.close();
  // The two that list have ended as well.
  await untilHolds(async () => (await openAtUpstreams()) === -2);
  await untilHolds(async () => markedProcesses(upstreams.mark).length === 0);
});
