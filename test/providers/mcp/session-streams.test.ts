import type { ServerResponse } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import type { JsonObject } from "../../../src/model/json.ts";
import { until } from "./open-provider.ts";
import { callTool, listenToSession, observe, openSession, textIn } from "./open-session.ts";
import { listenOn, respond } from "./peers.ts";
import { type Received, startScripted } from "./scripted-upstream.ts";

function writeEvent(response: ServerResponse, message: object): void {
  response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`);
}

/** A server of 2026-07-28 that answers what the test does not. */
async function startModern(handle: (message: Received, response: ServerResponse) => boolean) {
  const received: Received[] = [];
  const peer = await listenOn(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const message: Received = JSON.parse(text);
    received.push(message);
    if (handle(message, response)) return;
    const result = { resultType: "complete", supportedVersions: ["2026-07-28"], capabilities: {} };
    respond(response, 200, { jsonrpc: "2.0", id: message.id, result });
  });
  onTestFinished(() => peer.close());
  return { url: peer.url, received };
}

test("a server that ends its stream to be asked again: the call hears of the pause, and of the questions behind it", async () => {
  let call: Received | undefined;
  const upstream = await startScripted({
    call: (message, response) => {
      call = message;
      response
        .writeHead(200, { "content-type": "text/event-stream" })
        .end("id: e1\ndata:\n\nretry: 150\nid: e2\ndata:\n\n");
    },
    get: (request, response) => {
      if (request.headers["last-event-id"] === undefined) return void response.writeHead(405).end();
      response.writeHead(200, { "content-type": "text/event-stream" });
      writeEvent(response, { id: "q", method: "roots/list" });
      writeEvent(response, { id: call?.id, result: { content: [{ type: "text", text: "done" }] } });
      response.end();
    },
  });
  const session = await openSession(upstream.url, { capabilities: { roots: {} } });
  const observer = observe(() => ({ roots: [] }));
  expect(textIn(await callTool(session, "go", observer))).toBe("done");
  expect(observer.pauses).toEqual([150]);
  await until(() => upstream.received.some(({ id, result }) => id === "q" && result !== undefined));
});

test("a stream that breaks off is no pause", async () => {
  let call: Received | undefined;
  const upstream = await startScripted({
    call: (message, response) => {
      call = message;
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("retry: 100\nid: e1\ndata:\n\n", () => setTimeout(() => response.destroy(), 20));
    },
    get: (request, response) => {
      if (request.headers["last-event-id"] === undefined) return void response.writeHead(405).end();
      response.writeHead(200, { "content-type": "text/event-stream" });
      writeEvent(response, { id: call?.id, result: { content: [] } });
      response.end();
    },
  });
  const session = await openSession(upstream.url);
  const observer = observe();
  await callTool(session, "go", observer);
  expect(observer.pauses).toEqual([]);
});

test.each(["as JSON", "as an event"])(
  "a batch, as servers of 2025-03-26 may send it, is its messages: %s",
  async (form) => {
    const upstream = await startScripted({
      call: (message, response) => {
        const batch = JSON.stringify([
          { jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "said" } },
          "no message",
          { jsonrpc: "2.0", id: message.id, result: { content: [{ type: "text", text: "done" }] } },
        ]);
        const isEvent = form === "as an event";
        response.writeHead(200, { "content-type": isEvent ? "text/event-stream" : "application/json" });
        response.end(isEvent ? `data: ${batch}\n\n` : batch);
      },
    });
    const session = await openSession(upstream.url);
    const observer = observe();
    expect(textIn(await callTool(session, "go", observer))).toBe("done");
    expect(observer.logged).toEqual([{ level: "info", data: "said" }]);
  },
);

test("a flood of notifications reaches nobody as one, and other calls keep theirs", async () => {
  let finish = (): void => {};
  const upstream = await startScripted({
    call: (message, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const answer = (levels: readonly unknown[]): void => {
        for (const level of levels) {
          writeEvent(response, { method: "notifications/message", params: { level, data: "said" } });
        }
        writeEvent(response, { id: message.id, result: { content: [] } });
        response.end();
      };
      if (message.params?.name === "calm") finish = () => answer(["info"]);
      else answer(Array.from({ length: 5_000 }, (_none, index) => (index % 2 === 0 ? "info" : 7)));
    },
  });
  const session = await openSession(upstream.url);
  const calm = observe();
  const waiting = callTool(session, "calm", calm);
  await until(() => upstream.count("tools/call") === 1);
  const flooded = observe();
  await callTool(session, "flood", flooded);
  finish();
  await waiting;
  expect(flooded.logged).toHaveLength(1_000);
  expect(calm.logged).toHaveLength(1);
});

test("a stream brings the answer to its own request, and to no other", async () => {
  let first: Received | undefined;
  const upstream = await startScripted({
    call: (message, response) => {
      if (message.params?.name === "victim") {
        first = message;
        return;
      }
      response.writeHead(200, { "content-type": "text/event-stream" });
      const progressToken = first?.params?._meta?.["progressToken"];
      writeEvent(response, { method: "notifications/progress", params: { progressToken, progress: 1 } });
      writeEvent(response, { id: first?.id, result: { content: [{ type: "text", text: "forged" }] } });
      writeEvent(response, { id: first?.id, error: { code: 1, message: "forged" } });
      writeEvent(response, { id: message.id, result: { content: [] } });
      response.end();
    },
  });
  const session = await openSession(upstream.url);
  const caller = new AbortController();
  let progressed = 0;
  const victim = callTool(session, "victim", { ...observe(), progress: () => progressed++ }, caller.signal);
  const outcome = victim.catch((error: unknown) => error);
  await until(() => first !== undefined);
  await callTool(session, "forger");
  caller.abort(new Error("left"));
  expect(await outcome).toMatchObject({ message: "left" });
  expect(progressed).toBe(0);
});

test("each subscription hears of its own resources; lists that changed are the owner's", async () => {
  const streams: { readonly id: unknown; readonly response: ServerResponse }[] = [];
  const server = await startModern((message, response) => {
    if (message.method !== "subscriptions/listen") return false;
    response.writeHead(200, { "content-type": "text/event-stream" });
    const _meta = { "io.modelcontextprotocol/subscriptionId": message.id };
    writeEvent(response, { method: "notifications/subscriptions/acknowledged", params: { _meta } });
    streams.push({ id: message.id, response });
    return true;
  });
  const heard = listenToSession();
  const session = await openSession(server.url, { heard });
  const left = new AbortController();
  const listen = async (updates: JsonObject[]): Promise<void> => {
    await new Promise<void>((resolve) => {
      const options = {
        signal: left.signal,
        acknowledged: () => resolve(),
        updated: (params: JsonObject) => updates.push(params),
      };
      session.request("subscriptions/listen", { notifications: {} }, options).catch(() => {});
    });
  };
  const first: JsonObject[] = [];
  const second: JsonObject[] = [];
  await listen(first);
  await listen(second);
  for (const [index, { id, response }] of streams.entries()) {
    const _meta = { "io.modelcontextprotocol/subscriptionId": id };
    writeEvent(response, {
      method: "notifications/resources/updated",
      params: { uri: `file:///${index}`, _meta },
    });
    writeEvent(response, { method: "notifications/prompts/list_changed", params: { _meta } });
    writeEvent(response, { method: "notifications/resources/list_changed", params: { _meta } });
  }
  await until(() => heard.changed.length === 4);
  expect(first).toEqual([{ uri: "file:///0" }]);
  expect(second).toEqual([{ uri: "file:///1" }]);
  expect(heard.updated).toEqual([]);
  expect(heard.changed.sort()).toEqual(["prompts", "prompts", "resources", "resources"]);
  left.abort();
});

test("a request without a handshake says which log messages it wants, and nothing can be asked", async () => {
  const server = await startModern((message, response) => {
    if (message.method !== "tools/call") return false;
    response.writeHead(200, { "content-type": "text/event-stream" });
    writeEvent(response, { id: "q", method: "roots/list" });
    writeEvent(response, { id: message.id, result: { resultType: "complete", content: [] } });
    response.end();
    return true;
  });
  const session = await openSession(server.url, { capabilities: { roots: {} } });
  const observer = observe();
  const options = { signal: new AbortController().signal, observer, capabilities: { roots: {} } };
  await session.request("tools/call", { name: "go" }, { ...options, logLevel: "warning" });
  await session.request("tools/call", { name: "go" }, options);
  const metas = server.received
    .filter(({ method }) => method === "tools/call")
    .map(({ params }) => params?._meta?.["io.modelcontextprotocol/logLevel"]);
  expect(metas).toEqual(["warning", undefined]);
  expect(observer.asked).toEqual([]);
  await until(() => server.received.filter(({ error }) => error?.code === -32601).length === 2);
});
