import type { Duplex } from "node:stream";
import type { JsonValue } from "../../../src/model/json.ts";

/** What an upstream is to the gateway. */
export type Kind = "REST" | "GraphQL" | "MCP JSON" | "MCP SSE" | "token endpoint" | "JWKS";

export const kinds: readonly Kind[] = ["REST", "GraphQL", "MCP JSON", "MCP SSE", "token endpoint", "JWKS"];

/** A request that is to be answered badly. */
export interface Wire {
  /** Plain TCP, or TLS over it. */
  readonly socket: Duplex;
  readonly kind: Kind;
  /** The media type of a correct answer. */
  readonly type: string;
  /** The id of the JSON-RPC request; null elsewhere. */
  readonly id: JsonValue;
  /** All that came: a server may say it again. */
  readonly request: string;
  /** Where this server is reached. */
  readonly url: string;
  /** A correct body with some more JSON where nobody looks for any; default `null`. */
  readonly body: (spare?: string) => string;
  /** JSON as this kind sends it: in an event, or as it is. */
  readonly frame: (json: string) => string;
}

/** Stops before this process is hurt: more than anything may send. */
export const mostSent = 48 * 1024 * 1024;

/** A head of an answer, up to the empty line. */
export function head(status: string, headers: readonly string[]): string {
  return `HTTP/1.1 ${status}\r\n${headers.map((line) => `${line}\r\n`).join("")}\r\n`;
}

/** Answers in full, with whatever is wrong with it. */
export function answer(
  wire: Wire,
  body: string | Uint8Array,
  { status = "200 OK", type = wire.type, headers = [] as readonly string[] } = {},
): void {
  const bytes = Buffer.from(body);
  const types = type === "" ? [] : [`Content-Type: ${type}`];
  wire.socket.write(head(status, [...types, `Content-Length: ${bytes.length}`, ...headers]), "latin1");
  wire.socket.write(bytes);
}

/** Writes bytes as they are and ends the connection. */
export function raw(...parts: readonly (string | Uint8Array)[]): (wire: Wire) => void {
  return ({ socket }) => {
    for (const part of parts) socket.write(Buffer.from(part));
    socket.end();
  };
}

/** Writes a beginning, then a piece again and again until the other side has had enough. */
export function flood(wire: Wire, beginning: string, piece: Buffer): void {
  const { socket } = wire;
  let sent = 0;
  socket.write(beginning, "latin1");
  const more = (): void => {
    while (!socket.destroyed && sent < mostSent) {
      sent += piece.length;
      if (!socket.write(piece)) return void socket.once("drain", more);
    }
    socket.destroy();
  };
  more();
}

/** Writes a beginning, then a piece every so many milliseconds for as long as it is taken. */
export function drip(wire: Wire, beginning: string, piece: string, milliseconds: number): void {
  wire.socket.write(beginning, "latin1");
  const timer = setInterval(() => {
    if (wire.socket.destroyed) clearInterval(timer);
    else wire.socket.write(piece, "latin1");
  }, milliseconds);
  wire.socket.once("close", () => clearInterval(timer));
}

/** A chunk of a chunked body. */
export function chunk(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

/** The head of a chunked answer. */
export function chunked(type: string, ...headers: readonly string[]): string {
  return head("200 OK", [`Content-Type: ${type}`, "Transfer-Encoding: chunked", ...headers]);
}
