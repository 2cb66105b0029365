import type { LookupFunction } from "node:net";
import { getCACertificates } from "node:tls";
import { buildConnector } from "undici";
import type { AddressLookup } from "./share-lookups.ts";

/** What all connections through one door have in common. */
export interface ConnectorOptions {
  /** Longest wait for name and TCP. */
  readonly connectMilliseconds: number;
  /** Longest wait for TLS after that. */
  readonly tlsMilliseconds: number;
  /** PEM certificates of authorities that are trusted besides those of the system. */
  readonly certificateAuthorities: readonly string[] | undefined;
  /** Resolves names, and nothing else does. */
  readonly lookup: AddressLookup;
  /** Whether a connection may be made to an address; default: to any. */
  readonly accepts?: (address: string) => boolean;
}

/** Some address of a name, or the one that a connection ended at, is none that may be connected to. */
export class RefusedAddressError extends Error {
  override readonly name = "RefusedAddressError";
}

/** TLS took too long on a connection that stood. */
export class TlsTimeoutError extends Error {
  override readonly name = "TlsTimeoutError";
}

/**
 * Makes what connects to hosts: first TCP, then TLS on it, each with its own time.
 *
 * A name is resolved once for each connection, and the connection is made to one of exactly the addresses that were looked at, so no
 * second answer of the name service leads it elsewhere; all of them have to be accepted. The address that was reached is looked at once
 * more before the first byte is sent, TLS included. TLS asks for the name. Fails with {@link RefusedAddressError},
 * {@link TlsTimeoutError} and as sockets do.
 */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const { certificateAuthorities: authorities, accepts = () => true } = options;
  const connect = buildConnector({
    timeout: options.connectMilliseconds,
    lookup: asSocketLookup(options.lookup, accepts),
  });
  const encrypt = buildConnector({
    timeout: options.tlsMilliseconds,
    allowH2: false,
    ...(authorities === undefined ? {} : { ca: [...getCACertificates(), ...authorities] }),
  });

  return (target, callback) => {
    const isEncrypted = target.protocol === "https:";
    const { servername: _, ...plain } = target;
    const port = target.port || (isEncrypted ? "443" : "80");
    connect({ ...plain, protocol: "http:", port }, (error, socket) => {
      if (error !== null) {
        callback(error, null);
      } else if (socket.remoteAddress === undefined || !accepts(socket.remoteAddress)) {
        socket.destroy();
        callback(new RefusedAddressError(), null);
      } else if (isEncrypted) {
        encrypt({ ...target, httpSocket: socket }, (...outcome) => {
          const [failure] = outcome;
          if (failure === null) callback(...outcome);
          else callback(isTimeout(failure) ? new TlsTimeoutError() : failure, null);
        });
      } else {
        callback(null, socket);
      }
    });
  };
}

function isTimeout(error: Error): boolean {
  return "code" in error && error.code === "UND_ERR_CONNECT_TIMEOUT";
}

/** A lookup as sockets want it, which hands over all addresses of a name or, if one of them is not accepted, none. */
function asSocketLookup(lookup: AddressLookup, accepts: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (first === undefined) {
          callback(Object.assign(new Error("There is no address."), { code: "ENOTFOUND" }), "");
        } else if (!addresses.every(({ address }) => accepts(address))) {
          callback(new RefusedAddressError(), "");
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
