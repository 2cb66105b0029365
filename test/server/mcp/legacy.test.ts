import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RpcError } from "../../../src/mcp/rpc-error.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { cancellation, jsonAnswer, startEndpoint, type TestEndpoint, type TestTool } from "./harness.ts";
import { baseHeaders, openSession, post, readAnswer, streamMessages } from "./wire.ts";

let cancelled: string[];
let unanswered: unknown[];
let started: PromiseWithResolvers<void>;
let release: PromiseWithResolvers<void>;
let endpoint: TestEndpoint;

const tools: Record<string, TestTool> = {
  echo: { run: ({ arguments: given }) => jsonAnswer(given) },
  wait: {
    run: async ({ signal, tool }) => {
      started.resolve();
      await Promise.race([release.promise, cancellation(signal).then(() => cancelled.push(tool))]);
      return jsonAnswer("waited");
    },
  },
  progress: {
    run: ({ peer }) => {
      peer.notify("notifications/progress", { progress: 1, progressToken: "the upstream's" });
      peer.notify("notifications/message", { level: "info", data: "x" });
      peer.notify("notifications/progress", { progress: 2 });
      return jsonAnswer("done");
    },
  },
  askAndLeave: {
    run: ({ peer }) => {
      void peer
        .ask("elicitation/create", { message: "Name?" })
        .catch((error: unknown) => unanswered.push(error));
      return jsonAnswer("left");
    },
  },
  declared: { run: ({ peer }) => jsonAnswer(peer.capabilities) },
  ask: {
    run: async ({ peer, arguments: given }) => {
      try {
        return jsonAnswer(
          await peer.ask(String(given["method"] ?? "elicitation/create"), { message: "Name?", ...given }),
        );
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        return jsonAnswer({ refused: error.code });
      }
    },
  },
};

beforeEach(async () => {
  cancelled = [];
  unanswered = [];
  started = Promise.withResolvers();
  release = Promise.withResolvers();
  endpoint = await startEndpoint(tools, { limits: { changeMilliseconds: 1, keepAliveMilliseconds: 20 } });
});
afterEach(async () => {
  release.resolve();
  await endpoint.close();
});

function callStream(
  headers: Readonly<Record<string, string>>,
  name: string,
  params: JsonObject = {},
  id: unknown = 1,
) {
  const message = { jsonrpc: "2.0", id, method: "tools/call", params: { name, ...params } };
  return fetch(endpoint.url, {
    method: "POST",
    headers: { ...baseHeaders, ...headers },
    body: JSON.stringify(message),
  });
}

function getStream(headers: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(endpoint.url, { headers: { ...headers, accept: "text/event-stream" } });
}

async function next(messages: AsyncGenerator<JsonObject>): Promise<JsonObject> {
  const { value, done } = await messages.next();
  return done === true ? { ended: true } : value;
}

describe("initialize", () => {
  test.each([
    ["2024-11-05", "2024-11-05"],
    ["2025-03-26", "2025-03-26"],
    ["2025-06-18", "2025-06-18"],
    ["2025-11-25", "2025-11-25"],
    ["2026-07-28", "2025-11-25"],
    ["1.0", "2025-11-25"],
  ])("asked for %s, answers %s", async (asked, answered) => {
    const { initialized } = await openSession(endpoint.url, asked);
    expect(initialized.message).toEqual({
      jsonrpc: "2.0",
      id: 0,
      result: {
        protocolVersion: answered,
        capabilities: {
          tools: { listChanged: true },
          prompts: { listChanged: true },
          resources: { listChanged: true, subscribe: true },
          completions: {},
          logging: {},
        },
        serverInfo: { name: "gestalt-gateway", title: "Gestalt Gateway", version: "1.2.3" },
        instructions: expect.stringContaining("Test System"),
      },
    });
    expect(initialized.headers.get("mcp-session-id")).toMatch(/^[\x21-\x7e]{20,}$/);
  });

  test("the session is its caller's own", async () => {
    const session = await openSession(endpoint.url, "2025-11-25", {}, { "x-user": "ada@one" });
    const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
    for (const user of ["bob@one", "ada@two"]) {
      const answer = await post(endpoint.url, ping, { ...session.headers, "x-user": user });
      expect(answer.status).toBe(404);
    }
    expect((await session.request("ping")).message["result"]).toEqual({});
  });

  test("DELETE ends it and aborts its calls", async () => {
    const session = await openSession(endpoint.url);
    const call = callStream(session.headers, "wait");
    await started.promise;
    const deleted = await fetch(endpoint.url, { method: "DELETE", headers: session.headers });
    expect(deleted.status).toBe(200);
    expect(await (await call).text()).toBe("");
    expect(cancelled).toEqual(["wait"]);
    expect((await session.request("ping")).status).toBe(404);
  });
});

describe("calls", () => {
  test("a result comes as JSON, in the shape of the version", async () => {
    const session = await openSession(endpoint.url);
    const answer = await session.request("tools/call", { name: "echo", arguments: { a: 1 } }, "seven");
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("mcp-session-id")).toBeNull();
    expect(answer.message).toEqual({
      jsonrpc: "2.0",
      id: "seven",
      result: {
        content: [{ type: "text", text: '{"a":1}' }],
        structuredContent: { a: 1 },
        isError: false,
        _meta: { "io.gestalt/http": { status: 200, headers: {} } },
      },
    });
  });

  test("progress and log messages go ahead on the same stream, progress under the client's token and only if it gave one", async () => {
    const session = await openSession(endpoint.url);
    const told = await session.request("tools/call", { name: "progress", _meta: { progressToken: 0 } });
    expect(told.headers.get("content-type")).toBe("text/event-stream");
    expect(told.messages.map(({ method, params, id }) => ({ method, params, id }))).toEqual([
      { method: "notifications/progress", params: { progress: 1, progressToken: 0 } },
      { method: "notifications/message", params: { level: "info", data: "x" } },
      { method: "notifications/progress", params: { progress: 2, progressToken: 0 } },
      { id: 1 },
    ]);
    const silent = await session.request("tools/call", { name: "progress" });
    expect(silent.messages.map(({ method }) => method)).toEqual(["notifications/message", undefined]);
  });

  test("a cancelled call is aborted and never answered, by its id and its session", async () => {
    const [session, other] = [await openSession(endpoint.url), await openSession(endpoint.url)];
    const call = callStream(session.headers, "wait", {}, "a");
    await started.promise;
    await other.notify("notifications/cancelled", { requestId: "a" });
    await session.notify("notifications/cancelled", { requestId: "b" });
    await session.notify("notifications/cancelled", {});
    expect(cancelled).toEqual([]);
    await session.notify("notifications/cancelled", { requestId: "a" });
    const answer = await readAnswer(await call);
    expect(answer.messages).toEqual([]);
    expect(cancelled).toEqual(["wait"]);
  });

  test("an id can't be used twice at a time, and may be used again", async () => {
    const session = await openSession(endpoint.url);
    const call = callStream(session.headers, "wait");
    await started.promise;
    const twice = await session.request("ping");
    expect(twice.message["error"]).toMatchObject({ code: -32600 });
    release.resolve();
    expect((await readAnswer(await call)).message["result"]).toBeDefined();
    expect((await session.request("ping")).message["result"]).toEqual({});
  });

  test("a lost connection is not a cancel", async () => {
    const session = await openSession(endpoint.url);
    const leaving = new AbortController();
    const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "wait" } };
    const headers = { ...baseHeaders, ...session.headers };
    const call = fetch(endpoint.url, {
      method: "POST",
      headers,
      body: JSON.stringify(message),
      signal: leaving.signal,
    });
    await started.promise;
    leaving.abort();
    await expect(call).rejects.toThrow();
    await session.request("ping", {}, 2);
    expect(cancelled).toEqual([]);
    expect((await session.request("ping", {}, 1)).message["error"]).toMatchObject({ code: -32600 });
  });

  test("a silent call turns into an event stream that shows signs of life", async () => {
    const session = await openSession(endpoint.url);
    const response = await callStream(session.headers, "wait");
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("cache-control")).toBe("no-cache, no-transform");
    release.resolve();
    const { text, message } = await readAnswer(response);
    expect(text).toMatch(/^id: \S+\nretry: \d+\ndata: \n\n: keep-alive\n\n/);
    expect(message["result"]).toMatchObject({ structuredContent: { result: "waited" } });
  });
});

describe("questions of an upstream", () => {
  test("reach the client on the stream of the call, and the answer comes back", async () => {
    const session = await openSession(endpoint.url, "2025-11-25", { elicitation: {} });
    const messages = streamMessages(await callStream(session.headers, "ask"));
    const question = await next(messages);
    expect(question).toMatchObject({
      method: "elicitation/create",
      params: { message: "Name?" },
      id: expect.any(String),
    });
    const answer = {
      jsonrpc: "2.0",
      id: question["id"],
      result: { action: "accept", content: { name: "Ada" } },
    };
    expect((await post(endpoint.url, answer, session.headers)).status).toBe(202);
    expect(await next(messages)).toMatchObject({
      id: 1,
      result: { structuredContent: { action: "accept", content: { name: "Ada" } } },
    });
    expect(await next(messages)).toEqual({ ended: true });
  });

  test("an answer counts in its own session only, and an error is one too", async () => {
    const session = await openSession(endpoint.url, "2025-11-25", { sampling: {} });
    const other = await openSession(endpoint.url, "2025-11-25", { sampling: {} });
    const call = { arguments: { method: "sampling/createMessage" } };
    const messages = streamMessages(await callStream(session.headers, "ask", call));
    const { id } = await next(messages);
    await post(endpoint.url, { jsonrpc: "2.0", id, result: { stolen: true } }, other.headers);
    await post(
      endpoint.url,
      { jsonrpc: "2.0", id, error: { code: -1, message: "User rejected" } },
      session.headers,
    );
    expect(await next(messages)).toMatchObject({ result: { structuredContent: { refused: -1 } } });
  });

  test.each([
    { capabilities: {}, call: {} },
    { capabilities: { sampling: {} }, call: {} },
    { capabilities: { elicitation: {} }, call: { mode: "url" } },
    { capabilities: { elicitation: {} }, call: { method: "roots/list" } },
    { capabilities: { elicitation: {}, sampling: {}, roots: {} }, call: { method: "tools/list" } },
  ])("are refused for a client that declared $capabilities: $call", async ({ capabilities, call }) => {
    const session = await openSession(endpoint.url, "2025-11-25", capabilities);
    const answer = await session.request("tools/call", { name: "ask", arguments: call });
    expect(answer.message["result"]).toMatchObject({
      isError: true,
      _meta: { "io.gestalt/error": { code: "unsupported" } },
    });
  });

  test("are withdrawn when the call ends without them", async () => {
    const session = await openSession(endpoint.url, "2025-11-25", { elicitation: {} });
    const messages = streamMessages(await callStream(session.headers, "askAndLeave"));
    const { id } = await next(messages);
    expect(await next(messages)).toMatchObject({
      method: "notifications/cancelled",
      params: { requestId: id },
    });
    expect(await next(messages)).toMatchObject({ id: 1, result: { structuredContent: { result: "left" } } });
    expect(unanswered).toMatchObject([{ code: "cancelled" }]);
  });

  test("are withdrawn when the call is cancelled", async () => {
    const session = await openSession(endpoint.url, "2025-11-25", { elicitation: {} });
    const messages = streamMessages(await callStream(session.headers, "ask"));
    const { id } = await next(messages);
    await session.notify("notifications/cancelled", { requestId: 1 });
    expect(await next(messages)).toMatchObject({
      method: "notifications/cancelled",
      params: { requestId: id },
    });
    expect(await next(messages)).toEqual({ ended: true });
  });
});

test("of a client's capabilities no more is kept than what it can be asked", async () => {
  const capabilities = {
    elicitation: { form: { much: "x".repeat(1_000) }, url: {}, other: {} },
    sampling: { tools: {} },
    roots: { listChanged: true },
    experimental: { junk: "x".repeat(100_000) },
  };
  const session = await openSession(endpoint.url, "2025-11-25", capabilities);
  const { message } = await session.request("tools/call", { name: "declared" });
  expect(message["result"]).toMatchObject({
    structuredContent: { elicitation: { form: {}, url: {} }, sampling: { tools: {} }, roots: {} },
  });
  expect(JSON.stringify(message)).not.toContain("xxx");
});

describe("the GET stream", () => {
  test("that is asked for while the gateway drains ends at once", async () => {
    const session = await openSession(endpoint.url);
    endpoint.drain();
    expect((await readAnswer(await getStream(session.headers))).messages).toEqual([]);
  });

  test("tells of changed tools, of each change once, and of nothing else", async () => {
    const session = await openSession(endpoint.url);
    const response = await getStream(session.headers);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const messages = streamMessages(response);
    const { echo, wait } = tools as { echo: TestTool; wait: TestTool };
    const changed = { jsonrpc: "2.0", method: "notifications/tools/list_changed", params: {} };
    endpoint.offer({ echo });
    expect(await next(messages)).toEqual(changed);
    endpoint.offer({ echo, wait });
    endpoint.offer({ echo });
    endpoint.offer({ echo: { ...echo, inputSchema: { type: "object", required: [] } } });
    expect(await next(messages)).toEqual(changed);
    endpoint.drain();
    expect(await next(messages)).toEqual({ ended: true });
  });

  test("tells at its start of what changed before", async () => {
    const session = await openSession(endpoint.url);
    const other = await openSession(endpoint.url);
    const witness = streamMessages(await getStream(other.headers));
    endpoint.offer({});
    await next(witness);
    const messages = streamMessages(await getStream(session.headers));
    expect(await next(messages)).toMatchObject({ method: "notifications/tools/list_changed" });
  });

  test("there is one per session; when it is gone there may be another", async () => {
    const session = await openSession(endpoint.url);
    const leaving = new AbortController();
    const headers = { ...session.headers, accept: "text/event-stream" };
    await fetch(endpoint.url, { headers, signal: leaving.signal });
    expect((await readAnswer(await getStream(session.headers))).status).toBe(409);
    leaving.abort();
    await expect
      .poll(async () => {
        const response = await getStream(session.headers);
        await response.body?.cancel();
        return response.status;
      })
      .toBe(200);
  });
});
