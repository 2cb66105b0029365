import { createServer, type RequestListener, type Server } from "node:http";
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from "node:net";
import type { HttpClient } from "../../src/upstream/http-client.ts";
import { createHttpClient, type HttpClientOptions } from "../../src/upstream/undici-client.ts";

/** A server on a free loopback port that knows its connections. */
export interface Loopback extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
  readonly host: string;
  /** Those that are open. */
  readonly connections: ReadonlySet<Socket>;
  /** How many were ever opened. */
  readonly opened: () => number;
}

export async function startHttp(listener: RequestListener): Promise<Loopback> {
  return listen(createServer(listener));
}

/** Speaks no HTTP by itself. */
export async function startTcp(onConnection: (socket: Socket) => void): Promise<Loopback> {
  return listen(
    createTcpServer((socket) => {
      socket.on("error", () => {
        // The tests break connections on purpose.
      });
      onConnection(socket);
    }),
  );
}

/** Answers each connection's first bytes with these, and ends it unless told otherwise. */
export async function startCanned(answer: string | Uint8Array, end = true): Promise<Loopback> {
  return startTcp((socket) => {
    socket.once("data", () => {
      socket.write(answer);
      if (end) socket.end();
    });
  });
}

export async function listen(server: Server | TcpServer, scheme = "http"): Promise<Loopback> {
  const connections = new Set<Socket>();
  let opened = 0;
  server.on("connection", (socket: Socket) => {
    opened += 1;
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${scheme}://${host}`,
    host,
    connections,
    opened: () => opened,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}

/** A port on which nobody listens. */
export async function unusedHost(): Promise<string> {
  const server = await startTcp(() => {});
  await server[Symbol.asyncDispose]();
  return server.host;
}

export function startClient(options: HttpClientOptions = {}): HttpClient & AsyncDisposable {
  const client = createHttpClient(options);
  return {
    request: (request) => client.request(request),
    stream: (request) => client.stream(request),
    close: () => client.close(),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** A signal that never aborts. */
export function noAbort(): AbortSignal {
  return new AbortController().signal;
}

/** The parts of a request that most tests do not care about. */
export function get(url: string): {
  method: string;
  url: string;
  headers: Record<string, string>;
  signal: AbortSignal;
} {
  return { method: "GET", url, headers: {}, signal: noAbort() };
}

export function textOf(body: Uint8Array): string {
  return new TextDecoder().decode(body);
}
