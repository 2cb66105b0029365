import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { createNetworkCheck, readNetwork } from "../network-form.ts";

/** From which address requests come, for limits that count by address. */
export interface CallerAddress {
  /** Of whoever caused a request; `""` where its connection is gone already. */
  of(request: IncomingMessage): string;
  /** Whether a peer is one of the proxies: it stands for many callers. */
  isProxy(peer: string | undefined): boolean;
}

/** Addresses of one header that are looked at; a chain of proxies is short. */
const mostEntries = 32;

/**
 * The address of the peer, unless that is a trusted proxy: then the last entry of `X-Forwarded-For` that is none. What stands further
 * left was written by whoever sent the request, and counts for nothing. Where an entry can't be read, or all are proxies, the peer's own
 * address counts.
 *
 * @param trusted addresses and networks (CIDR) of proxies.
 */
export function createCallerAddress(trusted: readonly string[]): CallerAddress {
  const isTrusted = createNetworkCheck(trusted.flatMap((text) => readNetwork(text) ?? []));
  const isProxy = (peer: string | undefined): boolean => peer !== undefined && isTrusted(peer);
  return {
    isProxy: trusted.length === 0 ? () => false : isProxy,
    of: ({ socket, headers }) => {
      const peer = socket.remoteAddress ?? "";
      if (trusted.length === 0) return peer;
      const forwarded = headers["x-forwarded-for"];
      if (forwarded === undefined || !isTrusted(peer)) return peer;
      // Node puts the values of several such headers together, in their order.
      const entries = String(forwarded).split(",").slice(-mostEntries).reverse();
      for (const entry of entries) {
        const address = readEntry(entry.trim());
        if (address === undefined) return peer;
        if (!isTrusted(address)) return address;
      }
      return peer;
    },
  };
}

/** `192.0.2.1`, `2001:db8::1`, and either with a port, as some proxies write them: `192.0.2.1:80`, `[2001:db8::1]:80`. */
function readEntry(entry: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|(\d{1,3}(?:\.\d{1,3}){3}))(?::\d{1,5})?$/i.exec(entry);
  const address = match?.[1] ?? match?.[2] ?? entry;
  return isIP(address) === 0 || address.includes("%") ? undefined : address;
}
