import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { secureContext } from "./certificates.ts";
import { type ByKind, expectations, type Fault, failed, late, refused, shown } from "./fault.ts";

const never = (): void => {};

function connection(
  name: string,
  onConnection: Fault["connection"] & {},
  expected: ByKind,
  { waits = false, tls = false } = {},
): Fault {
  return { name, connection: onConnection, waits, tls, expected: expectations(expected) };
}

const slowly = { waits: true, tls: true };
const overTls = { tls: true };

/** A port that is an ordinary TLS server's but for its certificate. */
function withCertificate(name: string): (socket: Socket) => void {
  return (socket) => {
    const secure = new TLSSocket(socket, { isServer: true, secureContext: secureContext(name) });
    secure.on("error", never);
    secure.once("data", () => secure.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  };
}

/** What goes wrong before a request is looked at. */
export const connectionFaults: readonly Fault[] = [
  connection("refuses connections", "refuse", { all: failed(/connection refused/) }),
  connection("closes every connection at once", (socket) => socket.destroy(), {
    all: failed(/closed the connection/),
  }),
  connection("resets every connection at once", (socket) => socket.resetAndDestroy(), {
    all: failed(/closed the connection/),
  }),
  connection("ends every connection politely at once", (socket) => void socket.end(), {
    all: failed(/closed the connection/),
  }),
  connection(
    "takes connections and never reads",
    (socket) => void socket.pause(),
    { all: late(/did not (?:answer|finish)|took longer|within/) },
    { waits: true },
  ),
  connection(
    "speaks before it is asked",
    (socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    // On a connection that is made for the request it can't be told from an answer.
    {
      REST: shown(/\{\}/),
      GraphQL: refused(/no GraphQL answer/),
      MCP: failed(/unknown media type/),
      "token endpoint": failed(/without a usable access token/),
      JWKS: failed(/does not call JSON/),
    },
  ),
  connection(
    "is silent in the TLS handshake",
    never,
    { all: late(/(?:did not finish the TLS handshake|took longer)/) },
    slowly,
  ),
  connection(
    "drips its TLS handshake",
    (socket) => {
      // A server hello of 16 KB, a byte at a time.
      const hello = Buffer.from([0x16, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc]);
      let at = 0;
      const timer = setInterval(() => {
        if (socket.destroyed) clearInterval(timer);
        else socket.write(hello.subarray(at, ++at));
        if (at >= hello.length) at = hello.length - 1;
      }, 50);
      socket.once("close", () => clearInterval(timer));
    },
    { all: late(/(?:did not finish the TLS handshake|took longer)/) },
    slowly,
  ),
  connection(
    "answers the TLS handshake with noise",
    (socket) => void socket.write(Buffer.alloc(4_096, 0x5a)),
    { all: failed(/does not speak TLS|TLS handshake failed/) },
    overTls,
  ),
  connection(
    "answers the TLS handshake with plain HTTP",
    (socket) => void socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    { all: failed(/does not speak TLS|TLS handshake failed/) },
    overTls,
  ),
  connection(
    "answers the TLS handshake with an alert",
    (socket) => void socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 40])),
    { all: failed(/TLS handshake failed/) },
    overTls,
  ),
  connection(
    "closes within the TLS handshake",
    (socket) => void socket.once("data", () => socket.end(Buffer.from([0x16, 3, 3, 0, 122]))),
    { all: failed(/closed the connection|TLS handshake failed/) },
    overTls,
  ),
  connection(
    "resets within the TLS handshake",
    (socket) => void socket.once("data", () => socket.resetAndDestroy()),
    { all: failed(/closed the connection/) },
    overTls,
  ),
  connection(
    "has the certificate of another host",
    withCertificate("other-host"),
    { all: failed(/certificate/) },
    overTls,
  ),
  connection(
    "has an expired certificate",
    withCertificate("expired"),
    { all: failed(/certificate/) },
    overTls,
  ),
  connection(
    "ends TLS right after the handshake",
    (socket) => {
      const secure = new TLSSocket(socket, {
        isServer: true,
        secureContext: secureContext("self-signed"),
      });
      secure.on("error", never).on("secure", () => secure.end());
    },
    { all: failed(/closed the connection/) },
    overTls,
  ),
];
