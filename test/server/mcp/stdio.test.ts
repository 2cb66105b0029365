import { once } from "node:events";
import { createInterface } from "node:readline";
import { PassThrough, type Readable, Writable } from "node:stream";
import { Client as ModernClient } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { StdioServerTransport as ModernPipes } from "@modelcontextprotocol/server/stdio";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import { asObject } from "../../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import { defaultLimits } from "../../../src/server/mcp/limits.ts";
import type { StdioConnection } from "../../../src/server/mcp/stdio-endpoint.ts";
import { principalOf } from "../../principals.ts";
import { cancellation, jsonAnswer, startEndpoint, type TestEndpoint, type TestTool } from "./harness.ts";
import { modernRequest } from "./wire.ts";

let endpoint: TestEndpoint;
let connection: StdioConnection;
let input: PassThrough;
let output: PassThrough;
let messages: AsyncIterator<string>;
let user: string;
let started: PromiseWithResolvers<void>;
let release: PromiseWithResolvers<void>;
let cancelled: number;

const echo: TestTool = { run: ({ arguments: given }) => jsonAnswer(given) };
const tools: Record<string, TestTool> = {
  echo,
  who: { run: ({ principal }) => jsonAnswer(principal.id) },
  wait: {
    run: async ({ signal }) => {
      started.resolve();
      const outcome = await Promise.race([release.promise, cancellation(signal).then(() => "cancelled")]);
      if (outcome === "cancelled") cancelled += 1;
      return jsonAnswer("waited");
    },
  },
  progress: {
    run: ({ peer }) => {
      for (const progress of [1, 2, 3]) peer.notify("notifications/progress", { progress });
      return jsonAnswer("done");
    },
  },
  ask: {
    run: async ({ peer }) => {
      const requestedSchema = { type: "object", properties: { name: { type: "string" } } };
      return jsonAnswer(await peer.ask("elicitation/create", { message: "Name?", requestedSchema }));
    },
  },
  large: { run: () => jsonAnswer("x".repeat(300_000)) },
};

beforeEach(async () => {
  user = "ada";
  cancelled = 0;
  started = Promise.withResolvers();
  release = Promise.withResolvers();
  endpoint = await startEndpoint(tools, {
    limits: {
      changeMilliseconds: 1,
      recheckMilliseconds: 20,
      messages: { ...defaultLimits.messages, bodyBytes: 10_000 },
      callsPerSession: 5,
    },
  });
  input = new PassThrough();
  output = new PassThrough();
  connection = connect(input, output);
});
afterEach(async () => {
  release.resolve();
  connection.close();
  await endpoint.close();
  expect(endpoint.logged).toEqual([]);
});

function connect(from: Readable, to: Writable): StdioConnection {
  const principals = new Map(["ada", "bob"].map((name) => [name, principalOf("user", name)]));
  return endpoint.connectStdio({ input: from, output: to }, async () => {
    const principal = principals.get(user);
    if (principal === undefined) throw new GatewayError("unauthenticated", "Your token was revoked.");
    return principal;
  });
}

function send(...lines: readonly (JsonObject | string)[]): void {
  const texts = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  input.write(texts.map((text) => `${text}\n`).join(""));
}

function request(method: string, params: JsonObject = {}, id: JsonValue = 1): JsonObject {
  return { jsonrpc: "2.0", id, method, params };
}

async function next(): Promise<JsonObject> {
  messages ??= createInterface({ input: output })[Symbol.asyncIterator]();
  const { value, done } = await messages.next();
  return done === true ? { ended: true } : (asObject(JSON.parse(value) as JsonValue) ?? {});
}

const initialize = request(
  "initialize",
  {
    protocolVersion: "2025-11-25",
    capabilities: { elicitation: {} },
    clientInfo: { name: "x", version: "1" },
  },
  0,
);
const initialized = { jsonrpc: "2.0", method: "notifications/initialized" };

async function open(): Promise<void> {
  messages = createInterface({ input: output })[Symbol.asyncIterator]();
  send(initialize, initialized);
  expect(await next()).toMatchObject({ id: 0, result: { protocolVersion: "2025-11-25" } });
}

function read(): void {
  messages = createInterface({ input: output })[Symbol.asyncIterator]();
}

describe("a client with a session", () => {
  test("calls, with progress and questions, under ids of its own", async () => {
    await open();
    send(request("tools/call", { name: "progress", _meta: { progressToken: "p" } }, "a"));
    for (const progress of [1, 2, 3])
      expect(await next()).toMatchObject({ params: { progress, progressToken: "p" } });
    expect(await next()).toMatchObject({ id: "a", result: { structuredContent: { result: "done" } } });
    send(request("tools/call", { name: "ask" }, 2));
    const question = await next();
    expect(question).toMatchObject({ method: "elicitation/create", params: { message: "Name?" } });
    send({ jsonrpc: "2.0", id: question["id"] ?? "", result: { action: "decline" } });
    expect(await next()).toMatchObject({ id: 2, result: { structuredContent: { action: "decline" } } });
  });

  test("has to begin one", async () => {
    read();
    send(request("tools/list"), initialized, { jsonrpc: "2.0", id: 9, result: {} });
    expect(await next()).toMatchObject({
      id: 1,
      error: { message: expect.stringContaining("initialize") },
    });
    // The one request that may come before it.
    send(request("ping", {}, 2));
    expect(await next()).toEqual({ jsonrpc: "2.0", id: 2, result: {} });
  });

  test("may begin anew, which ends what ran", async () => {
    await open();
    send(request("tools/call", { name: "wait" }, "w"));
    await started.promise;
    send({ ...initialize, id: "again" }, initialized, request("ping", {}, 2));
    expect(await next()).toMatchObject({ id: "again", result: {} });
    expect(await next()).toEqual({ jsonrpc: "2.0", id: 2, result: {} });
    expect(cancelled).toBe(1);
  });

  test("cancels", async () => {
    await open();
    send(request("tools/call", { name: "wait" }, "w"));
    await started.promise;
    send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "w" } });
    send(request("ping", {}, 2));
    expect(await next()).toEqual({ jsonrpc: "2.0", id: 2, result: {} });
    expect(cancelled).toBe(1);
  });

  test("hears of changed lists", async () => {
    await open();
    send(request("ping", {}, 2));
    await next();
    endpoint.offer({ echo });
    expect(await next()).toEqual({ jsonrpc: "2.0", method: "notifications/tools/list_changed", params: {} });
  });
});

describe("a client without", () => {
  const modern = (method: string, params: JsonObject = {}, id: string | number = 1): JsonObject =>
    modernRequest(method, params, id).message;

  test("needs no headers", async () => {
    read();
    send(modern("server/discover"));
    expect(await next()).toMatchObject({ id: 1, result: { supportedVersions: ["2026-07-28"] } });
    send(modern("tools/call", { name: "echo", arguments: { a: 1 } }, 2));
    expect(await next()).toMatchObject({ id: 2, result: { structuredContent: { a: 1 } } });
    send(modern("no/such", {}, 3));
    expect(await next()).toMatchObject({ id: 3, error: { code: -32601 } });
  });

  test("cancels by a notification", async () => {
    read();
    send(modern("tools/call", { name: "wait" }, "w"));
    await started.promise;
    send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "w" } });
    send(modern("tools/call", { name: "echo" }, 2));
    expect(await next()).toMatchObject({ id: 2 });
    expect(cancelled).toBe(1);
  });

  test("listens, until it cancels that", async () => {
    read();
    send(modern("subscriptions/listen", { notifications: { toolsListChanged: true } }, "l"));
    const subscriptionId = { _meta: { "io.modelcontextprotocol/subscriptionId": "l" } };
    expect(await next()).toMatchObject({
      method: "notifications/subscriptions/acknowledged",
      params: subscriptionId,
    });
    endpoint.offer({ echo });
    expect(await next()).toMatchObject({
      method: "notifications/tools/list_changed",
      params: subscriptionId,
    });
    send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "l" } });
    send(modern("tools/call", { name: "echo" }, 2));
    expect(await next()).toMatchObject({ id: 2 });
    endpoint.offer({});
    send(modern("tools/list", {}, 3));
    expect(await next()).toMatchObject({ id: 3 });
  });

  test("goes beside one with a session", async () => {
    await open();
    send(modern("tools/call", { name: "wait" }, 1), request("ping", {}, 2));
    expect(await next()).toMatchObject({ id: 2, result: {} });
    release.resolve();
    expect(await next()).toMatchObject({ id: 1, result: { resultType: "complete" } });
  });
});

describe("what is no message is refused", () => {
  test.each([
    { line: "nonsense", id: null, code: -32700 },
    { line: '{"jsonrpc":"2.0"', id: null, code: -32700 },
    { line: "[]", id: null, code: -32600 },
    { line: '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', id: null, code: -32600 },
    { line: '{"id":5,"method":"ping"}', id: 5, code: -32600 },
    { line: `{"jsonrpc":"2.0","id":6,"method":"${"x".repeat(20_000)}"}`, id: 6, code: -32600 },
    { line: "[".repeat(500), id: null, code: -32600 },
  ])("$code: $id", async ({ line, id, code }) => {
    await open();
    send("", " \r", line, request("ping", {}, "after"));
    expect(await next()).toMatchObject({ jsonrpc: "2.0", id, error: { code } });
    expect(await next()).toMatchObject({ id: "after", result: {} });
  });

  test("and an id that is in use, and too many at a time", async () => {
    await open();
    for (const id of [1, 2, 3, 4, 5]) send(request("tools/call", { name: "wait" }, id));
    await started.promise;
    send(request("ping", {}, 1), request("ping", {}, 6));
    expect(await next()).toMatchObject({ id: 1, error: { code: -32600 } });
    expect(await next()).toMatchObject({ id: 6, error: { code: -32600 } });
    release.resolve();
    for (const id of [1, 2, 3, 4, 5]) expect(await next()).toMatchObject({ id, result: {} });
    send(request("ping", {}, 1));
    expect(await next()).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
  });
});

describe("who is there", () => {
  test("is asked at every message", async () => {
    await open();
    send(request("tools/call", { name: "who" }));
    expect(await next()).toMatchObject({ result: { structuredContent: { result: "ada" } } });
    user = "nobody";
    send(request("tools/call", { name: "who" }, 2), initialized);
    expect(await next()).toMatchObject({
      id: 2,
      error: { code: -32000, message: "Your token was revoked.", data: { code: "unauthenticated" } },
    });
    user = "ada";
    send(request("tools/call", { name: "who" }, 3));
    expect(await next()).toMatchObject({ id: 3, result: {} });
  });

  test("and a session is its principal's own", async () => {
    await open();
    user = "bob";
    send(request("ping", {}, 2));
    expect(await next()).toMatchObject({ id: 2, error: { code: -32001 } });
  });
});

describe("the end", () => {
  test("of the input leaves calls their answers", async () => {
    await open();
    send(request("tools/call", { name: "wait" }, "w"));
    await started.promise;
    input.end(JSON.stringify(request("ping", {}, "last")));
    await connection.ended;
    expect(await next()).toMatchObject({ id: "last" });
    let isDrained = false;
    const drained = connection.drain().then(() => {
      isDrained = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(isDrained).toBe(false);
    release.resolve();
    expect(await next()).toMatchObject({ id: "w", result: {} });
    await drained;
  });

  test("of the gateway refuses what comes, and cancels what stays", async () => {
    await open();
    send(request("tools/call", { name: "wait" }, "w"));
    await started.promise;
    const drained = connection.drain();
    send(request("ping", {}, 2));
    expect(await next()).toMatchObject({ id: 2, error: { code: -32000 } });
    connection.close();
    await drained;
    await connection.ended;
    expect(cancelled).toBe(1);
  });

  test("of the output cancels what runs", async () => {
    await open();
    send(request("tools/call", { name: "wait" }, "w"));
    await started.promise;
    output.destroy();
    await connection.ended;
    await expect.poll(() => cancelled).toBe(1);
  });
});

test("a client that does not read is not read from either", async () => {
  const from = new PassThrough();
  let isOpen = false;
  let waiting = (): void => {};
  const written: string[] = [];
  const to = new Writable({
    highWaterMark: 1_000,
    write: (chunk, _encoding, done) => {
      written.push(String(chunk));
      if (isOpen) done();
      else waiting = () => done();
    },
  });
  const slow = connect(from, to);
  from.write(`${JSON.stringify(initialize)}\n`);
  for (let id = 1; id <= 50; id += 1)
    from.write(`${JSON.stringify(request("tools/call", { name: "large" }, id))}\n`);
  await expect.poll(() => written.length).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  // Of 50 answers of 300 KB each, no more than a few are waiting.
  expect(to.writableLength).toBeLessThan(3_000_000);
  isOpen = true;
  waiting();
  await expect.poll(() => written.length, { timeout: 30_000 }).toBe(51);
  slow.close();
}, 60_000);

describe("official clients", () => {
  test("SDK 1", async () => {
    const client = new Client({ name: "first", version: "1" }, { capabilities: { elicitation: {} } });
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept", content: { name: "Ada" } }));
    const changed = Promise.withResolvers<void>();
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => changed.resolve());
    await client.connect(new StdioServerTransport(output, input));
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("echo");
    const heard: number[] = [];
    const onprogress = ({ progress }: { progress: number }) => void heard.push(progress);
    await client.callTool({ name: "progress" }, undefined, { onprogress });
    expect(heard).toEqual([1, 2, 3]);
    expect(await client.callTool({ name: "ask" })).toMatchObject({
      structuredContent: { content: { name: "Ada" } },
    });
    endpoint.offer({ echo });
    await changed.promise;
    await client.close();
  });

  test.each(["legacy", "auto"] as const)("SDK 2, %s", async (mode) => {
    const changed = Promise.withResolvers<void>();
    const client = new ModernClient(
      { name: "second", version: "1" },
      {
        capabilities: { elicitation: {} },
        versionNegotiation: { mode },
        listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => changed.resolve() } },
      },
    );
    client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { name: "Ada" } }));
    await client.connect(new ModernPipes(output, input));
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("echo");
    const heard: number[] = [];
    const onprogress = ({ progress }: { progress: number }) => void heard.push(progress);
    await client.callTool({ name: "progress" }, { onprogress });
    expect(heard).toEqual([1, 2, 3]);
    expect(await client.callTool({ name: "ask" })).toMatchObject({
      structuredContent: { content: { name: "Ada" } },
    });
    endpoint.offer({ echo });
    await changed.promise;
    await client.close();
  });
});

test("nothing is left over once a client is gone", async () => {
  await open();
  input.end();
  await once(input, "end");
  await connection.ended;
  await connection.drain();
});
