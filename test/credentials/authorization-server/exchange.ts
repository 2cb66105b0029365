import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clients } from "./clients.ts";
import type { Grants } from "./grants.ts";
import type { AuthorizationServerOptions, RecordedRequest } from "./model.ts";

/** One request on its way through the server. */
export interface Exchange {
  readonly request: RecordedRequest;
  readonly raw: IncomingMessage;
  readonly response: ServerResponse;
  readonly settings: AuthorizationServerOptions;
  readonly issuer: string;
  readonly clients: Clients;
  readonly grants: Grants;
}

/** Reads a body of at most 1 MiB. */
export async function readBody(raw: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of raw) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > 1_048_576) throw new Error("body too large");
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Parameters that came twice. */
export function repeated(search: URLSearchParams): readonly string[] {
  return [...new Set(search.keys())].filter((name) => search.getAll(name).length > 1);
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}

export function sendPage(response: ServerResponse, status: number, title: string, content: string): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
  });
  response.end(
    `<!doctype html><html lang="en"><head><title>${title}</title></head><body><main><h1>${title}</h1>${content}</main></body></html>`,
  );
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
