import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ErrorCode, GatewayError } from "../../../src/errors.ts";
import { asObject } from "../../../src/json-object.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { cancellation, jsonAnswer, startEndpoint, type TestEndpoint, type TestTool } from "./harness.ts";
import { baseHeaders, modern, modernRequest, streamMessages } from "./wire.ts";

let started: PromiseWithResolvers<void>;
let gone: PromiseWithResolvers<void>;
let endpoint: TestEndpoint;

const tools: Record<string, TestTool> = {
  declared: { run: ({ peer }) => jsonAnswer(peer.capabilities) },
  echo: { run: ({ arguments: given }) => jsonAnswer(given) },
  wait: {
    run: async ({ signal }) => {
      started.resolve();
      await cancellation(signal);
      gone.resolve();
      throw new GatewayError("cancelled", "The caller has left.");
    },
  },
  progress: {
    run: ({ peer }) => {
      peer.notify("notifications/progress", { progress: 1 });
      return jsonAnswer("done");
    },
  },
  ask: { run: async ({ peer }) => jsonAnswer(await peer.ask("elicitation/create", {})) },
  fail: {
    run: ({ arguments: given }) => {
      throw new GatewayError(given["code"] as ErrorCode, "It did not work. Do this.", {
        cause: new Error("inner"),
      });
    },
  },
  bug: {
    run: () => {
      throw new TypeError("a secret place in the code");
    },
  },
  flood: {
    run: async ({ peer }) => {
      for (let step = 0; step < 20_000; step += 1)
        peer.notify("notifications/progress", { progress: step, message: "x".repeat(1_000) });
      return jsonAnswer("done");
    },
  },
  strict: { inputSchema: { type: "object", required: ["a"] }, run: () => jsonAnswer({}) },
};

beforeEach(async () => {
  started = Promise.withResolvers();
  gone = Promise.withResolvers();
  endpoint = await startEndpoint(tools, { limits: { changeMilliseconds: 1, streams: 2 } });
});
afterEach(() => endpoint.close());

const serverInfo = {
  "io.modelcontextprotocol/serverInfo": {
    name: "gestalt-gateway",
    title: "Gestalt Gateway",
    version: "1.2.3",
  },
};

function listen(filter: JsonObject, id: string | number = "listen:0"): Promise<Response> {
  const { message, headers } = modernRequest("subscriptions/listen", { notifications: filter }, id);
  return fetch(endpoint.url, {
    method: "POST",
    headers: { ...baseHeaders, ...headers },
    body: JSON.stringify(message),
  });
}

test("server/discover", async () => {
  const answer = await modern(endpoint.url, "server/discover");
  expect(answer.message["result"]).toEqual({
    resultType: "complete",
    supportedVersions: ["2026-07-28"],
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      completions: {},
      logging: {},
    },
    instructions: expect.stringContaining("Test System"),
    ttlMs: 0,
    cacheScope: "private",
    _meta: serverInfo,
  });
});

describe("tools/call", () => {
  test("a result says that it is complete and whose it is", async () => {
    const answer = await modern(endpoint.url, "tools/call", { name: "echo", arguments: { a: [1] } }, "x");
    expect(answer.message).toEqual({
      jsonrpc: "2.0",
      id: "x",
      result: {
        resultType: "complete",
        content: [{ type: "text", text: '{"a":[1]}' }],
        structuredContent: { a: [1] },
        isError: false,
        _meta: { "io.gestalt/http": { status: 200, headers: {} }, ...serverInfo },
      },
    });
  });

  test("_instance picks the credential and does not reach the tool", async () => {
    const answer = await modern(endpoint.url, "tools/call", {
      name: "echo",
      arguments: { a: 1, _instance: "work" },
    });
    expect(answer.message["result"]).toMatchObject({ structuredContent: { a: 1 } });
    const wrong = await modern(endpoint.url, "tools/call", { name: "echo", arguments: { _instance: 1 } });
    expect(wrong.message["error"]).toMatchObject({ code: -32602 });
  });

  test.each<ErrorCode>([
    "invalid_arguments",
    "arguments_denied",
    "store_unavailable",
    "bad_request",
    "not_connected",
    "instance_selection_required",
    "reconnect_required",
    "upstream_failed",
    "timed_out",
    "provider_unavailable",
    "rate_limited",
    "too_large",
    "unsupported",
    "overloaded",
    "cancelled",
  ])("%s is a result for the model", async (code) => {
    const answer = await modern(endpoint.url, "tools/call", { name: "fail", arguments: { code } });
    expect(answer.status).toBe(200);
    expect(answer.message["result"]).toEqual({
      resultType: "complete",
      content: [{ type: "text", text: "It did not work. Do this." }],
      isError: true,
      _meta: { "io.gestalt/error": { code, retryable: false }, ...serverInfo },
    });
    expect(endpoint.logged).toEqual([]);
  });

  test("arguments are checked by the broker", async () => {
    const answer = await modern(endpoint.url, "tools/call", { name: "strict" });
    expect(answer.message["result"]).toMatchObject({ isError: true, content: [{ text: "Missing: a" }] });
  });

  test.each([
    { name: "bug", given: {}, cause: "a secret place" },
    { name: "fail", given: { code: "internal" }, cause: "inner" },
  ])(
    "a fault of the gateway ($name) is logged and told without its cause",
    async ({ name, given, cause }) => {
      const answer = await modern(endpoint.url, "tools/call", { name, arguments: given });
      expect(answer.status).toBe(200);
      expect(answer.message["error"]).toEqual({
        code: -32603,
        message: "The gateway failed to handle this request.",
      });
      expect(endpoint.logged).toEqual([expect.stringContaining(cause)]);
    },
  );

  test("closing the response is a cancel", async () => {
    const leaving = new AbortController();
    const { message, headers } = modernRequest("tools/call", { name: "wait" });
    const call = fetch(endpoint.url, {
      method: "POST",
      headers: { ...baseHeaders, ...headers },
      body: JSON.stringify(message),
      signal: leaving.signal,
    });
    await started.promise;
    leaving.abort();
    await expect(call).rejects.toThrow();
    await gone.promise;
    expect(endpoint.logged).toEqual([]);
  });

  test("progress goes ahead on the call's own stream", async () => {
    const answer = await modern(endpoint.url, "tools/call", {
      name: "progress",
      _meta: { progressToken: "t" },
    });
    expect(answer.messages).toMatchObject([
      { method: "notifications/progress", params: { progress: 1, progressToken: "t" } },
      { id: 1, result: { resultType: "complete" } },
    ]);
  });

  test("a client that does not read loses progress, and nothing grows without end", async () => {
    const answer = await modern(endpoint.url, "tools/call", { name: "flood", _meta: { progressToken: "t" } });
    expect(answer.messages.length).toBeLessThan(20_000);
    expect(answer.message).toMatchObject({ result: { structuredContent: "done" } });
  });

  test("a question of an upstream is refused for a client that can't be asked", async () => {
    const answer = await modern(endpoint.url, "tools/call", { name: "ask" });
    expect(answer.message["result"]).toMatchObject({
      isError: true,
      _meta: { "io.gestalt/error": { code: "unsupported" } },
    });
  });

  test("a client that leaves in the middle of its request is no fault", async () => {
    const { hostname, port } = new URL(endpoint.url);
    const socket = connect(Number(port), hostname);
    const head = `POST /mcp HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`;
    await new Promise<void>((resolve) => socket.write(head, () => resolve()));
    socket.destroy();
    await modern(endpoint.url, "server/discover");
    expect(endpoint.logged).toEqual([]);
  });
});

test("upstreams see what the client can be asked, and nothing else of its capabilities", async () => {
  const clientCapabilities = { elicitation: {}, sampling: {}, experimental: {}, tasks: {} };
  const _meta = { "io.modelcontextprotocol/clientCapabilities": clientCapabilities };
  const { message } = await modern(endpoint.url, "tools/call", { name: "declared", _meta });
  const { structuredContent } = asObject(message["result"]) ?? {};
  expect(structuredContent).toEqual({ elicitation: {}, sampling: {} });
});

test.each([
  "initialize",
  "ping",
  "logging/setLevel",
  "resources/subscribe",
  "resources/unsubscribe",
  "notifications/roots/list_changed",
  "vendor/unknown",
])("there is no %s in this version", async (method) => {
  const { status, message } = await modern(endpoint.url, method);
  expect(status).toBe(404);
  expect(message).toMatchObject({ id: 1, error: { code: -32601 } });
});

describe("subscriptions/listen", () => {
  test("that arrives while the gateway drains is acknowledged and ended", async () => {
    endpoint.drain();
    const messages: JsonObject[] = [];
    for await (const message of streamMessages(await listen({ toolsListChanged: true })))
      messages.push(message);
    expect(messages).toMatchObject([
      { method: "notifications/subscriptions/acknowledged" },
      { id: "listen:0", result: { resultType: "complete" } },
    ]);
  });

  test("acknowledges first, then tells of changes, and ends with a result", async () => {
    const response = await listen({
      toolsListChanged: true,
      promptsListChanged: false,
      resourceSubscriptions: ["a:b"],
    });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const messages = streamMessages(response);
    const _meta = { "io.modelcontextprotocol/subscriptionId": "listen:0" };
    expect((await messages.next()).value).toEqual({
      jsonrpc: "2.0",
      method: "notifications/subscriptions/acknowledged",
      params: { notifications: { toolsListChanged: true }, _meta },
    });
    endpoint.offer({});
    expect((await messages.next()).value).toEqual({
      jsonrpc: "2.0",
      method: "notifications/tools/list_changed",
      params: { _meta },
    });
    endpoint.drain();
    expect((await messages.next()).value).toEqual({
      jsonrpc: "2.0",
      id: "listen:0",
      result: { resultType: "complete", _meta: { ..._meta, ...serverInfo } },
    });
    expect((await messages.next()).done).toBe(true);
  });

  test("ends at once when nothing of it is offered; the id keeps its type", async () => {
    const received = [];
    for await (const message of streamMessages(await listen({ resourceSubscriptions: ["a:b"] }, 5)))
      received.push(message);
    const _meta = { "io.modelcontextprotocol/subscriptionId": 5 };
    expect(received).toMatchObject([
      { params: { notifications: {}, _meta } },
      { id: 5, result: { resultType: "complete", _meta } },
    ]);
  });

  test("there is room for so many, and again when one has left", async () => {
    const leaving = await listen({ toolsListChanged: true });
    await listen({ toolsListChanged: true });
    const refused = await listen({ toolsListChanged: true });
    expect(await refused.json()).toMatchObject({ id: "listen:0", error: { code: -32603 } });
    await leaving.body?.cancel();
    await expect
      .poll(async () => (await listen({ toolsListChanged: true })).headers.get("content-type"))
      .toBe("text/event-stream");
  });

  test("a change that clients can't see is none", async () => {
    const messages = streamMessages(await listen({ toolsListChanged: true }));
    await messages.next();
    const { echo } = tools as { echo: TestTool };
    endpoint.offer({ ...tools, echo: { ...echo, run: () => jsonAnswer("another") } });
    endpoint.offer({ echo });
    expect((await messages.next()).value).toMatchObject({ method: "notifications/tools/list_changed" });
    endpoint.drain();
    expect((await messages.next()).value).toMatchObject({ id: "listen:0" });
  });
});
