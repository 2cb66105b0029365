import type { IncomingMessage } from "node:http";

/** What proves to the gateway who calls, or concerns one hop only: no connection may pass it on. */
const own = /^(?:authorization|proxy-authorization|cookie|host|origin|(?:x[-_]gateway|mcp|sec)[-_].*)$/;

/**
 * Reads the headers of a caller's request for connections that pass one on. What is meant for the gateway itself is not there. Nor is
 * a header that came several times: whom it means is open.
 */
export function headersOf(request: IncomingMessage): (name: string) => string | undefined {
  return (name) => {
    const wanted = name.toLowerCase();
    if (own.test(wanted)) return undefined;
    const values = request.headersDistinct[wanted] ?? [];
    return values.length === 1 ? values[0] : undefined;
  };
}
