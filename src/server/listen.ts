import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { GatewayError } from "../errors.ts";
import type { ServerConfig } from "../model/config.ts";
import type { ServerParts } from "./server-parts.ts";

/** How a server comes to listen. */
export interface ListenOptions extends Pick<ServerParts, "orFreePort" | "log"> {
  /** The key of the file that says where; default `server`. */
  readonly key?: string;
}

/** Where a server is to listen. */
export type ListenAddress = Pick<ServerConfig, "host" | "port" | "reusePort">;

/**
 * Listens where the file says; throws `GatewayError` (`internal`) with a message for the operator when the port can't be had.
 *
 * @param orFreePort whether a free port does where that one is taken. Default false.
 */
export async function listen(
  server: Server,
  config: ListenAddress,
  { orFreePort = false, log, key = "server" }: ListenOptions,
): Promise<void> {
  try {
    await listenOn(server, config, key);
  } catch (error) {
    const isTaken = error instanceof GatewayError && isPortTaken(error.cause);
    if (!isTaken || !orFreePort) throw error;
    log(`Port ${config.port} on ${config.host} is taken, so HTTP is served on a free one.`);
    await listenOn(server, { ...config, port: 0 }, key);
  }
  // A server that listens fails only to accept single connections (no file descriptors left); it goes on.
  server.on("error", (error) => log("A connection could not be accepted.", error));
}

function listenOn(server: Server, config: ListenAddress, key: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      reject(new GatewayError("internal", explainListenError(error, config, key), { cause: error }));
    };
    server.once("error", fail);
    const { port, host, reusePort } = config;
    server.listen({ port, host, reusePort }, () => {
      server.off("error", fail);
      resolve();
    });
  });
}

function isPortTaken(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
}

function explainListenError(
  error: NodeJS.ErrnoException,
  { host, port, reusePort }: ListenAddress,
  key: string,
): string {
  switch (error.code) {
    case "EADDRINUSE":
      if (reusePort)
        return `Port ${port} on ${host} is taken by another process, which does not share it: it has no \`server.reuse_port\` or runs as another user. Stop it, or set \`${key}.port\` to another port.`;
      return `Port ${port} on ${host} is taken by another process. Stop it, or set \`${key}.port\` to another port.`;
    case "EACCES":
      return `This user may not listen on port ${port}. Set \`${key}.port\` to 1024 or above.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `This machine has no address \`${host}\`. Set \`${key}.host\` to one of its own addresses.`;
    case "ENOTSUP":
      return "This system can't share a port between processes. Remove `server.reuse_port`.";
    default:
      return `Could not listen on ${host}:${port} (${error.code ?? "unknown error"}).`;
  }
}

/** Where a server listens: `http://127.0.0.1:8080`. */
export function addressOf(server: Server, host: string): string {
  const address = server.address();
  // A server that listens on TCP has an AddressInfo; only pipes have a string.
  const { port } = address as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
