import { Socket } from "node:net";

/** Everything that this process writes to any connection or pipe but those of one server, before it is encrypted. */
export interface OutboundBytes extends Disposable {
  /** So far, as Latin-1. */
  readonly text: () => string;
}

/**
 * Begins to listen at every socket of the process: those to upstreams, issuers and hosts of documents as well as the standard input of
 * programs, whatever opens them. Left out are both ends of the connections of a gateway in this process: what its callers send, and what it
 * answers them.
 *
 * @param ports of the gateways.
 */
export function recordOutbound(ports: () => readonly number[]): OutboundBytes {
  const chunks: Buffer[] = [];
  const { write } = Socket.prototype;
  function recording(this: Socket, ...given: readonly unknown[]): boolean {
    const [chunk, encoding] = given;
    const own = ports();
    const isOwn = [this.localPort, this.remotePort].some((port) => port !== undefined && own.includes(port));
    if (!isOwn) {
      if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
      else if (typeof chunk === "string") {
        const isKnown = typeof encoding === "string" && Buffer.isEncoding(encoding);
        chunks.push(Buffer.from(chunk, isKnown ? encoding : "utf8"));
      }
    }
    return Reflect.apply(write, this, given);
  }
  Socket.prototype.write = recording;
  return {
    text: () => Buffer.concat(chunks).toString("latin1"),
    [Symbol.dispose]: () => {
      Socket.prototype.write = write;
    },
  };
}
