import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The connections of a server and how many requests each is carrying out. */
export class Connections {
  readonly #requests = new Map<Socket, number>();
  #closing = false;
  #running = 0;
  #idle: (() => void) | undefined;

  constructor(server: Server) {
    server.on("connection", (socket: Socket) => {
      this.#requests.set(socket, 0);
      socket.once("close", () => this.#requests.delete(socket));
    });
    server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#count(socket, 1);
      response.once("close", () => this.#count(socket, -1));
    });
  }

  /**
   * Ends every connection as soon as it carries no request. Node itself waits for those that have never sent one, such as a
   * browser opens in advance.
   */
  closeWhenIdle(): void {
    this.#closing = true;
    for (const [socket, running] of this.#requests) if (running === 0) socket.destroy();
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
    for (const socket of this.#requests.keys()) socket.destroy();
  }

  #count(socket: Socket, change: 1 | -1): void {
    this.#running += change;
    if (this.#running === 0) this.#idle?.();
    const before = this.#requests.get(socket);
    // Closing a connection ends its requests afterwards.
    if (before === undefined) return;
    this.#requests.set(socket, before + change);
    if (this.#closing && before + change === 0) socket.end();
  }
}
