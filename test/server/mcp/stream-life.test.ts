import { setTimeout as sleep } from "node:timers/promises";
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterEach, describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/model/json.ts";
import { jsonAnswer, startEndpoint, type TestEndpoint, type TestTool } from "./harness.ts";
import { openSession } from "./wire.ts";

const echo: TestTool = { run: () => jsonAnswer({}) };
const patience = { timeout: 30_000, interval: 20 };
let endpoint: TestEndpoint;
/** Streams that clients have opened. */
let opened: number;
afterEach(() => endpoint.close());

/** An endpoint whose streams last for a moment. */
async function start(streamLifeMilliseconds: number): Promise<void> {
  endpoint = await startEndpoint(
    { echo },
    {
      limits: {
        changeMilliseconds: 1,
        recheckMilliseconds: 10,
        retryMilliseconds: 20,
        streamLifeMilliseconds,
      },
    },
  );
}

/** Counts the requests that open streams. */
const counting: typeof fetch = (input, init) => {
  const body = typeof init?.body === "string" ? init.body : "";
  if (init?.method === "GET" || body.includes('"subscriptions/listen"')) opened += 1;
  return fetch(input, init);
};

async function connectFirst(changed: () => void): Promise<{ close(): Promise<void> }> {
  const client = new Client({ name: "first", version: "1" });
  client.setNotificationHandler(ToolListChangedNotificationSchema, changed);
  const transport = new StreamableHTTPClientTransport(new URL(endpoint.url), { fetch: counting });
  // The SDK's own types are not written for exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return client;
}

async function connectSecond(
  mode: "legacy" | "auto",
  changed: () => void,
): Promise<{ close(): Promise<void> }> {
  const client = new ModernClient(
    { name: "second", version: "1" },
    {
      versionNegotiation: { mode },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: changed } },
    },
  );
  await client.connect(new ModernTransport(new URL(endpoint.url), { fetch: counting }));
  return client;
}

/** Changes the catalog again and again, whether there is a stream at that moment or not. */
async function hearAll(heard: () => number): Promise<void> {
  for (let change = 1; change <= 10; change += 1) {
    const before = heard();
    endpoint.offer({ echo, [`tool${change}`]: echo });
    await expect.poll(heard, patience).toBeGreaterThan(before);
  }
  expect(endpoint.logged).toEqual([]);
}

test.each([
  ["SDK 1", connectFirst],
  ["SDK 2", (changed: () => void) => connectSecond("legacy", changed)],
])(
  "the GET stream of %s ends after its time, is opened again, and no change is missed",
  async (_name, connect) => {
    opened = 0;
    let heard = 0;
    await start(200);
    const client = await connect(() => {
      heard += 1;
    });
    await expect.poll(() => opened, patience).toBeGreaterThan(3);
    await hearAll(() => heard);
    await client.close();
  },
);

test("the stream of `subscriptions/listen` stays: official clients open no other", async () => {
  opened = 0;
  let heard = 0;
  await start(50);
  const client = await connectSecond("auto", () => {
    heard += 1;
  });
  await sleep(500);
  await hearAll(() => heard);
  expect(opened).toBe(1);
  await client.close();
});

describe.each(["2025-03-26", "2025-06-18", "2025-11-25"])("between two GET streams of %s", (version) => {
  const updated = { kind: "mcp", isError: false, result: {} } as const;

  test.each([true, false])(
    "what an upstream tells is kept for the next one, by Last-Event-ID: %s",
    async (usesId) => {
      let tell = (_params: JsonObject): void => {};
      endpoint = await startEndpoint(
        { echo },
        {
          limits: { recheckMilliseconds: 5, retryMilliseconds: 20, streamLifeMilliseconds: 1 },
          servers: [
            {
              provider: "files",
              resources: { "file:///a": {} },
              answer: () => updated,
              subscribe: async (_invocation, _tool, _credential, hear) => {
                tell = hear;
                return { end: () => {} };
              },
            },
          ],
        },
      );
      const session = await openSession(endpoint.url, version);
      await session.request("resources/subscribe", { uri: "file:///a" });
      const headers = { ...session.headers, accept: "text/event-stream" };
      const first = await fetch(endpoint.url, { headers });
      const text = await first.text();
      expect(text).toContain("retry: 20\n");
      tell({ uri: "file:///a" });
      await expect
        .poll(async () => {
          const lastId = /^id: (\S+)$/m.exec(text)?.[1];
          const again = usesId && lastId !== undefined ? { "last-event-id": lastId } : {};
          return (await fetch(endpoint.url, { headers: { ...headers, ...again } })).text();
        }, patience)
        .toContain("notifications/resources/updated");
    },
  );
});
