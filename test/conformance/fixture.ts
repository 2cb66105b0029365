// The upstream of the conformance suites, on a free port of loopback: a server of the official SDK for each era.
//
//   /legacy  versions with sessions, up to 2025-11-25
//   /modern  2026-07-28
import { randomBytes, randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { type NodeIncomingMessageLike, toNodeHandler } from "@modelcontextprotocol/node";
import {
  createMcpHandler,
  createRequestStateCodec,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
  type RequestStateCodec,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { serve } from "../../examples/upstream/serve.ts";
import type { CallState } from "./asking-tools.ts";
import { createEventStore } from "./event-store.ts";
import { createFixtureServer, type FixtureServer } from "./fixture-server.ts";
import { ListChanges } from "./list-changes.ts";

type Endpoint = (request: Request) => Promise<Response>;

function createModernEndpoint(states: RequestStateCodec<CallState>): Endpoint {
  const handler = createMcpHandler(() => createFixtureServer(changes, states).server, { legacy: "reject" });
  const changes: ListChanges = new ListChanges((list) => {
    if (list === "tools") handler.notify.toolsChanged();
    else handler.notify.promptsChanged();
  });
  return (request) => handler.fetch(request);
}

function createLegacyEndpoint(states: RequestStateCodec<CallState>): Endpoint {
  interface Session {
    readonly fixture: FixtureServer;
    readonly transport: WebStandardStreamableHTTPServerTransport;
  }
  const sessions = new Map<string, Session>();
  const changes = new ListChanges((list) => {
    for (const { fixture } of sessions.values()) fixture.refresh(list);
  });

  return async (request) => {
    const id = request.headers.get("mcp-session-id");
    if (id !== null) {
      const session = sessions.get(id);
      return session?.transport.handleRequest(request) ?? new Response("No such session.", { status: 404 });
    }
    const fixture = createFixtureServer(changes, states);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: createEventStore(),
      retryInterval: 100,
      onsessioninitialized: (sessionId) => {
        sessions.set(sessionId, { fixture, transport });
      },
      onsessionclosed: (sessionId) => {
        sessions.delete(sessionId);
      },
    });
    await fixture.server.connect(transport);
    return transport.handleRequest(request);
  };
}

const states = createRequestStateCodec<CallState>({ key: randomBytes(32) });
const endpoints: Readonly<Record<string, Endpoint>> = {
  "/legacy": createLegacyEndpoint(states),
  "/modern": createModernEndpoint(states),
};
const handle = toNodeHandler({
  fetch: async (request) =>
    hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
    originValidationResponse(request, localhostAllowedOrigins()) ??
    endpoints[new URL(request.url).pathname]?.(request) ??
    new Response("There is nothing here.", { status: 404 }),
});
serve(
  () => (request, response) => {
    if (request.method === "GET") sendHeadersAtOnce(response);
    // A request that came in has a method and a URL; its type, which also stands for responses, does not say so.
    return handle(request as NodeIncomingMessageLike, response);
  },
  0,
);

/** The adapter holds the headers of a stream back until its first event; who waits for the stream to stand would wait in vain. */
function sendHeadersAtOnce(response: ServerResponse): void {
  const writeHead = response.writeHead.bind(response);
  response.writeHead = (...given: readonly unknown[]) => {
    Reflect.apply(writeHead, response, given);
    response.flushHeaders();
    return response;
  };
}
