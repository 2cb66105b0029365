import { createServer } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import { listen } from "../../upstream/loopback.ts";
import { secureContext } from "./certificates.ts";
import type { Fault } from "./fault.ts";
import { type RawRequest, readRequests } from "./read-requests.ts";
import { answer, type Kind, type Wire } from "./wire.ts";

/** An upstream of all kinds at once that misbehaves on demand. */
export interface FaultServer extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
  readonly host: string;
  /** All connections are closed, and behave like that from now on; `undefined`: well again. */
  disturb(connection: Fault["connection"]): Promise<void>;
  /** Every answer meets this fault from now on, also those of handshakes and lists; `undefined`: what is asked for decides again. */
  plague(fault: Fault | undefined): void;
  /** The paths of token endpoints and key sets that answer well from now on. */
  heal(): void;
}

/** What is asked for, and which fault is wanted in the answer. */
interface Asked {
  readonly kind: Kind;
  readonly id: JsonValue;
  readonly fault: string | undefined;
}

/** What a server answers when all is well. */
export interface GoodAnswers {
  readonly keys: JsonValue;
}

/** Starts it on a free port; over TLS with the certificate that gateways under test trust. */
export async function startFaultServer(
  faults: readonly Fault[],
  good: GoodAnswers,
  { tls = false } = {},
): Promise<FaultServer> {
  const byName = new Map(faults.map((fault) => [fault.name, fault]));
  let disturbance: Fault["connection"];
  let plague: Fault | undefined;
  let isHealed = false;
  const server = createServer((socket) => {
    // Both sides break connections on purpose.
    socket.on("error", () => {});
    if (typeof disturbance === "function") return disturbance(socket);
    const stream: Duplex = tls
      ? new TLSSocket(socket, { isServer: true, secureContext: secureContext("self-signed") })
      : socket;
    stream.on("error", () => {});
    readRequests(stream, (request) => {
      const asked = readAsked(request, isHealed, plague?.name);
      if (asked === undefined) return void stream.write(answerBeside(request));
      const wire = wireOf(asked, stream, request, loopback.url, good);
      const act = asked.fault === undefined ? undefined : byName.get(asked.fault)?.act;
      if (act === undefined) answer(wire, wire.body());
      else act(wire);
    });
  });
  const loopback = await listen(server, tls ? "https" : "http");
  const port = Number(new URL(loopback.url).port);
  const closeAll = (): void => {
    for (const socket of loopback.connections) socket.destroy();
  };
  return {
    url: loopback.url,
    host: loopback.host,
    plague: (fault) => {
      plague = fault;
      closeAll();
    },
    heal: () => {
      isHealed = true;
    },
    disturb: async (connection) => {
      if (disturbance === "refuse") {
        await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
      }
      disturbance = connection;
      const closed =
        connection === "refuse" ? new Promise((resolve) => server.close(resolve)) : Promise.resolve();
      closeAll();
      await closed;
    },
    [Symbol.asyncDispose]: async () => {
      closeAll();
      if (disturbance !== "refuse") await loopback[Symbol.asyncDispose]();
    },
  };
}

/** Which answer may be bad; `undefined` for what comes before and beside. */
function readAsked(
  { method, target, body }: RawRequest,
  isHealed: boolean,
  always: string | undefined,
): Asked | undefined {
  const [path = "", name = ""] = target.slice(1).split("/").map(decodeURIComponent);
  const own = isHealed || name === "" ? undefined : name;
  if (path === "token") return { kind: "token endpoint", id: null, fault: own };
  if (path === "keys") return { kind: "JWKS", id: null, fault: own };
  if (method !== "POST" && always === undefined) return undefined;
  const { id = null, method: rpc, params, fault = always, variables } = JSON.parse(body === "" ? "{}" : body);
  if (path === "rest") return { kind: "REST", id: null, fault };
  if (path === "graphql") return { kind: "GraphQL", id: null, fault: variables?.fault ?? always };
  if (rpc !== "tools/call" && always === undefined) return undefined;
  const kind = path === "mcp-sse" ? "MCP SSE" : "MCP JSON";
  return { kind, id, fault: params?.arguments?.fault ?? always };
}

function wireOf(
  { kind, id }: Asked,
  socket: Duplex,
  request: RawRequest,
  url: string,
  good: GoodAnswers,
): Wire {
  const isStream = kind === "MCP SSE";
  const frame = (json: string): string => (isStream ? `data: ${json}\n\n` : json);
  const json = JSON.stringify(goodAnswer(kind, id, good));
  return {
    ...{ kind, id, socket, frame, url: `${url}${request.target}`, request: request.text },
    type: isStream ? "text/event-stream" : "application/json",
    body: (spare = "null") => frame(json.replace('"spare":null', () => `"spare":${spare}`)),
  };
}

function goodAnswer(kind: Kind, id: JsonValue, { keys }: GoodAnswers): JsonObject {
  switch (kind) {
    case "REST":
      return { value: "ok", spare: null };
    case "GraphQL":
      return { data: { go: "ok" }, extensions: { spare: null } };
    case "token endpoint":
      return { access_token: "ok", token_type: "Bearer", expires_in: 3_600, spare: null };
    case "JWKS":
      return { keys, spare: null };
    default: {
      const structuredContent = { value: "ok", spare: null };
      return { jsonrpc: "2.0", id, result: { content: [{ type: "text", text: "ok" }], structuredContent } };
    }
  }
}

/** What MCP needs before a tool can be called, and the resource behind the token endpoints. */
function answerBeside({ method, target, body, text }: RawRequest): string {
  if (target.startsWith("/behind")) {
    const isKnown = /\r\nauthorization: Bearer ok\r\n/i.test(text);
    return isKnown ? json({ value: "ok" }) : empty("401 Unauthorized");
  }
  if (method !== "POST") return empty(method === "DELETE" ? "200 OK" : "405 Method Not Allowed");
  const { id, method: rpc } = JSON.parse(body);
  if (rpc === "server/discover") {
    return json(
      { jsonrpc: "2.0", id: null, error: { code: -32000, message: "no session" } },
      "400 Bad Request",
    );
  }
  const result = handshake[rpc];
  return result === undefined ? empty("202 Accepted") : json({ jsonrpc: "2.0", id, result });
}

const handshake: Readonly<Record<string, JsonObject>> = {
  initialize: {
    protocolVersion: "2025-11-25",
    capabilities: { tools: {} },
    serverInfo: { name: "faults", version: "1" },
  },
  ping: {},
  "tools/list": { tools: [{ name: "go", description: "Goes.", inputSchema: { type: "object" } }] },
};

function empty(status: string): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`;
}

function json(value: JsonValue, status = "200 OK"): string {
  const text = JSON.stringify(value);
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}
