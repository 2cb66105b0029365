import type { Server } from "node:http";
import { Server as NetServer } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Connections } from "./connections.ts";

/** Pipes to one client, as far as they are ended. */
interface Pipes {
  /** Resolves once no call runs. */
  drain(): Promise<void>;
  close(): void;
}

/** What is brought to an end. */
export interface DrainParts {
  readonly server: Server;
  readonly connections: Connections;
  readonly pipes: Iterable<Pipes>;
  /** Ends the streams on which clients wait for news. */
  readonly endStreams: () => void;
}

/**
 * Lets what runs finish for at most `graceMilliseconds`, then breaks off what is left. The server goes on listening meanwhile: who comes is told
 * to go elsewhere, which is better than a refused connection.
 */
export async function drain(
  { server, connections, pipes, endStreams }: DrainParts,
  graceMilliseconds: number,
): Promise<void> {
  connections.leave();
  endStreams();
  // A request that is here already is answered: only a connection that really rests is closed.
  await nextTurn();
  connections.closeWhenIdle();
  const idle = [connections.idle(), ...[...pipes].map((pipe) => pipe.drain())];
  await settledWithin(Promise.all(idle), graceMilliseconds);
  for (const pipe of pipes) pipe.close();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  connections.closeAll();
  await closed;
}

/**
 * Takes no further connections; those that there are go on. Where other processes listen on the same port, the next ones are theirs.
 *
 * The system resets what waits in its queue at that moment (Linux without `net.ipv4.tcp_migrate_req`), so this happens right after the queue was
 * emptied.
 */
export async function stopListening(server: Server): Promise<void> {
  if (!server.listening) return;
  await nextTurn();
  // That of node:http would close the connections that rest as well, of which any may have a request on its way.
  NetServer.prototype.close.call(server);
}

async function settledWithin(promise: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([promise, over]);
  clearTimeout(timer);
}
