import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { type NodeIncomingMessageLike, toNodeHandler } from "@modelcontextprotocol/node";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { createLegacyServer } from "./era-legacy-server.ts";
import { createModernServer } from "./era-modern-server.ts";
import { type EraChange, EraSubject } from "./era-subject.ts";

/** The upstreams of the matrix: versions over HTTP, and both eras at the standard input. */
export const upstreamKinds = [
  "2024-11-05",
  "2025-03-26",
  "2025-06-18",
  "2025-11-25",
  "2026-07-28",
  "stdio legacy",
  "stdio modern",
] as const;

/** One of them. */
export type UpstreamKind = (typeof upstreamKinds)[number];

/** The version that it speaks. */
export function versionOf(kind: string): string {
  if (kind === "stdio legacy") return "2025-11-25";
  return kind === "stdio modern" ? "2026-07-28" : kind;
}

/** Those over HTTP, which run in this process. */
export interface HttpUpstreams {
  readonly url: (kind: UpstreamKind) => string;
  readonly stop: () => Promise<void>;
}

/** The program and arguments of one at the standard input. */
export function stdioCommand(kind: "stdio legacy" | "stdio modern"): readonly string[] {
  return [process.execPath, join(import.meta.dirname, "era-stdio-upstream.ts"), kind.slice("stdio ".length)];
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Starts all of them behind one port. */
export async function startHttpUpstreams(): Promise<HttpUpstreams> {
  const handlers = new Map<string, Handler>([
    ["2024-11-05", oldSse()],
    ...["2025-03-26", "2025-06-18", "2025-11-25"].map((version) => [version, streamable(version)] as const),
    ["2026-07-28", modern()],
  ]);
  const server = createServer((request, response) => {
    const version = request.url?.split(/[/?]/)[1] ?? "";
    const handle = handlers.get(version) ?? ((_request, answer) => void answer.writeHead(404).end());
    void handle(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The upstreams do not listen.");
  return {
    url: (kind) => `http://127.0.0.1:${address.port}/${kind}/mcp`,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** HTTP+SSE: a stream by GET that names the address to post to. */
function oldSse(): Handler {
  const listeners = new Set<(change: EraChange) => void>();
  const subject = new EraSubject((change) => listeners.forEach((listener) => void listener(change)));
  const transports = new Map<string, SSEServerTransport>();
  return async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    if (pathname.endsWith("/messages")) {
      const transport = transports.get(searchParams.get("sessionId") ?? "");
      if (transport === undefined) return void response.writeHead(404).end();
      return transport.handlePostMessage(request, response, pinned(await readBody(request), "2024-11-05"));
    }
    if (request.method !== "GET") return void response.writeHead(405, { allow: "GET" }).end();
    const transport = new SSEServerTransport("/2024-11-05/messages", response);
    const { server, announce } = createLegacyServer(subject, "2024-11-05");
    transports.set(transport.sessionId, transport);
    listeners.add(announce);
    server.onclose = () => {
      transports.delete(transport.sessionId);
      listeners.delete(announce);
    };
    await server.connect(transport);
  };
}

function streamable(version: string): Handler {
  const listeners = new Set<(change: EraChange) => void>();
  const subject = new EraSubject((change) => listeners.forEach((listener) => void listener(change)));
  const transports = new Map<string, StreamableHTTPServerTransport>();
  return async (request, response) => {
    const id = request.headers["mcp-session-id"];
    const body = request.method === "POST" ? pinned(await readBody(request), version) : undefined;
    const known = transports.get(typeof id === "string" ? id : "");
    if (known !== undefined) return known.handleRequest(request, response, body);
    if (id !== undefined) return void response.writeHead(404).end();
    const { server, announce } = createLegacyServer(subject, version);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (sessionId) => {
        transports.set(sessionId, transport);
        listeners.add(announce);
      },
    });
    server.onclose = () => {
      transports.delete(transport.sessionId ?? "");
      listeners.delete(announce);
    };
    // The SDK's own declarations disagree under exactOptionalPropertyTypes (`sessionId`), hence the structural detour.
    const structural: unknown = transport;
    await server.connect(structural as Parameters<typeof server.connect>[0]);
    await transport.handleRequest(request, response, body);
  };
}

function modern(): Handler {
  const subject = new EraSubject((change) => {
    if ("uri" in change) handler.notify.resourceUpdated(change.uri);
    else if (change.list === "tools") handler.notify.toolsChanged();
    else if (change.list === "prompts") handler.notify.promptsChanged();
    else handler.notify.resourcesChanged();
  });
  const handler = createMcpHandler(() => createModernServer(subject).server, { legacy: "reject" });
  const handle = toNodeHandler({ fetch: (request) => handler.fetch(request) });
  // A request that came in has a method and a URL; its type, which also stands for responses, does not say so.
  return (request, response) => void handle(request as NodeIncomingMessageLike, response);
}

/** Servers of the SDK speak whatever version of several is asked for; the matrix wants one. */
function pinned(message: unknown, protocolVersion: string): unknown {
  if (typeof message !== "object" || message === null || !("method" in message)) return message;
  if (message.method !== "initialize" || !("params" in message)) return message;
  return { ...message, params: { ...Object(message.params), protocolVersion } };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  return JSON.parse(Buffer.concat(parts).toString("utf8"));
}
