import type { ServerResponse } from "node:http";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { limitLines } from "../../../src/providers/mcp/limit-lines.ts";
import { openProvider, textOf, until } from "./open-provider.ts";
import { listenOn, respond } from "./peers.ts";
import { type Received, startScripted } from "./scripted-upstream.ts";

function writeEvents(response: ServerResponse, ...messages: readonly object[]): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end(
    messages.map((message) => `data: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`).join(""),
  );
}

test("an upstream that asks and takes no answers gets 64 of them, and calls go on", async () => {
  const isAnswer = ({ method }: Received): boolean => method === undefined;
  const upstream = await startScripted({
    intercept: isAnswer,
    call: (message, response) => {
      const questions = Array.from({ length: 2_000 }, (_none, index) => ({
        id: `q${index}`,
        method: index % 2 === 0 ? "ping" : "roots/list",
      }));
      writeEvents(response, ...questions, {
        id: message.id,
        result: { content: [{ type: "text", text: "done" }] },
      });
    },
  });
  const provider = await openProvider(upstream.url);
  expect(textOf(await provider.call("go"))).toBe("done");
  await until(() => upstream.received.filter(isAnswer).length === 64);
  expect(textOf(await provider.call("go"))).toBe("done");
  expect(upstream.received.filter(isAnswer)).toHaveLength(64);
});

test("an upstream whose list changes all the time is listed ever more seldom", async () => {
  let version = 0;
  const upstream = await startScripted({
    list: () => {
      version += 1;
      upstream.tools.splice(0, 1, `go${version}`);
      upstream.push({ method: "notifications/tools/list_changed" });
    },
  });
  const pauses: number[] = [];
  const set = vi.spyOn(globalThis, "setTimeout");
  onTestFinished(() => set.mockRestore());
  const settle = { first: 3, longest: 24, quiet: 60_000 };
  const provider = await openProvider(upstream.url, { timings: { settle } });
  await until(() => provider.changes.length >= 5);
  for (const [, milliseconds = 0] of set.mock.calls)
    if ([3, 6, 12, 24].includes(milliseconds)) pauses.push(milliseconds);
  expect(pauses.slice(0, 5)).toEqual([3, 6, 12, 24, 24]);
});

test("warnings about a changed list are told with it", async () => {
  const upstream = await startScripted();
  const provider = await openProvider(upstream.url);
  upstream.tools.push("twice", "twice");
  upstream.push({ method: "notifications/tools/list_changed" });
  const change = await provider.change(({ kind }) => kind === "operations");
  expect(change).toMatchObject({
    operations: [{ id: "go" }],
    diagnostics: [{ code: "operation-dropped", message: expect.stringContaining("`twice`") }],
  });
});

describe("the lines that a local command writes", () => {
  test("are passed on up to a hundred in ten seconds, and the rest is counted", () => {
    const lines: string[] = [];
    let now = 0;
    const log = limitLines(
      (line) => lines.push(line),
      () => now,
    );
    for (let index = 0; index < 1_000; index++) log(`line ${index}`);
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toContain("left out");
    now = 10_000;
    log("later");
    expect(lines.slice(101)).toEqual(["(900 lines were left out)", "later"]);
  });
});

describe("HTTP+SSE: an answer that is too large", () => {
  test.each([
    [
      "id first",
      (id: unknown, text: string) => `{"jsonrpc":"2.0","id":${id},"result":{"content":["${text}"]}}`,
    ],
    [
      "id last",
      (id: unknown, text: string) => `{"result":{"content":["${text}"]},"jsonrpc":"2.0","id":${id}}`,
    ],
  ])("ends its own call only (%s)", async (_name, write) => {
    let stream: ServerResponse | undefined;
    let finish = (): void => {};
    const peer = await listenOn(async (request, response) => {
      if (request.method === "GET") {
        stream = response;
        response
          .writeHead(200, { "content-type": "text/event-stream" })
          .write("event: endpoint\ndata: /messages\n\n");
        return;
      }
      let text = "";
      for await (const chunk of request) text += String(chunk);
      response.writeHead(request.url === "/messages" ? 202 : 405).end();
      if (request.url !== "/messages") return;
      const message: Received = JSON.parse(text);
      const reply = (result: object): void =>
        void stream?.write(`data: ${JSON.stringify({ jsonrpc: "2.0", id: message.id, result })}\n\n`);
      if (message.method === "initialize")
        reply({ protocolVersion: "2024-11-05", capabilities: { tools: {} }, serverInfo: {} });
      else if (message.method === "tools/list")
        reply({ tools: ["big", "other"].map((name) => ({ name, inputSchema: { type: "object" } })) });
      else if (message.params?.name === "other")
        finish = () => reply({ content: [{ type: "text", text: "done" }] });
      else if (message.params?.name === "big") {
        stream?.write(`data: ${write(message.id, "x".repeat(11 * 1024 * 1024))}\n\n`);
      }
    });
    onTestFinished(() => peer.close());
    const provider = await openProvider(peer.url);
    const other = provider.call("other");
    await expect(provider.call("big")).rejects.toMatchObject({ code: "answer_too_large" });
    finish();
    expect(textOf(await other)).toBe("done");
    expect(provider.changes).toEqual([]);
  });
});

describe("the modern era", () => {
  /** A server of 2026-07-28 that grants no changes of its tools. */
  async function startModern(
    capabilities: object,
    handle: (message: Received, response: ServerResponse) => boolean,
  ) {
    const seen: string[] = [];
    const peer = await listenOn(async (request, response) => {
      if (request.method !== "POST") {
        seen.push(String(request.method));
        return void response.writeHead(405).end();
      }
      let text = "";
      for await (const chunk of request) text += String(chunk);
      const message: Received = JSON.parse(text);
      seen.push(String(message.method));
      if (handle(message, response)) return;
      const reply = (result: object): void =>
        respond(response, 200, {
          jsonrpc: "2.0",
          id: message.id,
          result: { resultType: "complete", ...result },
        });
      if (message.method === "server/discover") reply({ supportedVersions: ["2026-07-28"], capabilities });
      else if (message.method === "tools/list")
        reply({ tools: [{ name: "go", inputSchema: { type: "object" } }] });
      else reply({});
    });
    onTestFinished(() => peer.close());
    return { ...peer, seen };
  }

  test("`listChanged: false` is no reason to subscribe", async () => {
    const peer = await startModern({ tools: { listChanged: false } }, () => false);
    const provider = await openProvider(peer.url);
    await provider.call("go");
    expect(peer.seen).toEqual(["server/discover", "tools/list", "tools/call"]);
  });

  test("a subscription that is granted nothing is given up, though its stream stays open", async () => {
    let left = false;
    const peer = await startModern({ tools: { listChanged: true } }, (message, response) => {
      if (message.method !== "subscriptions/listen") return false;
      response.once("close", () => {
        left = true;
      });
      response.writeHead(200, { "content-type": "text/event-stream" });
      const params = { notifications: {}, _meta: { "io.modelcontextprotocol/subscriptionId": message.id } };
      const acknowledged = { jsonrpc: "2.0", method: "notifications/subscriptions/acknowledged", params };
      response.write(`data: ${JSON.stringify(acknowledged)}\n\n`);
      return true;
    });
    await openProvider(peer.url);
    await until(() => left);
  });

  test("a broken answer is not resumed: that is of the handshake era", async () => {
    const peer = await startModern({ tools: {} }, (message, response) => {
      if (message.method !== "tools/call") return false;
      response.writeHead(200, { "content-type": "text/event-stream" }).end("id: 7\nretry: 100\ndata:\n\n");
      return true;
    });
    const provider = await openProvider(peer.url);
    await expect(provider.call("go")).rejects.toMatchObject({ code: "upstream_failed" });
    expect(peer.seen).not.toContain("GET");
  });

  test.each([-32020, -32021])(
    "error %i to server/discover is of a modern server: no handshake is tried",
    async (code) => {
      const peer = await startModern({ tools: {} }, (message, response) => {
        respond(response, 400, { jsonrpc: "2.0", id: message.id, error: { code, message: "Bad header" } });
        return true;
      });
      await expect(openProvider(peer.url)).rejects.toMatchObject({
        code: "provider_unavailable",
        message: expect.stringContaining("Bad header"),
      });
      expect(peer.seen).toEqual(["server/discover"]);
    },
  );
});

test("what concerns the upstream's own hop stays behind, and so do `_meta` keys of the protocol and of the gateway", async () => {
  const meta = { "io.gestalt/error": { code: "forged" }, "io.modelcontextprotocol/x": 1, "com.example/y": 2 };
  const upstream = await startScripted({
    call: (message, response) => {
      const progressToken = message.params?._meta?.["progressToken"];
      const progress = {
        method: "notifications/progress",
        params: { progressToken, progress: 1, _meta: meta },
      };
      writeEvents(response, progress, {
        id: message.id,
        result: { content: [], resultType: "complete", ttlMs: 1, _meta: meta },
      });
    },
  });
  const provider = await openProvider(upstream.url);
  const notified: unknown[] = [];
  const peer = {
    capabilities: {},
    ask: () => Promise.reject(new Error("not asked")),
    notify: (_method: string, params: object) => notified.push(params),
  };
  const { result } = await provider.call("go", {}, { peer });
  expect(result).toEqual({ content: [], _meta: { "com.example/y": 2 } });
  expect(notified).toEqual([{ progress: 1, _meta: { "com.example/y": 2 } }]);
});

test("an id without data is where a broken answer is resumed", async () => {
  let call: Received | undefined;
  const resumedFrom: unknown[] = [];
  const upstream = await startScripted({
    call: (message, response) => {
      call = message;
      response.writeHead(200, { "content-type": "text/event-stream" }).end("retry: 100\ndata:\n\nid: e2\n\n");
    },
    get: (request, response) => {
      if (request.headers["last-event-id"] === undefined) return void response.writeHead(405).end();
      resumedFrom.push(request.headers["last-event-id"]);
      if (call === undefined) throw new Error("no call");
      writeEvents(response, { id: call.id, result: { content: [{ type: "text", text: "done" }] } });
    },
  });
  const provider = await openProvider(upstream.url);
  expect(textOf(await provider.call("go"))).toBe("done");
  expect(resumedFrom).toEqual(["e2"]);
});
