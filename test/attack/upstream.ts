import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { type Loopback, listen } from "../upstream/loopback.ts";

/** A request as it came over the wire. */
export interface Seen {
  readonly method: string;
  /** The request target, as sent. */
  readonly target: string;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** An upstream that remembers every request and every byte. */
export interface Upstream extends Loopback {
  readonly seen: readonly Seen[];
  /** All bytes of all connections, as Latin-1. */
  readonly bytes: () => string;
}

/** Answers one request; the body is read already. */
export type Answering = (seen: Seen, response: ServerResponse) => void;

/** Starts an upstream; by default it answers everything with `{"ok":true}`. */
export async function startUpstream(
  answer: Answering = (_seen, response) => sendJson(response, { ok: true }),
): Promise<Upstream> {
  const seen: Seen[] = [];
  const chunks: Buffer[] = [];
  const server = createServer({ maxHeaderSize: 1024 * 1024 }, async (request, response) => {
    const body: Buffer[] = [];
    for await (const chunk of request) if (chunk instanceof Buffer) body.push(chunk);
    const { method = "", url: target = "", headers, rawHeaders } = request;
    const one = { method, target, headers, rawHeaders, body: Buffer.concat(body).toString("utf8") };
    seen.push(one);
    answer(one, response);
  });
  server.on("connection", (socket: Socket) => {
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => {
      // The tests break connections on purpose.
    });
  });
  const loopback = await listen(server);
  return { ...loopback, seen, bytes: () => Buffer.concat(chunks).toString("latin1") };
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
}

/** A `tools/call` as an upstream MCP server gets it. */
export interface ToolCall {
  readonly id: JsonValue;
  readonly name: string;
  readonly given: JsonObject;
}

/** Starts an MCP server (2025-11-25, JSON answers) with these tools; what a call comes to is up to `onCall`. */
export function startMcpUpstream(
  tools: readonly JsonValue[],
  onCall: (call: ToolCall, response: ServerResponse, seen: Seen) => void = ({ id }, response) =>
    sendJson(response, { jsonrpc: "2.0", id, result: { content: [{ type: "text", text: "ok" }] } }),
): Promise<Upstream> {
  return startUpstream((seen, response) => {
    if (seen.method !== "POST") return void response.writeHead(seen.method === "DELETE" ? 200 : 405).end();
    const { id, method, params } = JSON.parse(seen.body);
    const reply = (result: object): void => sendJson(response, { jsonrpc: "2.0", id, result });
    if (method === "server/discover") sendJson(response, { jsonrpc: "2.0", id: null, error: noSession }, 400);
    else if (method === "initialize") {
      reply({
        protocolVersion: "2025-11-25",
        capabilities: { tools: {} },
        serverInfo: { name: "u", version: "1" },
      });
    } else if (method === "tools/list") reply({ tools });
    else if (method === "tools/call")
      onCall({ id, name: params.name, given: params.arguments ?? {} }, response, seen);
    else response.writeHead(202).end();
  });
}

const noSession = { code: -32000, message: "no session" };

/** The smallest declaration of an upstream tool that takes anything. */
export function plainTool(name: string, further: JsonObject = {}): JsonObject {
  return { name, description: `Runs ${name}.`, inputSchema: { type: "object" }, ...further };
}
