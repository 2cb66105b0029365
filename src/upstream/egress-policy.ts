import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import type { buildConnector } from "undici";
import { GatewayError } from "../errors.ts";
import { canonicalHost, classifyAddress, mayBePublic } from "./classify-address.ts";

/** Asks the name service for all addresses of a name. Fails like `node:dns` does. */
export type AddressLookup = (hostname: string) => Promise<readonly LookupAddress[]>;

/** Where connections may lead that nobody but an upstream has asked for. */
export interface EgressPolicy {
  /** Hosts that the operator allows although they are not public; without port, exact, in any spelling of a URL. */
  readonly allowedHosts: () => readonly string[];
  readonly lookup: AddressLookup;
}

/** Makes a connector; with a `lookup`, names are resolved by it and by nothing else. */
export type ConnectorFactory = (options: { readonly lookup?: LookupFunction }) => buildConnector.connector;

/**
 * Makes the connector for addresses that upstreams name: it connects to public addresses and to allowed hosts only, and
 * fails with `upstream_failed` for all others.
 *
 * A name is resolved once for each connection; all of its addresses must be public, and the connection is made to one of
 * exactly these, so that no second answer of the name service can lead it elsewhere. TLS still asks for the name. The
 * address that was reached in the end is checked once more before the first byte is sent.
 */
export function createPublicConnector(
  createConnector: ConnectorFactory,
  { allowedHosts, lookup }: EgressPolicy,
): buildConnector.connector {
  const toAllowed = createConnector({});
  const toPublic = createConnector({ lookup: resolvePublic(lookup) });

  return (options, callback) => {
    const host = canonicalHost(options.hostname);
    if (host !== undefined && allowedHosts().some((allowed) => canonicalHost(allowed) === host)) {
      toAllowed(options, callback);
      return;
    }
    // The lookup is never asked about addresses, so these are judged here.
    if (!mayBePublic(options.hostname)) {
      queueMicrotask(() => callback(refusal(options), null));
      return;
    }
    toPublic(options, (error, socket) => {
      if (error !== null) {
        callback(error instanceof NotPublicError ? refusal(options) : error, null);
      } else if (isPublic(socket.remoteAddress)) {
        callback(null, socket);
      } else {
        socket.destroy();
        callback(refusal(options), null);
      }
    });
  };
}

/** Some address of a name is not public. */
class NotPublicError extends Error {}

/** A lookup as sockets want it, which hands over all addresses of a name or, if one of them is not public, none. */
function resolvePublic(lookup: AddressLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (first === undefined) {
          callback(Object.assign(new Error("There is no address."), { code: "ENOTFOUND" }), "");
        } else if (!addresses.every(({ address }) => isPublic(address))) {
          callback(new NotPublicError(), "");
        } else if (options.all === true) {
          callback(null, [...addresses]);
        } else {
          callback(null, first.address, first.family);
        }
      },
      (error: NodeJS.ErrnoException) => callback(error, ""),
    );
  };
}

function isPublic(address: string | undefined): boolean {
  return address !== undefined && classifyAddress(address) === "public";
}

/** What the name resolved to stays unsaid: callers need not learn how the operator's network is built. */
function refusal({ hostname, port, protocol }: buildConnector.Options): GatewayError {
  const name = hostname.includes(":") ? `[${hostname}]` : hostname;
  const host = `${name}:${port || (protocol === "https:" ? 443 : 80)}`;
  return new GatewayError(
    "upstream_failed",
    `Could not connect to ${host}: it was named by a fetched document or a redirect, and is no public address. If calls shall go there, name it in the configuration: as \`base_url\`, or in \`egress.allowed_hosts\`.`,
  );
}
