// The bookshop as an MCP server over Streamable HTTP, for clients of both eras:
//
//   POST /mcp        open to everybody
//   POST /staff/mcp  for the staff, who have a tool more and show a bearer token
//
//   PORT                where to listen on loopback; 0 for a free port (4012)
//   BOOKSHOP_MCP_TOKEN  the bearer token of the staff (demo-mcp-token)
import { randomUUID } from "node:crypto";
import { type NodeIncomingMessageLike, toNodeHandler } from "@modelcontextprotocol/node";
import {
  createMcpHandler,
  isLegacyRequest,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { Bookshop } from "./bookshop.ts";
import { createMcpServer } from "./mcp-server.ts";
import { type CallLog, type RequestHandler, sendJson, serve } from "./serve.ts";

const staffToken = process.env["BOOKSHOP_MCP_TOKEN"] ?? "demo-mcp-token";

function createHandler(log: CallLog): RequestHandler {
  const shop = new Bookshop();
  const visitors = createEndpoint(() => createMcpServer({ shop, log, staff: false }), log);
  const staff = createEndpoint(() => createMcpServer({ shop, log, staff: true }), log);

  return async (request, response) => {
    if (request.url === "/mcp") await visitors(request, response);
    else if (request.url !== "/staff/mcp") sendJson(response, 404, { error: "not_found" });
    else if (request.headers.authorization === `Bearer ${staffToken}`) await staff(request, response);
    else {
      log.count("refused");
      response.setHeader("www-authenticate", 'Bearer realm="bookshop staff"');
      sendJson(response, 401, { error: "invalid_token" });
    }
  };
}

/**
 * One address for both eras: requests of 2026-07-28 stand alone, older clients get a session, which is what lets
 * the server ask them something in the middle of a call.
 */
function createEndpoint(createServer: () => McpServer, log: CallLog): RequestHandler {
  const modern = createMcpHandler(createServer, { legacy: "reject" });
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();

  async function legacy(request: Request): Promise<Response> {
    const id = request.headers.get("mcp-session-id");
    if (id !== null) {
      const session = sessions.get(id);
      return session
        ? session.handleRequest(request)
        : Response.json({ error: "no_session" }, { status: 404 });
    }
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (sessionId) => {
        sessions.set(sessionId, transport);
      },
      onsessionclosed: (sessionId) => {
        sessions.delete(sessionId);
      },
    });
    await createServer().connect(transport);
    return transport.handleRequest(request);
  }

  const handle = toNodeHandler({
    async fetch(request, options) {
      if (request.method === "POST") log.count(await nameOf(request.clone()));
      return (await isLegacyRequest(request)) ? legacy(request) : modern.fetch(request, options);
    },
  });
  // A request that came in has a method and a URL; its type, which also stands for responses, does not say so.
  return (request, response) => handle(request as NodeIncomingMessageLike, response);
}

/** The method of a message, and the tool when it calls one: `tools/call search_books`. */
async function nameOf(request: Request): Promise<string> {
  try {
    const { method, params } = JSON.parse(await request.text());
    return method === "tools/call" ? `${method} ${params?.name}` : (method ?? "response");
  } catch {
    return "malformed";
  }
}

serve(createHandler, 4012);
