import type { IncomingMessage, ServerResponse } from "node:http";
import { onTestFinished } from "vitest";
import { listenOn, respond } from "./peers.ts";

/** A message as a test reads it. */
export interface Received {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: {
    readonly name?: string;
    readonly arguments?: Readonly<Record<string, unknown>>;
    readonly _meta?: Readonly<Record<string, unknown>>;
  };
  readonly error?: { readonly code: number };
  readonly result?: object;
}

/** What a scripted upstream does in its own way. */
export interface Script {
  readonly tools?: readonly string[];
  readonly call?: (message: Received, response: ServerResponse) => void;
  /** Runs before the list is answered; what it holds was read before. */
  readonly list?: () => Promise<void> | void;
  readonly get?: (request: IncomingMessage, response: ServerResponse) => void;
  /** True: it has answered, or never will. */
  readonly intercept?: (message: Received, response: ServerResponse) => boolean;
}

/** A server of the handshake era that a test writes. */
export interface ScriptedUpstream {
  readonly url: string;
  readonly received: readonly Received[];
  /** `GET id`, `DELETE id`, by session id. */
  readonly visits: readonly string[];
  readonly sessions: () => number;
  readonly tools: string[];
  /** Sends a message on every open GET stream. */
  push(message: object): void;
  count(method: string): number;
}

/** Starts it; it is closed at the end of the test. */
export async function startScripted(script: Script = {}): Promise<ScriptedUpstream> {
  const received: Received[] = [];
  const visits: string[] = [];
  const streams = new Set<ServerResponse>();
  const tools = [...(script.tools ?? ["go"])];
  let sessions = 0;
  const listTools = async (reply: (result: object) => void): Promise<void> => {
    const listed = tools.map((name) => ({ name, inputSchema: { type: "object" } }));
    await script.list?.();
    reply({ tools: listed });
  };
  const peer = await listenOn(async (request, response) => {
    if (request.method !== "POST") visits.push(`${request.method} ${request.headers["mcp-session-id"]}`);
    if (request.method === "GET") {
      if (script.get !== undefined) return script.get(request, response);
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      streams.add(response);
      response.once("close", () => streams.delete(response));
      return;
    }
    if (request.method !== "POST") return void response.writeHead(200).end();
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const message: Received = JSON.parse(text);
    received.push(message);
    if (script.intercept?.(message, response) === true) return;
    const reply = (result: object): void =>
      respond(response, 200, { jsonrpc: "2.0", id: message.id, result });
    if (message.method === "initialize") {
      sessions += 1;
      response.setHeader("mcp-session-id", `s${sessions}`);
      reply({
        protocolVersion: "2025-11-25",
        capabilities: { tools: { listChanged: true } },
        serverInfo: {},
      });
    } else if (message.method === "tools/list") await listTools(reply);
    else if (message.method === "tools/call") {
      if (script.call === undefined) reply({ content: [{ type: "text", text: "done" }] });
      else script.call(message, response);
    } else response.writeHead(message.method === "server/discover" ? 400 : 202).end();
  });
  onTestFinished(() => peer.close());
  return {
    url: peer.url,
    received,
    visits,
    sessions: () => sessions,
    tools,
    push: (message) => {
      for (const stream of streams)
        stream.write(`data: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`);
    },
    count: (method) => received.filter((message) => message.method === method).length,
  };
}

/** Answers a call with a text. */
export function answer(response: ServerResponse, { id }: Received, text = "done"): void {
  respond(response, 200, { jsonrpc: "2.0", id, result: { content: [{ type: "text", text }] } });
}
