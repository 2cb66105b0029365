import type { IncomingMessage } from "node:http";
import { GatewayError } from "../errors.ts";

/** Of these Node keeps the first where several come, or joins them, and says nothing. */
const single: ReadonlySet<string> = new Set([
  ...["host", "authorization", "content-type", "x-gateway-tenant", "origin"],
  ...["sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"],
]);

/** What decides who asks, for whom, from where, or how the body is read. Proxies turn underscores into hyphens, or the other way round. */
const decisive: ReadonlySet<string> = new Set([
  ...single,
  ...["content-length", "transfer-encoding", "connection", "cookie", "x-forwarded-for", "mcp-session-id"],
  ...["mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id"],
]);

/** Bytes of the request line besides method and target, and those of each header besides name and value. */
const lineBytes = "  HTTP/1.1\r\n".length;
const separatorBytes = ": \r\n".length;

/** How much of a head there is. */
export interface HeadSize {
  readonly bytes: number;
  readonly headers: number;
}

/** Measures a head as it was sent, save for spaces around values. Node itself drops headers beyond a number, and says nothing. */
export function measureHead({ method = "", url = "", rawHeaders }: IncomingMessage): HeadSize {
  let bytes = method.length + url.length + lineBytes;
  for (const part of rawHeaders) bytes += part.length;
  const headers = rawHeaders.length / 2;
  return { bytes: bytes + headers * separatorBytes + 2, headers };
}

/**
 * Refuses requests that hold a header twice, or in an ambiguous spelling, that decides who asks, for whom, or how the body is
 * read: what stands in front of the gateway may have looked at the other one (RFC 9112 section 3.2, RFC 9110 section 5.3).
 */
export function checkHeaders({ rawHeaders }: IncomingMessage): void {
  const seen: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    if (single.has(name)) {
      if (seen.includes(name)) {
        throw new GatewayError("bad_request", `The request has several \`${name}\` headers. Send one.`);
      }
      seen.push(name);
    } else if (name.includes("_") && decisive.has(name.replaceAll("_", "-"))) {
      throw new GatewayError("bad_request", `The header \`${name}\` is spelt with hyphens only.`);
    }
  }
}
