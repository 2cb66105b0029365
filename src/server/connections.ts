import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { networkOf } from "../identity/sign-in-limits.ts";
import type { ConnectionLimits } from "../model/limits.ts";
import type { Exchange } from "./exchange.ts";

/** One connection of a client. */
export interface Connection {
  readonly socket: Socket;
  /** Where it comes from; `undefined`: from a proxy, which stands for many. */
  readonly network: string | undefined;
  /** How many requests it is carrying out; several where the client does not wait for answers. */
  running: number;
  /** The one whose body is on its way, or the last one that was. */
  latest: Exchange | undefined;
  /** Whether no more requests are taken of it. */
  isLast: boolean;
}

/** Which connections there may be. */
export interface ConnectionTerms {
  readonly limits: Pick<ConnectionLimits, "total" | "perAddress">;
  /** Whether a peer stands for many clients; only the total counts for it. */
  readonly isProxy: (peer: string | undefined) => boolean;
  readonly log: (message: string) => void;
}

/** So many are looked at to find one that makes room. Where one network has taken most of the places, the first will do. */
const mostLooks = 100;

/**
 * The connections of a server and how many requests each is carrying out. What is beyond a limit is closed at once. Only where all places
 * are taken, one without a request makes room, of a network that has more than the one that asks: nobody keeps others out by
 * connections that do nothing.
 */
export class Connections {
  readonly #terms: ConnectionTerms;
  readonly #connections = new Map<Duplex, Connection>();
  readonly #perNetwork = new Map<string, number>();
  /** Those without a request; who has rested longest is first. */
  readonly #resting = new Set<Connection>();
  #leaving = false;
  #closing = false;
  #running = 0;
  #idle: (() => void) | undefined;

  constructor(server: Server, terms: ConnectionTerms) {
    this.#terms = terms;
    server.on("connection", (socket: Socket) => this.#take(socket));
  }

  /** All that are open. */
  all(): Iterable<Connection> {
    return this.#connections.values();
  }

  /** A request has come; it counts until its response is closed. */
  begin(exchange: Exchange): void {
    const connection = this.#connections.get(exchange.request.socket);
    if (this.#leaving) endWithAnswer(exchange);
    this.#count(connection, 1);
    if (connection !== undefined) connection.latest = exchange;
    exchange.response.once("close", () => this.#count(connection, -1));
  }

  /** The request whose body a connection is in the middle of; `undefined`: there is none. */
  unfinished(socket: Duplex): Exchange | undefined {
    const latest = this.#connections.get(socket)?.latest;
    return latest?.request.complete === false && !latest.response.writableEnded ? latest : undefined;
  }

  /**
   * Ends a connection as soon as it carries no request; false when it carries none now, and is left as it is.
   */
  closeWhenAnswered(socket: Duplex): boolean {
    const connection = this.#connections.get(socket);
    if (connection === undefined || connection.running === 0) return false;
    connection.isLast = true;
    return true;
  }

  /** From now on each answer whose head is not yet written says `connection: close`: who comes again does so elsewhere. */
  leave(): void {
    this.#leaving = true;
    for (const { latest, running } of this.#connections.values())
      if (latest !== undefined && running > 0) endWithAnswer(latest);
  }

  /**
   * Ends every connection as soon as it carries no request. Node itself waits for those that have never sent one, such as a
   * browser opens in advance.
   */
  closeWhenIdle(): void {
    this.#closing = true;
    for (const { socket, running } of this.#connections.values()) if (running === 0) socket.destroy();
  }

  /** Resolves as soon as no request runs. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve;
      if (this.#running === 0) resolve();
    });
  }

  /** Ends every connection at once. */
  closeAll(): void {
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  #take(socket: Socket): void {
    const peer = socket.remoteAddress;
    const network = this.#terms.isProxy(peer) ? undefined : networkOf(peer ?? "");
    const others = network === undefined ? 0 : (this.#perNetwork.get(network) ?? 0);
    if (others >= this.#terms.limits.perAddress) {
      socket.destroy();
      this.#terms.log(
        `${network} has ${others} connections, so further ones are closed at once. \`limits.connections.per_address\` allows more.`,
      );
      return;
    }
    const { total } = this.#terms.limits;
    if (this.#connections.size >= total && !this.#makeRoom(others)) {
      socket.destroy();
      this.#terms.log(
        `There are ${total} connections, so new ones are closed at once. \`limits.connections.total\` allows more.`,
      );
      return;
    }
    const connection: Connection = { socket, network, running: 0, latest: undefined, isLast: false };
    this.#connections.set(socket, connection);
    this.#resting.add(connection);
    if (network !== undefined) this.#perNetwork.set(network, others + 1);
    socket.once("close", () => this.#forget(connection));
  }

  /** Whether a connection has made room for one of a network that has so many. */
  #makeRoom(others: number): boolean {
    let looks = 0;
    for (const connection of this.#resting) {
      looks += 1;
      if (looks > mostLooks) return false;
      const { network, socket } = connection;
      if (network === undefined || (this.#perNetwork.get(network) ?? 0) <= others + 1) continue;
      this.#forget(connection);
      socket.destroy();
      this.#terms.log(
        `There are ${this.#terms.limits.total} connections, so those of ${network} that rest make room for others. \`limits.connections.total\` allows more.`,
      );
      return true;
    }
    return false;
  }

  #forget(connection: Connection): void {
    const { socket, network } = connection;
    this.#resting.delete(connection);
    if (!this.#connections.delete(socket) || network === undefined) return;
    const left = (this.#perNetwork.get(network) ?? 1) - 1;
    if (left === 0) this.#perNetwork.delete(network);
    else this.#perNetwork.set(network, left);
  }

  #count(connection: Connection | undefined, change: 1 | -1): void {
    this.#running += change;
    if (this.#running === 0) this.#idle?.();
    if (connection === undefined) return;
    connection.running += change;
    if (connection.running > 0) this.#resting.delete(connection);
    else if (this.#connections.has(connection.socket)) this.#resting.add(connection);
    if ((this.#closing || connection.isLast) && connection.running === 0) connection.socket.end();
  }
}

function endWithAnswer({ response }: Exchange): void {
  response.shouldKeepAlive = false;
}
