import type { ServerResponse } from "node:http";
import { onTestFinished } from "vitest";
import { asObject } from "../../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import { listenOn, respond } from "./peers.ts";

/** A request as the upstream got it. */
export interface Got {
  readonly method: string;
  readonly params: JsonObject;
  readonly session: string | undefined;
  readonly name: string | undefined;
}

/** What a request is answered with. */
export type Answer =
  | { readonly result: JsonObject }
  | { readonly error: { readonly code: number; readonly message: string; readonly data?: JsonValue } }
  | { readonly status: number };

/** What a test decides about the upstream. */
export interface FeatureScript {
  readonly era: "legacy" | "modern";
  readonly capabilities?: JsonObject;
  /** Answers a request that is no handshake, ping or subscription; `undefined`: it is unknown. */
  readonly answer?: (got: Got) => Answer | undefined | Promise<Answer | undefined>;
  /** What of a wished subscription a modern upstream grants; default all. */
  readonly grant?: (notifications: JsonObject) => JsonObject;
}

/** An upstream that has what a test says, of either era. */
export interface FeatureUpstream {
  readonly url: string;
  readonly got: readonly Got[];
  count(method: string): number;
  /** Sends a notification on every stream that is open for such things. */
  push(method: string, params?: JsonObject): void;
  /** Streams that are open for what it says unasked. */
  streams(): number;
  /** Ends them. */
  breakStreams(): void;
  /** Forgets all sessions. */
  forget(): void;
  /** Goes away. */
  stop(): Promise<void>;
}

/** Starts it; it is closed at the end of the test. */
export async function startFeatures(script: FeatureScript): Promise<FeatureUpstream> {
  const { era, capabilities = { tools: {}, prompts: {}, resources: { subscribe: true } } } = script;
  const got: Got[] = [];
  const streams = new Map<ServerResponse, JsonObject>();
  const sessions = new Set<string>();
  let opened = 0;
  const stream = (response: ServerResponse, meta: JsonObject): void => {
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    streams.set(response, meta);
    response.once("close", () => streams.delete(response));
  };
  const send = (response: ServerResponse, method: string, params: JsonObject): void =>
    void response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", method, params })}\n\n`);

  const peer = await listenOn(async (request, response) => {
    const session = request.headers["mcp-session-id"];
    const id = typeof session === "string" ? session : undefined;
    if (request.method === "DELETE") return void response.writeHead(200).end();
    if (request.method === "GET") {
      if (era === "modern") return void response.writeHead(405).end();
      if (id === undefined || !sessions.has(id)) return void response.writeHead(404).end();
      return stream(response, {});
    }
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const message: JsonObject = JSON.parse(text);
    const method = String(message["method"]);
    const params = asObject(message["params"]) ?? {};
    const name = request.headers["mcp-name"];
    got.push({ method, params, session: id, name: typeof name === "string" ? name : undefined });
    const reply = (body: object, status = 200): void =>
      respond(response, status, { jsonrpc: "2.0", id: message["id"], ...body });
    if (id !== undefined && !sessions.has(id)) return void response.writeHead(404).end();
    if (message["id"] === undefined || message["method"] === undefined)
      return void response.writeHead(202).end();
    if (method === "ping") return reply({ result: {} });
    if (method === "initialize" && era === "legacy") {
      opened += 1;
      sessions.add(`s${opened}`);
      response.setHeader("mcp-session-id", `s${opened}`);
      return reply({ result: { protocolVersion: "2025-11-25", capabilities, serverInfo: {} } });
    }
    if (method === "server/discover" && era === "modern") {
      return reply({ result: { supportedVersions: ["2026-07-28"], capabilities, resultType: "complete" } });
    }
    if (method === "subscriptions/listen" && era === "modern") {
      const meta = { "io.modelcontextprotocol/subscriptionId": message["id"] ?? null };
      stream(response, meta);
      const wanted = asObject(params["notifications"]) ?? {};
      const notifications = script.grant?.(wanted) ?? wanted;
      return send(response, "notifications/subscriptions/acknowledged", { notifications, _meta: meta });
    }
    const answer = (await script.answer?.(got.at(-1) ?? fail())) ?? unknown(method);
    if ("status" in answer) return void response.writeHead(answer.status).end();
    reply(answer);
  });
  onTestFinished(() => peer.close().catch(() => {}));
  return {
    url: peer.url,
    got,
    count: (method) => got.filter((request) => request.method === method).length,
    push: (method, params = {}) => {
      for (const [response, meta] of streams) {
        send(response, method, era === "modern" ? { ...params, _meta: meta } : params);
      }
    },
    streams: () => streams.size,
    breakStreams: () => {
      for (const response of streams.keys()) response.destroy();
    },
    forget: () => sessions.clear(),
    stop: peer.close,
  };
}

/** An upstream whose lists may change: `lists` is read at each request. */
export function listsFrom(
  lists: { [name: string]: JsonValue },
  more: JsonObject = {},
): (got: Got) => Answer | undefined {
  const members: Readonly<Record<string, string>> = {
    "tools/list": "tools",
    "prompts/list": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
  };
  return ({ method }) => {
    const member = members[method];
    if (member === undefined) return undefined;
    const list = lists[member] ?? [];
    return list === "unknown" ? undefined : { result: { [member]: list, ...more } };
  };
}

function unknown(method: string): Answer {
  const empty: Readonly<Record<string, string>> = {
    "tools/list": "tools",
    "prompts/list": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
  };
  const member = empty[method];
  if (member !== undefined) return { result: { [member]: [] } };
  if (method === "resources/subscribe" || method === "resources/unsubscribe") return { result: {} };
  return { error: { code: -32601, message: `There is no ${method}.` } };
}

function fail(): never {
  throw new Error("no request");
}
