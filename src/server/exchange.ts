import type { IncomingMessage, ServerResponse } from "node:http";
import { GatewayError } from "../errors.ts";
import { findInexactNumber } from "../mcp/exact-json.ts";
import { isNestedDeeperThan } from "../mcp/nesting.ts";
import type { JsonValue } from "../model/json.ts";

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
  exchange.response.end(bytes);
}

/**
 * Reads the request body, at most `maxBytes` of it (`too_large` beyond).
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = new GatewayError("too_large", `The request body exceeds ${maxBytes} bytes.`);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop must not close the connection: the refusal still has to be sent on it.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!(chunk instanceof Buffer)) continue;
    size += chunk.length;
    if (size > maxBytes) throw tooLarge;
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** Deepest nesting of a request body. */
const deepestBody = 256;

/**
 * Parses UTF-8 JSON. `bad_request` when it is none, is nested too deeply, or holds a number that a double can't: it would
 * reach the upstream as another one.
 */
export function parseJson(bytes: Buffer): JsonValue {
  const refuse = (problem: string, cause?: unknown): GatewayError =>
    new GatewayError("bad_request", `The request body ${problem}.`, { cause });
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw refuse("is not UTF-8", error);
  }
  if (isNestedDeeperThan(text, deepestBody)) throw refuse(`is nested deeper than ${deepestBody} levels`);
  let value: JsonValue;
  try {
    // JSON.parse gives JSON values and nothing else.
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw refuse("is not valid JSON", error);
  }
  const inexact = findInexactNumber(text);
  if (inexact !== undefined) {
    throw refuse(`holds the number ${inexact.slice(0, 100)}, which would lose digits; send it as a string`);
  }
  return value;
}

/** True for a `content-type` of JSON; parameters such as `charset=utf-8` may follow. */
export function isJsonMediaType(contentType: string | undefined): boolean {
  return contentType?.split(";", 1)[0]?.trim().toLowerCase() === "application/json";
}
