import type { IncomingMessage, ServerResponse } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import { type OpenOptions, openProvider, textOf, until } from "./open-provider.ts";
import { listenOn, respond } from "./peers.ts";

interface Received {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: {
    readonly name?: string;
    readonly cursor?: string;
    readonly _meta?: { readonly progressToken?: number };
  };
  readonly error?: { readonly code: number };
  readonly result?: object;
}

type Handler = (message: Received, response: ServerResponse, request: IncomingMessage) => void;

const oneTool = [{ name: "go", inputSchema: { type: "object" } }];

/** A raw server: a proper handshake and list, and `handle` for every call and whatever else it wants to see. */
async function startRaw(handle: Handler, tools: (message: Received) => object = () => ({ tools: oneTool })) {
  const received: Received[] = [];
  const peer = await listenOn(async (request, response) => {
    if (request.method !== "POST") {
      response.writeHead(request.method === "DELETE" ? 200 : 405).end();
      return;
    }
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const message: Received = JSON.parse(text);
    received.push(message);
    const reply = (result: object): void =>
      respond(response, 200, { jsonrpc: "2.0", id: message.id, result });
    if (message.method === "server/discover")
      respond(response, 400, { jsonrpc: "2.0", id: null, error: { code: -32000, message: "no session" } });
    else if (message.method === "initialize") {
      response.setHeader("mcp-session-id", "s");
      reply({
        protocolVersion: "2025-11-25",
        capabilities: { tools: {} },
        serverInfo: { name: "raw", version: "1" },
      });
    } else if (message.method === "tools/list") reply(tools(message));
    else if (message.method === "tools/call") handle(message, response, request);
    else response.writeHead(202).end();
  });
  onTestFinished(() => peer.close());
  return { peer, received };
}

async function open(handle: Handler, options: OpenOptions = {}) {
  const { peer, received } = await startRaw(handle);
  return { provider: await openProvider(peer.url, options), received };
}

function stream(response: ServerResponse, ...messages: object[]): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const message of messages)
    response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`);
}

const done = { content: [{ type: "text", text: "done" }] };

test("a call that is never answered ends, and the upstream is told", async () => {
  const { provider, received } = await open(() => {}, { timings: { call: { idle: 50, longest: 5_000 } } });
  await expect(provider.call("go")).rejects.toMatchObject({ code: "timed_out", retryable: true });
  await until(() => received.some(({ method }) => method === "notifications/cancelled"));
});

test("progress keeps a call alive, but not for ever", async () => {
  const timers: NodeJS.Timeout[] = [];
  onTestFinished(() => timers.forEach(clearInterval));
  const { provider } = await open(
    (message, response) => {
      const progressToken = message.params?._meta?.progressToken;
      stream(response);
      timers.push(
        setInterval(() => {
          const params = { progressToken, progress: performance.now() };
          response.write(
            `data: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/progress", params })}\n\n`,
          );
        }, 20),
      );
    },
    { timings: { call: { idle: 1_000, longest: 2_000 } } },
  );
  await expect(provider.call("go")).rejects.toMatchObject({
    code: "timed_out",
    message: expect.stringContaining("2 s"),
  });
});

test("an answer without end is cut off at its limit, without keeping it", async () => {
  const { provider } = await open((_message, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const chunk = Buffer.alloc(1024 * 1024, "x");
    response.write("data: ");
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  });
  await expect(provider.call("go")).rejects.toMatchObject({ code: "answer_too_large" });
});

test("a JSON answer of more than 10 MiB is refused", async () => {
  const { provider } = await open((message, response) =>
    respond(response, 200, {
      jsonrpc: "2.0",
      id: message.id,
      result: { content: [{ type: "text", text: "x".repeat(11 * 1024 * 1024) }] },
    }),
  );
  await expect(provider.call("go")).rejects.toMatchObject({ code: "answer_too_large" });
});

test("answers to other ids are no answer", async () => {
  const { provider } = await open((message, response) => {
    stream(response, { id: 12_345, result: done }, { id: String(message.id), result: done });
    response.end();
  });
  await expect(provider.call("go")).rejects.toMatchObject({
    code: "upstream_failed",
    message: expect.stringContaining("without a result"),
  });
});

test("the first answer counts, a second one is ignored", async () => {
  const { provider } = await open((message, response) => {
    stream(
      response,
      { id: message.id, result: done },
      { id: message.id, result: { content: [{ type: "text", text: "again" }] } },
    );
    response.end();
  });
  expect(textOf(await provider.call("go"))).toBe("done");
});

test("an answer to another call's id on this call's stream does not lose either call", async () => {
  const waiting: { message: Received; response: ServerResponse }[] = [];
  const { provider } = await open((message, response) => {
    waiting.push({ message, response });
    const [first, second] = waiting;
    if (first === undefined || second === undefined) return;
    stream(second.response, { id: second.message.id, result: done });
    second.response.end();
    stream(
      first.response,
      { id: second.message.id, result: { content: [] } },
      { id: first.message.id, result: done },
    );
    first.response.end();
  });
  const results = await Promise.all([provider.call("go"), provider.call("go")]);
  expect(results.map(textOf)).toEqual(["done", "done"]);
});

test("a web page in place of an answer is named", async () => {
  const { provider } = await open((_message, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<html>login</html>");
  });
  await expect(provider.call("go")).rejects.toMatchObject({
    code: "upstream_failed",
    message: expect.stringContaining("`text/html`"),
  });
});

test.each([
  [500, "upstream_failed", true],
  [429, "upstream_failed", true],
  [401, "upstream_failed", false],
  [418, "upstream_failed", false],
])("HTTP %i fails the call as %s", async (status, code, retryable) => {
  const { provider } = await open((_message, response) => void response.writeHead(status).end("no"));
  await expect(provider.call("go")).rejects.toMatchObject({ code, retryable });
});

test.each([
  ["7", 7],
  ["0", 0],
  ["9999999999999999999999", 86_400],
  ["soon", undefined],
])("how long it wants to be left alone is passed on: Retry-After %s", async (value, seconds) => {
  const { provider } = await open(
    (_message, response) => void response.writeHead(429, { "retry-after": value }).end("no"),
  );
  const error = await provider.call("go").then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(error).toMatchObject({ code: "upstream_failed", details: { status: 429 } });
  expect(error instanceof GatewayError && error.details["retry_after"]).toBe(seconds);
});

test("the words of an upstream's error reach the caller bounded and without control characters", async () => {
  const { provider } = await open((message, response) =>
    respond(response, 200, {
      jsonrpc: "2.0",
      id: message.id,
      error: { code: -32602, message: `Unknown\u001b[31m tool\u200b\u{e0041}\n${"x".repeat(5_000)}` },
    }),
  );
  const error: Error = await provider.call("go").then(
    () => new Error("no error"),
    (failure) => failure,
  );
  expect(error.message).toContain("Unknown[31m tool xxx");
  expect(error.message.length).toBeLessThan(600);
});

test("a connection that closes in the middle of an answer is an upstream failure", async () => {
  const { provider } = await open((_message, response) => {
    stream(response, { method: "notifications/message", params: { level: "info", data: "soon" } });
    setImmediate(() => response.destroy());
  });
  await expect(provider.call("go")).rejects.toMatchObject({ code: "upstream_failed" });
});

test("JSON that is no JSON-RPC, and nesting without end, are refused", async () => {
  for (const body of ['{"ok":true}', `${"[".repeat(100_000)}${"]".repeat(100_000)}`, "not json"]) {
    const { provider } = await open((_message, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(body);
    });
    await expect(provider.call("go")).rejects.toMatchObject({ code: "upstream_failed" });
  }
});

test("numbers that a double can't hold pass digit by digit", async () => {
  const { provider } = await open((message, response) => {
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(
        `{"jsonrpc":"2.0","id":${message.id},"result":{"content":[],"structuredContent":{"id":9223372036854775807}}}`,
      );
  });
  expect(JSON.stringify((await provider.call("go")).result)).toContain("9223372036854775807");
});

test("requests that belong to no call, or that clients don't answer, are refused; pings are answered", async () => {
  const { provider, received } = await open((message, response) => {
    stream(
      response,
      { id: "a", method: "vendor/unknown", params: {} },
      { id: "b", method: "ping" },
      { id: message.id, result: done },
      { id: "c", method: "elicitation/create", params: {} },
    );
    response.end();
  });
  await provider.call("go");
  await until(() => ["a", "b", "c"].every((id) => received.some((message) => message.id === id)));
  const answer = (id: string) => received.find((message) => message.id === id);
  expect(answer("a")).toMatchObject({ error: { code: -32601 } });
  expect(answer("b")).toMatchObject({ result: {} });
  expect(answer("c")).toMatchObject({ error: { code: -32601 } });
});

test("a list whose pages run in circles ends with what it had, and a warning", async () => {
  const { peer } = await startRaw(
    () => {},
    ({ params }) => ({
      tools: [{ name: `tool-${params?.cursor ?? "start"}`, inputSchema: { type: "object" } }],
      nextCursor: params?.cursor === "a" ? "b" : "a",
    }),
  );
  const provider = await openProvider(peer.url);
  expect(provider.names()).toEqual(["tool-start", "tool-a", "tool-b"]);
  expect(provider.surface.diagnostics.map(({ message }) => message).join()).toContain("repeat themselves");
});

test("of 50,000 tools the first 10,000 are offered, with a warning", async () => {
  const tools = Array.from({ length: 50_000 }, (_none, index) => ({
    name: `t${index}`,
    inputSchema: { type: "object" },
  }));
  const { peer } = await startRaw(
    () => {},
    () => ({ tools }),
  );
  const provider = await openProvider(peer.url);
  expect(provider.names()).toHaveLength(10_000);
  expect(provider.surface.diagnostics.at(-1)?.message).toContain("10000");
});

test("a broken response stream is resumed where it broke", async () => {
  let resumedFrom: string | undefined;
  let id: Received["id"];
  const peer = await listenOn(async (request, response) => {
    if (request.method === "GET" && request.headers["last-event-id"] !== undefined) {
      resumedFrom = String(request.headers["last-event-id"]);
      stream(response, { id, result: done });
      response.end();
      return;
    }
    if (request.method !== "POST") return void response.writeHead(405).end();
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const message: Received = JSON.parse(text);
    const reply = (result: object): void =>
      respond(response, 200, { jsonrpc: "2.0", id: message.id, result });
    if (message.method === "initialize")
      reply({ protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: {} });
    else if (message.method === "tools/list") reply({ tools: oneTool });
    else if (message.method === "tools/call") {
      id = message.id;
      response.writeHead(200, { "content-type": "text/event-stream" }).end("id: e1\nretry: 100\ndata:\n\n");
    } else response.writeHead(message.method === "server/discover" ? 400 : 202).end();
  });
  onTestFinished(() => peer.close());
  const provider = await openProvider(peer.url);
  expect(textOf(await provider.call("go"))).toBe("done");
  expect(resumedFrom).toBe("e1");
});

test("a server that knows its session no more and says so in its own way gets a new one", async () => {
  let sessions = 0;
  let known = "";
  const peer = await listenOn(async (request, response) => {
    if (request.method !== "POST") return void response.writeHead(405).end();
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const message: Received = JSON.parse(text);
    const reply = (result: object): void =>
      respond(response, 200, { jsonrpc: "2.0", id: message.id, result });
    if (message.method === "initialize") {
      sessions += 1;
      known = `s${sessions}`;
      response.setHeader("mcp-session-id", known);
      reply({ protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: {} });
    } else if (request.headers["mcp-session-id"] !== known) response.writeHead(400).end();
    else if (message.method === "tools/list") reply({ tools: oneTool });
    else if (message.method === "tools/call") reply(done);
    else response.writeHead(202).end();
  });
  onTestFinished(() => peer.close());
  const provider = await openProvider(peer.url, { isBrief: true });
  known = "another";
  await expect(provider.call("go")).rejects.toMatchObject({ code: "upstream_failed" });
  await until(() => sessions === 2);
  await until(() => known === "s2");
  for (;;) {
    const result = await provider.call("go").catch(() => undefined);
    if (result === undefined) continue;
    expect(textOf(result)).toBe("done");
    return;
  }
});

test("a server that answers the optional GET with 404 is served all the same", async () => {
  const peer = await listenOn(async (request, response) => {
    if (request.method !== "POST") return void response.writeHead(404).end();
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const message: Received = JSON.parse(text);
    response.setHeader("mcp-session-id", "s");
    const reply = (result: object): void =>
      respond(response, 200, { jsonrpc: "2.0", id: message.id, result });
    if (message.method === "initialize")
      reply({ protocolVersion: "2025-03-26", capabilities: { tools: {} }, serverInfo: {} });
    else if (message.method === "tools/list") reply({ tools: oneTool });
    else if (message.method === "tools/call") reply(done);
    else response.writeHead(message.method === "server/discover" ? 400 : 202).end();
  });
  onTestFinished(() => peer.close());
  expect(textOf(await (await openProvider(peer.url)).call("go"))).toBe("done");
});

test("a server that sends the head of the GET stream only with its first message is heard", async () => {
  let held: ServerResponse | undefined;
  const tools = [...oneTool];
  const peer = await listenOn(async (request, response) => {
    if (request.method === "GET") {
      held = response;
      return;
    }
    if (request.method !== "POST") return void response.writeHead(200).end();
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const message: Received = JSON.parse(text);
    response.setHeader("mcp-session-id", "s");
    const reply = (result: object): void =>
      respond(response, 200, { jsonrpc: "2.0", id: message.id, result });
    if (message.method === "initialize") {
      const capabilities = { tools: { listChanged: true } };
      reply({ protocolVersion: "2025-11-25", capabilities, serverInfo: {} });
    } else if (message.method === "tools/list") reply({ tools });
    else response.writeHead(message.method === "server/discover" ? 400 : 202).end();
  });
  onTestFinished(() => peer.close());
  const provider = await openProvider(peer.url);
  expect(provider.names()).toEqual(["go"]);
  tools.push({ name: "stop", inputSchema: { type: "object" } });
  if (held === undefined) throw new Error("The stream was not asked for.");
  stream(held, { method: "notifications/tools/list_changed" });
  await provider.change((change) => change.kind === "operations");
  expect(provider.names()).toEqual(["go", "stop"]);
});

test("a call whose stream broke is not made again when its rest is not to be had", async () => {
  let calls = 0;
  const { peer } = await startRaw((_message, response) => {
    calls += 1;
    response.writeHead(200, { "content-type": "text/event-stream" }).end("id: e1\nretry: 100\ndata:\n\n");
  });
  const provider = await openProvider(peer.url);
  await expect(provider.call("go")).rejects.toMatchObject({ code: "upstream_failed" });
  expect(calls).toBe(1);
});
