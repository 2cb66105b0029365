import { GatewayError } from "../errors.ts";
import { checkRequest } from "./check-request.ts";
import { createHttpServer, type HttpServerParts } from "./create-http-server.ts";
import { stopListening } from "./drain.ts";
import type { Exchange } from "./exchange.ts";
import { addressOf, type ListenAddress, listen } from "./listen.ts";

/** What the second listener is made of. */
export interface ManagementParts extends Pick<HttpServerParts, "limits" | "log"> {
  readonly at: ListenAddress;
  /** Answers a path of health; `undefined` for every other one. */
  readonly health: (exchange: Exchange) => Promise<void> | undefined;
  readonly fail: (exchange: Exchange, thrown: unknown) => void;
}

/** A second listener, for those who watch over the gateway. */
export interface Management {
  /** Where it listens: `http://127.0.0.1:9090`. */
  readonly url: string;
  /** Takes no further connections: where a port is shared, whoever asks next asks the process that goes on. */
  leave(): Promise<void>;
  /** Ends it at once. */
  close(): Promise<void>;
}

const onlyHealth =
  "There is no such route. This port is for watching over the gateway: /livez, /readyz and /startupz.";

/**
 * Starts the second listener, which serves health and never the API. Throws `GatewayError` (`internal`) with a message for the operator when
 * its port can't be had.
 */
export async function startManagement(parts: ManagementParts): Promise<Management> {
  const { server, connections } = createHttpServer({
    limits: parts.limits,
    // Nothing here counts by address.
    trustedProxies: [],
    handle: (exchange) => {
      answer(parts, exchange).catch((thrown: unknown) => parts.fail(exchange, thrown));
    },
    log: parts.log,
  });
  await listen(server, parts.at, { log: parts.log, key: "server.management" });
  return {
    url: addressOf(server, parts.at.host),
    leave: () => stopListening(server),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      connections.closeAll();
      await closed;
    },
  };
}

async function answer({ health }: ManagementParts, exchange: Exchange): Promise<void> {
  checkRequest(exchange);
  const answered = health(exchange);
  if (answered === undefined) throw new GatewayError("not_found", onlyHealth);
  return answered;
}
