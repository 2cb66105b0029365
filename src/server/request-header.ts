import type { IncomingMessage } from "node:http";
import { type HoldsSecret, secretNotPassed } from "./presented-secrets.ts";

/** What proves to the gateway who calls, or concerns one hop only: no connection may pass it on. */
const own = /^(?:authorization|proxy-authorization|cookie|host|origin|(?:x[-_]gateway|mcp|sec)[-_].*)$/;

/**
 * Reads the headers of a caller's request for connections that pass one on. What is meant for the gateway itself is not there. Nor is
 * a header that came several times: whom it means is open. Throws `bad_request` for one that holds what the request proves with who
 * sends it.
 */
export function headersOf(
  request: IncomingMessage,
  holdsSecret: HoldsSecret,
): (name: string) => string | undefined {
  return (name) => {
    const wanted = name.toLowerCase();
    if (own.test(wanted)) return undefined;
    const values = request.headersDistinct[wanted] ?? [];
    const value = values.length === 1 ? values[0] : undefined;
    if (value !== undefined && holdsSecret(value)) throw secretNotPassed(`The header \`${wanted}\``);
    return value;
  };
}
