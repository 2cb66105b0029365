import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http";
import { text as readText } from "node:stream/consumers";
import type { JsonValue } from "../../../src/model/json.ts";

/** One request as it came. */
export interface ReceivedRequest {
  /** Method and path. */
  readonly route: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: JsonValue | undefined;
}

/** What to answer: JSON, or bytes as they are. */
export interface CannedAnswer {
  readonly status?: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly json?: JsonValue;
  readonly raw?: string;
}

/** A server on this machine that answers as it is told and keeps what it was asked. */
export interface LoopbackGateway {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** The answers by method and path, such as `GET /api/v1/users`; `*` for all others. */
  answers: Readonly<Record<string, CannedAnswer>>;
  close(): Promise<void>;
}

/** Starts one on a free port. */
export async function startLoopbackGateway(): Promise<LoopbackGateway> {
  const requests: ReceivedRequest[] = [];
  const server = createServer(async (request, response) => {
    const route = `${request.method} ${request.url}`;
    const body = await readText(request);
    requests.push({ route, headers: request.headers, body: body === "" ? undefined : JSON.parse(body) });
    const answer: CannedAnswer = gateway.answers[route] ??
      gateway.answers["*"] ?? { status: 404, json: noRoute };
    const { status = 200, headers = {}, json, raw } = answer;
    if (json !== undefined) response.setHeader("content-type", "application/json");
    response.writeHead(status, headers).end(json === undefined ? raw : JSON.stringify(json));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  const gateway: LoopbackGateway = {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    answers: {},
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return gateway;
}

const noRoute = { error: { code: "not_found", message: "There is no such route." } };
