import { randomUUID } from "node:crypto";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { type NodeIncomingMessageLike, toNodeHandler } from "@modelcontextprotocol/node";
import { McpServer as McpServerV1 } from "@modelcontextprotocol/sdk/server/mcp.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { ElicitResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { acceptedContent, createMcpHandler, inputRequired, McpServer } from "@modelcontextprotocol/server";
import * as z from "zod/v4";

/** A server on loopback. */
export interface Peer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Serves `listener` on a free port, or on the one given. */
export async function listenOn(listener: RequestListener, port = 0): Promise<Peer> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/mcp`,
    port: address.port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

const nameSchema = {
  type: "object" as const,
  properties: { name: { type: "string" as const } },
  required: ["name"],
};

/** What a peer of the handshake era lets a test see and do. */
export interface LegacyPeer extends Peer {
  /** `name value` for what happened, in order. */
  readonly events: readonly string[];
  /** Requests as they came: method and headers. */
  readonly requests: readonly { readonly method: string; readonly headers: IncomingMessage["headers"] }[];
  /** Adds a tool to all sessions, which tells the clients. */
  addTool(name: string): void;
  /** Forgets all sessions, as after a restart. */
  forget(): void;
}

function createV1Server(events: string[]): McpServerV1 {
  const server = new McpServerV1(
    { name: "peer-v1", version: "1" },
    { capabilities: { logging: {}, tools: { listChanged: true } } },
  );
  server.registerTool(
    "echo",
    { description: "Echoes.", inputSchema: { text: z.string() } },
    async ({ text }) => {
      events.push(`echo ${text}`);
      return { content: [{ type: "text", text }] };
    },
  );
  server.registerTool("fail", { description: "Fails." }, async () => {
    throw new Error("it broke");
  });
  server.registerTool("steps", { description: "Tells of its progress." }, async (extra) => {
    const progressToken = extra._meta?.progressToken ?? "none";
    for (const progress of [1, 2]) {
      await extra.sendNotification({
        method: "notifications/progress",
        params: { progressToken, progress, total: 2 },
      });
    }
    await extra.sendNotification({
      method: "notifications/message",
      params: { level: "info", data: "done" },
    });
    return { content: [{ type: "text", text: "two steps" }] };
  });
  server.registerTool("ask", { description: "Asks for a name." }, async (extra) => {
    const answer = await extra.sendRequest(
      { method: "elicitation/create", params: { message: "Name?", requestedSchema: nameSchema } },
      ElicitResultSchema,
    );
    return { content: [{ type: "text", text: `Hello ${String(answer.content?.["name"])}` }] };
  });
  server.registerTool("wait", { description: "Waits until it is cancelled." }, async (extra) => {
    events.push("wait began");
    await new Promise((resolve) => extra.signal.addEventListener("abort", resolve));
    events.push("wait cancelled");
    return { content: [] };
  });
  return server;
}

/** An official v1 server over Streamable HTTP with sessions. */
export async function startStreamableV1(
  options: { readonly jsonResponses?: boolean; readonly port?: number } = {},
): Promise<LegacyPeer> {
  const events: string[] = [];
  const requests: { method: string; headers: IncomingMessage["headers"] }[] = [];
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const servers = new Set<McpServerV1>();
  const peer = await listenOn(async (request, response) => {
    requests.push({ method: request.method ?? "", headers: request.headers });
    const id = request.headers["mcp-session-id"];
    let transport = typeof id === "string" ? transports.get(id) : undefined;
    if (transport === undefined && id !== undefined) {
      respond(response, 404, {
        jsonrpc: "2.0",
        id: null,
        error: { code: -32001, message: "Session not found" },
      });
      return;
    }
    if (transport === undefined) {
      const created = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        enableJsonResponse: options.jsonResponses ?? false,
        onsessioninitialized: (session) => {
          transports.set(session, created);
          events.push("session opened");
        },
        onsessionclosed: (session) => {
          transports.delete(session);
          events.push("session closed");
        },
      });
      const server = createV1Server(events);
      servers.add(server);
      // The SDK's own type disagrees with itself under exactOptionalPropertyTypes.
      await server.connect(created as Parameters<McpServerV1["connect"]>[0]);
      transport = created;
    }
    await transport.handleRequest(request, response);
  }, options.port);
  return {
    ...peer,
    events,
    requests,
    addTool: (name) => {
      for (const server of servers)
        server.registerTool(name, { description: name }, async () => ({ content: [] }));
    },
    forget: () => transports.clear(),
    close: async () => {
      for (const server of servers) await server.close();
      await peer.close();
    },
  };
}

/** An official v1 server over HTTP+SSE of 2024-11-05: `GET /mcp`, `POST /messages`. */
export async function startSseV1(): Promise<LegacyPeer> {
  const events: string[] = [];
  const requests: { method: string; headers: IncomingMessage["headers"] }[] = [];
  const transports = new Map<string, SSEServerTransport>();
  const servers = new Set<McpServerV1>();
  const peer = await listenOn(async (request, response) => {
    requests.push({ method: request.method ?? "", headers: request.headers });
    const url = new URL(request.url ?? "/", "http://localhost");
    if (request.method === "GET" && url.pathname === "/mcp") {
      const transport = new SSEServerTransport("/messages", response);
      transports.set(transport.sessionId, transport);
      const server = createV1Server(events);
      servers.add(server);
      await server.connect(transport);
      return;
    }
    const transport = transports.get(url.searchParams.get("sessionId") ?? "");
    if (request.method === "POST" && url.pathname === "/messages" && transport !== undefined) {
      await transport.handlePostMessage(request, response);
    } else response.writeHead(405).end();
  });
  return {
    ...peer,
    events,
    requests,
    addTool: (name) => {
      for (const server of servers)
        server.registerTool(name, { description: name }, async () => ({ content: [] }));
    },
    forget: () => transports.clear(),
    close: async () => {
      for (const server of servers) await server.close();
      await peer.close();
    },
  };
}

/** What a peer without a handshake lets a test see and do. */
export interface ModernPeer extends Peer {
  readonly events: readonly string[];
  readonly requests: readonly { readonly method: string; readonly headers: IncomingMessage["headers"] }[];
  /** Adds a tool and tells the clients. */
  addTool(name: string): void;
}

/** An official v2 server of 2026-07-28 only. */
export async function startModern(): Promise<ModernPeer> {
  const events: string[] = [];
  const requests: { method: string; headers: IncomingMessage["headers"] }[] = [];
  const added: string[] = [];
  const handler = createMcpHandler(() => createV2Server(events, added), { legacy: "reject" });
  const handle = toNodeHandler(handler);
  const peer = await listenOn((request, response) => {
    requests.push({ method: request.method ?? "", headers: request.headers });
    // The SDK's own type disagrees with Node's under exactOptionalPropertyTypes.
    void handle(request as NodeIncomingMessageLike, response);
  });
  return {
    ...peer,
    events,
    requests,
    addTool: (name) => {
      added.push(name);
      handler.notify.toolsChanged();
    },
    close: async () => {
      await handler.close();
      await peer.close();
    },
  };
}

function createV2Server(events: string[], added: readonly string[]): McpServer {
  const server = new McpServer(
    { name: "peer-v2", version: "1" },
    { capabilities: { logging: {}, tools: { listChanged: true } } },
  );
  server.registerTool(
    "echo",
    { description: "Echoes.", inputSchema: z.object({ text: z.string() }) },
    async ({ text }) => ({
      content: [{ type: "text", text }],
    }),
  );
  server.registerTool(
    "routed",
    {
      description: "Has a parameter that is a header too.",
      inputSchema: z.object({
        region: z.string().meta({ "x-mcp-header": "Region" }),
        size: z.int().optional().meta({ "x-mcp-header": "Size" }),
      }),
    },
    async (args) => ({ content: [{ type: "text", text: JSON.stringify(args) }] }),
  );
  server.registerTool(
    "steps",
    { description: "Tells of its progress.", inputSchema: z.object({}) },
    async (_args, context) => {
      const progressToken = context.mcpReq._meta?.progressToken ?? "none";
      for (const progress of [1, 2]) {
        await context.mcpReq.notify({
          method: "notifications/progress",
          params: { progressToken, progress, total: 2 },
        });
      }
      return { content: [{ type: "text", text: "two steps" }] };
    },
  );
  server.registerTool(
    "ask",
    { description: "Asks twice.", inputSchema: z.object({}) },
    async (_args, context) => {
      const state = context.mcpReq.requestState();
      const answer = acceptedContent(context.mcpReq.inputResponses, "name");
      const question = { name: inputRequired.elicit({ message: "Name?", requestedSchema: nameSchema }) };
      if (answer === undefined) return inputRequired({ inputRequests: question });
      if (state === undefined)
        return inputRequired({ inputRequests: question, requestState: `é:${String(answer["name"])}` });
      return { content: [{ type: "text", text: `Hello ${String(state)} ${String(answer["name"])}` }] };
    },
  );
  server.registerTool(
    "wait",
    { description: "Waits until it is cancelled.", inputSchema: z.object({}) },
    async (_args, context) => {
      events.push("wait began");
      await new Promise((resolve) => context.mcpReq.signal.addEventListener("abort", resolve));
      events.push("wait cancelled");
      return { content: [] };
    },
  );
  for (const name of added)
    server.registerTool(name, { description: name, inputSchema: z.object({}) }, async () => ({
      content: [],
    }));
  return server;
}

/** Answers with JSON. */
export function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
