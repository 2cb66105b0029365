import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Counts what reached this process, so that a test can prove that a call did. */
export interface CallLog {
  /** Counts one more call under `name`. */
  count(name: string): void;
}

/** Answers one request; a rejection becomes a 500. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Serves on loopback until SIGTERM, on the port that `PORT` names (0: a free one), and prints
 * `listening on http://127.0.0.1:PORT` once it is ready. `GET /__calls` answers
 * `{total, calls: {NAME: COUNT}}` with what `log.count` was told.
 */
export function serve(createHandler: (log: CallLog) => RequestHandler, defaultPort: number): void {
  const calls = new Map<string, number>();
  const handle = createHandler({ count: (name) => calls.set(name, (calls.get(name) ?? 0) + 1) });

  const server = createServer((request, response) => {
    if (request.method === "GET" && request.url === "/__calls") {
      const total = calls.values().reduce((sum, count) => sum + count, 0);
      sendJson(response, 200, { total, calls: Object.fromEntries(calls) });
      return;
    }
    handle(request, response).catch((error: unknown) => {
      console.error(error);
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { title: "The bookshop made a mistake." });
    });
  });

  const stop = () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  };
  process.on("SIGTERM", stop);
  // Ctrl-C reaches every process of the terminal's group. A server that was forked leaves the order of
  // stopping to its parent, and stops by itself when the parent has gone.
  process.on("SIGINT", () => process.connected || stop());
  process.on("disconnect", stop);

  const port = Number(process.env["PORT"] ?? defaultPort);
  server.on("error", (error) => {
    console.error(`Cannot listen on port ${port} of 127.0.0.1: ${error.message}. PORT names another one.`);
    process.exit(1);
  });
  server.listen(port, "127.0.0.1", () => {
    // A server that listens on a host and port has an address of this type.
    const address = server.address() as AddressInfo;
    console.log(`listening on http://127.0.0.1:${address.port}`);
  });
}

/** The whole request body as text. */
export async function readBody(request: IncomingMessage): Promise<string> {
  return (await readBytes(request)).toString();
}

/** The whole request body. */
export async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Answers with JSON; `headers` may name another media type. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
      ...headers,
    })
    .end(text);
}

/** A signal that fires when the caller goes away before the answer is complete. */
export function abandoned(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.on("close", () => {
    if (!response.writableEnded) controller.abort();
  });
  return controller.signal;
}
