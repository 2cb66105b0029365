// One upstream MCP server in all its shapes, for the crosstalk attack. As a program: `crosstalk-upstream.ts http` listens on a free port
// (`/legacy`, `/modern`, `/sse`, `/ledger`) and prints its URL; `crosstalk-upstream.ts stdio FILE` speaks on its pipes and appends to FILE
// whose canaries it has seen.
import { appendFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createInterface } from "node:readline";
import {
  type CrosstalkServer,
  createCrosstalkServer,
  type Json,
  type Send,
  type Session,
} from "./crosstalk-server.ts";

async function readJson(request: IncomingMessage): Promise<Json> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  return JSON.parse(body);
}

const event = (message: object): string => `data: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`;
const startStream = (response: ServerResponse): ServerResponse => {
  response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
  return response;
};

function serveHttp({ ledger, openSession, handle }: CrosstalkServer): void {
  const sessions = new Map<string, Session>();
  /** Answers by JSON, or by events once something is sent ahead of the answer. */
  const answerPost = async (session: Session, message: Json, response: ServerResponse): Promise<void> => {
    const leaving = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) leaving.abort();
    });
    const send: Send = (ahead) => {
      if (response.destroyed) return;
      if (!response.headersSent) startStream(response);
      response.write(event(ahead));
    };
    // Only without sessions does leaving cancel.
    const answer = await handle(
      session,
      message,
      send,
      session.shape === "modern" ? leaving.signal : undefined,
    );
    if (leaving.signal.aborted && session.shape === "modern") ledger.cancelled += 1;
    if (answer === undefined) return void response.writeHead(202).end();
    if (response.headersSent) return void response.end(event(answer));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://internal.invalid");
    if (url.pathname === "/ledger") return void response.end(JSON.stringify(ledger));
    if (url.pathname === "/modern") {
      if (request.method !== "POST") return void response.writeHead(405).end();
      const message = await readJson(request);
      if (message.method === "subscriptions/listen") {
        const _meta = { "io.modelcontextprotocol/subscriptionId": message.id };
        const { notifications } = message.params;
        startStream(response).write(
          event({ method: "notifications/subscriptions/acknowledged", params: { notifications, _meta } }),
        );
        return;
      }
      if (message.method === "initialize") {
        response.writeHead(400, { "content-type": "application/json" });
        const error = { code: -32022, message: "no", data: { supported: ["2026-07-28"] } };
        return void response.end(JSON.stringify({ jsonrpc: "2.0", id: message.id, error }));
      }
      ledger.opened -= 1;
      return answerPost(openSession("modern"), message, response);
    }
    if (url.pathname === "/sse" && request.method === "GET") {
      const session = openSession("sse", (message) => {
        if ("method" in message && message.method === "break") response.destroy();
        else response.write(event(message));
      });
      sessions.set(session.id, session);
      response.once("close", () => {
        sessions.delete(session.id);
        ledger.deleted += 1;
      });
      startStream(response).write(`event: endpoint\ndata: /sse?session=${session.id}\n\n`);
      return;
    }
    if (url.pathname === "/sse") {
      const session = sessions.get(url.searchParams.get("session") ?? "");
      if (session === undefined) return void response.writeHead(request.method === "POST" ? 404 : 405).end();
      const message = await readJson(request);
      response.writeHead(202).end();
      const send = session.unasked ?? (() => {});
      const answer = await handle(session, message, send);
      if (answer !== undefined) send(answer);
      return;
    }
    const known = sessions.get(String(request.headers["mcp-session-id"]));
    if (request.method === "DELETE") {
      if (known !== undefined && sessions.delete(known.id)) ledger.deleted += 1;
      return void response.writeHead(known === undefined ? 404 : 200).end();
    }
    if (request.method === "GET") {
      if (known === undefined || known.forgotten) return void response.writeHead(404).end();
      startStream(response);
      known.unasked = (message) => void response.write(event(message));
      return;
    }
    const message = await readJson(request);
    if (message.method === "initialize") {
      const session = openSession("legacy");
      sessions.set(session.id, session);
      response.setHeader("mcp-session-id", session.id);
      return answerPost(session, message, response);
    }
    // Answers to its questions are taken even from a client whose session it has forgotten.
    const isAnswer = message.method === undefined;
    if (known === undefined || (known.forgotten && !isAnswer)) {
      const status = known === undefined && request.headers["mcp-session-id"] === undefined ? 400 : 404;
      return void response.writeHead(status).end();
    }
    return answerPost(known, message, response);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      ledger.violations.push(`server: ${String(error)}`);
      response.destroy();
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (address !== null && typeof address === "object")
      process.stdout.write(`http://127.0.0.1:${address.port}\n`);
  });
  // It ends with the tests, whatever becomes of them.
  process.stdin.resume().on("end", () => process.exit());
}

function serveStdio(file: string): void {
  const write: Send = (message) =>
    void process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const { ledger, openSession, handle } = createCrosstalkServer((session, home) =>
    appendFileSync(file, `${JSON.stringify([session, home])}\n`),
  );
  const session = openSession("stdio", write);
  createInterface({ input: process.stdin })
    .on("line", async (line) => {
      const before = ledger.violations.length;
      const answer = await handle(session, JSON.parse(line), write);
      if (answer !== undefined) write(answer);
      for (const violation of ledger.violations.slice(before))
        appendFileSync(file, `${JSON.stringify(["violation", violation])}\n`);
    })
    .on("close", () => process.exit());
}

if (process.argv[2] === "stdio") serveStdio(process.argv[3] ?? "");
else serveHttp(createCrosstalkServer());
