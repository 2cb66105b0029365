import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { complainOnce } from "../complain-once.ts";
import type { LimitsConfig, RequestLimits } from "../model/limits.ts";
import { type CallerAddress, createCallerAddress } from "./caller-address.ts";
import { measureHead } from "./check-headers.ts";
import { Connections } from "./connections.ts";
import { createEvictions, evictionPause, type PatienceLimits } from "./evict-slow-clients.ts";
import { type Exchange, sendJson } from "./exchange.ts";
import { readTarget } from "./read-target.ts";
import {
  type ConnectionRefusal,
  explainClientError,
  headTooLarge,
  refuseConnection,
} from "./refuse-connection.ts";

/** What a server of node:http is made of. */
export interface HttpServerParts {
  /** As of now; what is said of connections and headers counts as it was at the start. */
  readonly limits: () => Pick<LimitsConfig, "requests" | "connections">;
  /** Addresses and networks of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** Takes each request whose head is whole and within the limits. */
  readonly handle: (exchange: Exchange) => void;
  readonly log: (message: string, cause?: unknown) => void;
}

/** A server of node:http, and what it is connected to. */
export interface HttpServer {
  readonly server: Server;
  readonly connections: Connections;
}

/** How often Node looks for connections whose head does not come. */
const checkingMilliseconds = 1_000;

/**
 * Makes a server that does not listen yet. What is no request of HTTP/1.1, has too large a head, or comes too slowly is answered here; the
 * rest comes as exchanges.
 */
export function createHttpServer({ limits, trustedProxies, handle, log }: HttpServerParts): HttpServer {
  const { requests: atStart, connections: ofConnections } = limits();
  const callers = createCallerAddress(trustedProxies);
  const server = createServer({
    maxHeaderSize: atStart.headerBytes,
    headersTimeout: atStart.headerMilliseconds,
    // Bodies have a pace of their own, however large they are.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(checkingMilliseconds, atStart.headerMilliseconds / 4),
    keepAliveTimeout: ofConnections.keepAliveMilliseconds,
  });
  // Node would drop what is beyond in silence; the size of all headers together is bounded anyway.
  server.maxHeadersCount = 0;
  const complain = complainOnce(log, () => performance.now());
  const connections = new Connections(server, {
    limits: ofConnections,
    isProxy: callers.isProxy,
    log: (message) => complain(message, undefined),
  });

  const begin = (request: IncomingMessage, response: ServerResponse): Exchange => {
    const exchange = createExchange(request, response, limits().requests, callers);
    connections.begin(exchange);
    return exchange;
  };
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const exchange = begin(request, response);
    const problem = checkHead(request, atStart);
    if (problem === undefined) handle(exchange);
    else sendRefusal(exchange, problem);
  };
  server.on("request", take);
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    // Node looks for the word alone, whatever stands beside it.
    if (request.headers.expect?.toLowerCase() !== "100-continue") {
      sendRefusal(begin(request, response), unknownExpectation);
      return;
    }
    // A body that will be refused for its size need not come.
    if (Number(request.headers["content-length"] ?? 0) <= limits().requests.bodyBytes)
      response.writeContinue();
    take(request, response);
  });
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    sendRefusal(begin(request, response), unknownExpectation);
  });
  server.on("connect", (_request: IncomingMessage, socket: Duplex) => refuseConnection(socket, noProxy));
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    const refusal = explainClientError(error.code, atStart);
    const unfinished = connections.unfinished(socket);
    // Whoever waits for its body gets none.
    unfinished?.leave();
    if (unfinished !== undefined && !unfinished.response.headersSent) sendRefusal(unfinished, refusal);
    // What has begun is answered, and an answer to this would be taken for that one. Nothing more is read.
    if (connections.closeWhenAnswered(socket)) socket.pause();
    else refuseConnection(socket, refusal);
  });
  watchPace(server, connections, () => ({ ...limits().requests, ...limits().connections }));
  return { server, connections };
}

const noProxy: ConnectionRefusal = {
  status: 405,
  code: "method_not_allowed",
  message: "The gateway is no proxy for connections.",
};

const unknownExpectation: ConnectionRefusal = {
  status: 417,
  code: "bad_request",
  message: "Of all expectations only `100-continue` is met.",
};

/** What is wrong with a head that could be read; `undefined`: nothing. */
function checkHead(request: IncomingMessage, limits: RequestLimits): ConnectionRefusal | undefined {
  const { bytes, headers } = measureHead(request);
  if (bytes > limits.headerBytes)
    return headTooLarge(`${limits.headerBytes} bytes (\`limits.requests.header_size\`)`);
  if (headers > limits.headers)
    return headTooLarge(`${limits.headers} headers (\`limits.requests.header_count\`)`);
  return undefined;
}

function sendRefusal(exchange: Exchange, { status, code, message }: ConnectionRefusal): void {
  const headers = { "gateway-error": code, "cache-control": "no-store", connection: "close" };
  sendJson(exchange, status, { error: { code, message } }, headers);
}

/** Makes rounds while the server listens. */
function watchPace(server: Server, connections: Connections, limits: () => PatienceLimits): void {
  const evict = createEvictions({ connections: () => connections.all(), limits });
  let rounds: NodeJS.Timeout | undefined;
  server.on("listening", () => {
    clearInterval(rounds);
    rounds = setInterval(evict, evictionPause(limits())).unref();
  });
  server.on("close", () => clearInterval(rounds));
}

function createExchange(
  request: IncomingMessage,
  response: ServerResponse,
  limits: RequestLimits,
  callers: CallerAddress,
): Exchange {
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  response.once("close", () => {
    if (!response.writableFinished) leave();
  });
  const { path, query } = readTarget(request);
  return {
    request,
    response,
    path,
    query,
    limits,
    address: callers.of(request),
    signal: leaving.signal,
    leave,
  };
}
