import type { IncomingMessage, ServerResponse } from "node:http";
import { GatewayError } from "../errors.ts";
import { type JsonLimits, parseJsonBytes } from "../json/parse-json-bytes.ts";
import { isJsonObject } from "../json-object.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import type { RequestLimits } from "../model/limits.ts";
import { endResponse } from "./end-response.ts";

/** One HTTP request and the response to it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Path without query, percent-encoding as sent. */
  readonly path: string;
  /** What follows `?`; empty when nothing does. */
  readonly query: string;
  /** What the request may be, as of when it came. */
  readonly limits: RequestLimits;
  /** Of whoever caused it, for what counts by address: that of the peer, or what a trusted proxy says. */
  readonly address: string;
  /** Aborts when the client leaves before the response is complete. */
  readonly signal: AbortSignal;
  /** Aborts `signal`: the client is given up, whatever it still sends. */
  readonly leave: () => void;
}

/** Sends a JSON body. */
export function sendJson(
  exchange: Exchange,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body), "utf8");
  exchange.response.writeHead(status, {
    "content-type": "application/json",
    "content-length": bytes.length,
    ...headers,
  });
  endResponse(exchange.response, bytes);
}

/** Sends a head without a body: 204, or a redirect. */
export function sendEmpty(
  exchange: Exchange,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  exchange.response.writeHead(status, status === 204 ? headers : { "content-length": "0", ...headers });
  exchange.response.end();
}

/** Refuses other methods than these with `method_not_allowed`; HEAD is let through where GET is. */
export function allow(exchange: Exchange, methods: readonly string[]): void {
  const { method = "" } = exchange.request;
  if (methods.includes(method === "HEAD" ? "GET" : method)) return;
  exchange.response.setHeader("allow", methods.join(", "));
  throw new GatewayError("method_not_allowed", `This route takes ${methods.join(" or ")} only.`);
}

/**
 * Reads the request body, at most as many bytes as any may have and at most `maxBytes` (`too_large` beyond). How slowly it may come is
 * watched for all requests alike.
 */
export async function readBody({ request, limits }: Exchange, maxBytes = limits.bodyBytes): Promise<Buffer> {
  const most = Math.min(maxBytes, limits.bodyBytes);
  const tooLarge = () => {
    const key = most === limits.bodyBytes ? " (`limits.requests.body_size`)" : "";
    return new GatewayError("too_large", `The request body exceeds ${most} bytes${key}.`);
  };
  if (Number(request.headers["content-length"] ?? 0) > most) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop must not close the connection: the refusal still has to be sent on it.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!(chunk instanceof Buffer)) continue;
    size += chunk.length;
    if (size > most) throw tooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** Whether all of a request is here already, so that reading its body takes no time. */
export function isReceived({ complete, readableLength, headers }: IncomingMessage): boolean {
  // Node says that a request is complete a moment after the last byte of its body.
  return complete || readableLength === Number(headers["content-length"]);
}

/** Parses JSON; `bad_request` with what is wrong with it, see {@link parseJsonBytes}. */
export function parseJson(bytes: Buffer, limits: JsonLimits): JsonValue {
  const parsed = parseJsonBytes(bytes, limits);
  const problem = parsed.ok ? parsed.lossy : parsed.problem;
  if (parsed.ok && problem === undefined) return parsed.value;
  throw new GatewayError("bad_request", `The request body ${problem}.`);
}

/**
 * Reads a JSON object from the request body, see {@link readBody}. An empty body is `{}`; another type than JSON is
 * `bad_request`, also because no page elsewhere can send that one: not even an empty body, where a page may have sent it.
 */
export async function readJsonObject(exchange: Exchange, maxBytes?: number): Promise<JsonObject> {
  const bytes = await readBody(exchange, maxBytes);
  const { origin, "content-type": type } = exchange.request.headers;
  const mayBeForeign = origin !== undefined && exchange.request.headers["sec-fetch-site"] !== "same-origin";
  if (bytes.length === 0 && !mayBeForeign) return {};
  if (!isJsonMediaType(type)) {
    throw new GatewayError(
      "bad_request",
      "The body must be JSON: send an object with `content-type: application/json`.",
    );
  }
  const value = bytes.length === 0 ? {} : parseJson(bytes, exchange.limits);
  if (isJsonObject(value)) return value;
  throw new GatewayError("bad_request", "The body must be a JSON object.");
}

/** True for a `content-type` of JSON; parameters such as `charset=utf-8` may follow. */
export function isJsonMediaType(contentType: string | undefined): boolean {
  return /^[ \t]*application\/json[ \t]*(?:;|$)/i.test(contentType ?? "");
}
