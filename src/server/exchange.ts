import type { IncomingMessage, ServerResponse } from "node:http";
import { GatewayError } from "../errors.ts";
import { isJsonObject } from "../json-object.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import { endResponse } from "./end-response.ts";
import { parseJsonBytes } from "./parse-json-bytes.ts";

/** One HTTP request and the response to it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Path without query, percent-encoding as sent. */
  readonly path: string;
  /** What follows `?`; empty when nothing does. */
  readonly query: string;
  /** Aborts when the client leaves before the response is complete. */
  readonly signal: AbortSignal;
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
 * Reads the request body, at most `maxBytes` of it (`too_large` beyond).
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = () => new GatewayError("too_large", `The request body exceeds ${maxBytes} bytes.`);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop must not close the connection: the refusal still has to be sent on it.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!(chunk instanceof Buffer)) continue;
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** Whether all of a request is here already, so that reading its body takes no time. */
export function isReceived({ complete, readableLength, headers }: IncomingMessage): boolean {
  // Node says that a request is complete a moment after the last byte of its body.
  return complete || readableLength === Number(headers["content-length"]);
}

/** Deepest nesting of a request body. */
const deepestBody = 256;

/**
 * Parses UTF-8 JSON. `bad_request` when it is none, is nested too deeply, or holds a number that a double can't: it would
 * reach the upstream as another one.
 */
export function parseJson(bytes: Buffer): JsonValue {
  const parsed = parseJsonBytes(bytes, deepestBody);
  const problem = parsed.ok ? parsed.lossy : parsed.problem;
  if (parsed.ok && problem === undefined) return parsed.value;
  throw new GatewayError("bad_request", `The request body ${problem}.`);
}

/**
 * Reads a JSON object from the request body, at most `maxBytes` of it. An empty body is `{}`; another type than JSON is
 * `bad_request`, also because no page elsewhere can send that one: not even an empty body, where a page may have sent it.
 */
export async function readJsonObject(request: IncomingMessage, maxBytes: number): Promise<JsonObject> {
  const bytes = await readBody(request, maxBytes);
  const { origin, "content-type": type } = request.headers;
  const mayBeForeign = origin !== undefined && request.headers["sec-fetch-site"] !== "same-origin";
  if (bytes.length === 0 && !mayBeForeign) return {};
  if (!isJsonMediaType(type)) {
    throw new GatewayError(
      "bad_request",
      "The body must be JSON: send an object with `content-type: application/json`.",
    );
  }
  const value = bytes.length === 0 ? {} : parseJson(bytes);
  if (isJsonObject(value)) return value;
  throw new GatewayError("bad_request", "The body must be a JSON object.");
}

/** True for a `content-type` of JSON; parameters such as `charset=utf-8` may follow. */
export function isJsonMediaType(contentType: string | undefined): boolean {
  return /^[ \t]*application\/json[ \t]*(?:;|$)/i.test(contentType ?? "");
}
