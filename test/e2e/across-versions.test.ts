import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { type System, startSystem } from "../attack/system.ts";
import { until } from "../providers/mcp/open-provider.ts";
import { type Received, type ScriptedUpstream, startScripted } from "../providers/mcp/scripted-upstream.ts";
import { roundsOf } from "../server/mcp/rounds.ts";
import {
  baseHeaders,
  modern,
  openSession,
  post,
  streamMessages,
  type WireSession,
} from "../server/mcp/wire.ts";

/** What the upstream's answers are made of, by the id of its question. */
const open = new Map<unknown, (answer: object) => void>();
let asks = 0;
let upstream: ScriptedUpstream;
let system: System;
let url: string;

/** Streams that are open, by the id of the question on them. */
const streams = new Map<unknown, ServerResponse>();

function write(response: ServerResponse, message: object): void {
  response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`);
}

/** Ends a call with what is given, as a text. */
function finish(response: ServerResponse, { id }: Received, value: unknown): void {
  write(response, { id, result: { content: [{ type: "text", text: JSON.stringify(value) }] } });
  response.end();
}

/** A server of 2025-11-25: `ask` asks what its arguments say, `hang` never ends. */
function call(message: Received, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
  const { name, arguments: given } = message.params ?? {};
  if (name === "hang") return;
  asks += 1;
  const id = `question ${asks}`;
  streams.set(id, response);
  open.set(id, (answer) => finish(response, message, answer));
  write(response, { id, ...given });
}

beforeEach(async () => {
  upstream = await startScripted({
    tools: ["ask", "hang"],
    call,
    intercept: ({ method, id, result, error }, response) => {
      if (method !== undefined || id === undefined) return false;
      response.writeHead(202).end();
      open.get(id)?.(result ?? { error });
      return true;
    },
  });
  system = await startSystem({ up: { mcp: { tool_prefix: "" }, surfaces: { mcp: { url: upstream.url } } } });
  url = `${system.url}/mcp`;
});
afterEach(async () => {
  for (const response of streams.values()) response.destroy();
  streams.clear();
  open.clear();
  await system.close();
});

async function next(messages: AsyncGenerator<JsonObject>): Promise<JsonObject> {
  const { value, done } = await messages.next();
  return done === true ? { ended: true } : value;
}

async function begin(
  session: WireSession,
  name: string,
  given: JsonObject = {},
): Promise<AsyncGenerator<JsonObject>> {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...baseHeaders, accept: "text/event-stream, application/json", ...session.headers },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: "call",
      method: "tools/call",
      params: { name, arguments: given },
    }),
  });
  return streamMessages(response);
}

function textOf(message: JsonObject): JsonValue {
  const [block] = (asObject(message["result"])?.["content"] ?? []) as readonly JsonObject[];
  return JSON.parse(String(block?.["text"])) as JsonValue;
}

/** What a client of a version is asked, where the upstream asks for this. */
async function asked(version: string, method: string, params: JsonObject): Promise<JsonValue | undefined> {
  const session = await openSession(url, version, { elicitation: {}, sampling: {} });
  const question = await next(await begin(session, "ask", { method, params }));
  return question["params"];
}

const text = (said: string): JsonObject => ({ type: "text", text: said });

describe("a question of 2025-11-25", () => {
  const pick = {
    type: "string",
    title: "Colour",
    oneOf: [
      { const: "r", title: "Red" },
      { const: "b", title: "Blue" },
    ],
  };
  const form = { mode: "form", message: "Which?", requestedSchema: { type: "object", properties: { pick } } };
  const [one, two] = [
    { role: "user", content: [text("a"), text("b")] },
    { role: "assistant", content: [text("c")] },
  ];
  const sampling = { messages: [one, two], maxTokens: 1 };

  test.each(["2025-11-25"])("reaches a client of %s as it is", async (version) => {
    expect(await asked(version, "elicitation/create", form)).toEqual(form);
    expect(await asked(version, "sampling/createMessage", sampling)).toEqual(sampling);
  });

  test("reaches older clients in the forms that they know", async () => {
    const known = { type: "string", title: "Colour", enum: ["r", "b"], enumNames: ["Red", "Blue"] };
    expect(await asked("2025-06-18", "elicitation/create", form)).toEqual({
      message: "Which?",
      requestedSchema: { type: "object", properties: { pick: known } },
    });
    for (const version of ["2025-06-18", "2025-03-26", "2024-11-05"]) {
      expect(await asked(version, "sampling/createMessage", sampling)).toEqual({
        messages: [
          { role: "user", content: text("a") },
          { role: "user", content: text("b") },
          { role: "assistant", content: text("c") },
        ],
        maxTokens: 1,
      });
    }
  });

  test("wants no task of a client, since none has said that it does tasks", async () => {
    const task = { ...form, task: { ttl: 1 } };
    expect(await asked("2025-11-25", "elicitation/create", task)).toEqual(form);
  });

  test("is answered with one block where no tools are asked for, as such servers expect", async () => {
    const client = roundsOf(url, {
      name: "ask",
      arguments: { method: "sampling/createMessage", params: sampling },
    });
    const first = await client.round();
    const [key = ""] = Object.keys(first.requests);
    const response = { role: "assistant", model: "m", content: [text("d")] };
    const second = await client.round({ inputResponses: { [key]: response }, requestState: first.state });
    expect(textOf(second.message)).toEqual({ ...response, content: text("d") });
  });
});

describe("what is taken back", () => {
  const question = { method: "elicitation/create", params: { message: "?" } };

  test("a question, by its upstream: its client is told, with the reason, and the call goes on", async () => {
    const session = await openSession(url, "2025-11-25", { elicitation: {} });
    const messages = await begin(session, "ask", question);
    const { id } = await next(messages);
    const [[upstreamId, stream] = []] = [...streams];
    if (stream === undefined) throw new Error("Nothing was asked.");
    write(stream, {
      method: "notifications/cancelled",
      params: { requestId: upstreamId, reason: "Found it" },
    });
    expect(await next(messages)).toMatchObject({
      method: "notifications/cancelled",
      params: { requestId: id, reason: "Found it" },
    });
    // A late answer reaches nobody.
    await post(url, { jsonrpc: "2.0", id, result: { action: "cancel" } }, session.headers);
    open.get(upstreamId)?.({ found: true });
    expect(textOf(await next(messages))).toEqual({ found: true });
    expect(upstream.received.some((message) => message.id === upstreamId)).toBe(false);
  });

  test("a question to a client that comes back with the answer: it is not asked again", async () => {
    const client = roundsOf(url, { name: "ask", arguments: question });
    const first = await client.round();
    const [[upstreamId, stream] = []] = [...streams];
    if (stream === undefined) throw new Error("Nothing was asked.");
    write(stream, { method: "notifications/cancelled", params: { requestId: upstreamId } });
    open.get(upstreamId)?.({ found: true });
    const second = await client.round({ requestState: first.state });
    expect(textOf(second.message)).toEqual({ found: true });
  });

  test("a call, by its client: its upstream is told the reason", async () => {
    const session = await openSession(url);
    const messages = await begin(session, "hang");
    await until(() => upstream.count("tools/call") === 1);
    await session.notify("notifications/cancelled", { requestId: "call", reason: "Changed my mind" });
    expect(await next(messages)).toEqual({ ended: true });
    await until(() => upstream.count("notifications/cancelled") === 1);
    const sent = upstream.received.find(({ method }) => method === "notifications/cancelled");
    expect(sent?.params).toMatchObject({ reason: "Changed my mind" });
  });
});

test("that a client tells of changed roots is declared to its upstreams where it has declared that", async () => {
  const declared: unknown[] = [];
  for (const roots of [{ listChanged: true }, { listChanged: false }, {}]) {
    const session = await openSession(url, "2025-11-25", { roots });
    const [before, calls] = [upstream.received.length, upstream.count("tools/call")];
    await begin(session, "hang");
    await until(() => upstream.count("tools/call") > calls);
    const handshake = upstream.received.slice(before).find(({ method }) => method === "initialize");
    declared.push(asObject(handshake?.params as JsonObject)?.["capabilities"]);
  }
  expect(declared).toEqual([{ roots: { listChanged: true } }, { roots: {} }, { roots: {} }]);
});

test("both sides are pinged while a call runs", async () => {
  const session = await openSession(url, "2025-11-25", { elicitation: {} });
  const messages = await begin(session, "ask", { method: "elicitation/create", params: { message: "?" } });
  const { id } = await next(messages);
  const [[upstreamId, stream] = []] = [...streams];
  if (stream === undefined) throw new Error("Nothing was asked.");
  write(stream, { id: "ping", method: "ping" });
  await until(() => upstream.received.some((message) => message.id === "ping"));
  expect(upstream.received.find((message) => message.id === "ping")?.result).toEqual({});
  expect((await session.request("ping", {}, 7)).message).toEqual({ jsonrpc: "2.0", id: 7, result: {} });
  await post(url, { jsonrpc: "2.0", id, result: { action: "decline" } }, session.headers);
  expect(textOf(await next(messages))).toEqual({ action: "decline" });
  expect(upstream.received.some((message) => message.id === upstreamId)).toBe(true);
});

test("that somebody has opened a page is told to the client that was asked to, on whatever stream", async () => {
  const session = await openSession(url, "2025-11-25", { elicitation: { url: {} } });
  const other = await openSession(url, "2025-11-25", { elicitation: { url: {} } });
  const page = { mode: "url", message: "Open it.", url: "https://h.example/", elicitationId: "e1" };
  const messages = await begin(session, "ask", { method: "elicitation/create", params: page });
  const others = await begin(other, "ask", { method: "elicitation/create", params: page });
  expect(await next(messages)).toMatchObject({ method: "elicitation/create", params: page });
  await next(others);
  const [[, stream] = []] = [...streams];
  if (stream === undefined) throw new Error("Nothing was asked.");
  const complete = { method: "notifications/elicitation/complete", params: { elicitationId: "e1" } };
  write(stream, complete);
  expect(await next(messages)).toEqual({ jsonrpc: "2.0", ...complete });
  for (const [id] of streams) open.get(id)?.({ done: true });
  // The page is of no use any more, and that is all that the other one hears.
  expect(await next(others)).toMatchObject({ method: "notifications/cancelled" });
  expect(await next(others)).toMatchObject({ result: {} });
});

test.each([0, -1, 1.5, "", "0", "grüße", Number.MAX_SAFE_INTEGER])(
  "the id %j comes back as it was",
  async (id) => {
    const session = await openSession(url);
    expect((await session.request("tools/list", {}, id)).message).toMatchObject({ id, result: {} });
    expect((await modern(url, "tools/list", {}, id)).message).toMatchObject({ id, result: {} });
  },
);
