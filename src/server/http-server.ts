import { GatewayError } from "../errors.ts";
import type { Principal } from "../model/principal.ts";
import type { Secret } from "../secret.ts";
import { version } from "../version.ts";
import { sendError, toGatewayError } from "./api/error-response.ts";
import { createRequestAuthenticator } from "./authenticate-request.ts";
import { createHostCheck, type HostCheck } from "./check-host.ts";
import { createDoor } from "./create-door.ts";
import { createHttpServer } from "./create-http-server.ts";
import { drain, stopListening } from "./drain.ts";
import type { Exchange } from "./exchange.ts";
import type { ServingPhase } from "./health.ts";
import { createHealthRoutes } from "./health-routes.ts";
import { addressOf, listen } from "./listen.ts";
import { startManagement } from "./management.ts";
import { createMcpEndpoint } from "./mcp/endpoint.ts";
import { createMcpLimits } from "./mcp/limits.ts";
import type { StdioConnection, StdioStreams } from "./mcp/stdio-endpoint.ts";
import { withoutTokens } from "./query-parameters.ts";
import { createResourceMetadata } from "./resource-metadata.ts";
import { createRoute, noMcp } from "./route.ts";
import type { ServerParts } from "./server-parts.ts";

/** A server that listens. */
export interface GatewayServer {
  /** Where it listens: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Where health alone is served; `undefined`: nowhere. */
  readonly managementUrl: string | undefined;
  /** From now on `/readyz` tells the providers' state in place of `starting`. */
  markStarted(): void;
  /**
   * Speaks MCP to one client over pipes, beside all that come over HTTP.
   *
   * @param token what the client presents at every message; ignored where nobody signs in.
   * Rejects with a `GatewayError` when it is not let in from the beginning.
   */
  connectStdio(streams: StdioStreams, token: Secret | undefined): Promise<StdioConnection>;
  /**
   * From now on `/readyz` says `draining`, and each answer ends its connection; everything is served as before. Where other processes listen on the
   * same port, the next connections are theirs.
   */
  leave(): Promise<void>;
  /**
   * Refuses new calls, lets those that run finish for at most `graceMilliseconds`, then breaks off what is left and stops
   * listening.
   */
  drain(graceMilliseconds: number): Promise<void>;
}

/** Starts to listen; throws `GatewayError` (`internal`) with a message for the operator when the port can't be had. */
export async function startServer(parts: ServerParts): Promise<GatewayServer> {
  let phase: ServingPhase = "starting";
  let hasStarted = false;
  const { config } = parts;
  const requests = createRequestAuthenticator({
    identity: parts.identity,
    auth: parts.auth,
    baseUrl: config.baseUrl,
    log: parts.log,
  });
  const metadata = createResourceMetadata({ auth: parts.auth, address: parts.address });
  const mcp = createMcpEndpoint({
    broker: parts.broker,
    snapshot: {
      subscribe: (listener) => {
        const stops = [
          parts.snapshot.subscribe(listener),
          parts.scopedChanges?.(() => listener(parts.snapshot.catalog)),
        ];
        return () => {
          for (const stop of stops) stop?.();
        };
      },
    },
    view: (principal) => parts.view(principal, "mcp"),
    version,
    authenticate: async (exchange) => (await requests.authenticate(exchange)).principal,
    connections: parts.connections,
    prepare: parts.prepare,
    ...(parts.arrival && { arrival: parts.arrival }),
    instances: parts.instances,
    connected: parts.connected,
    connectPage: parts.connectPage,
    requestStateKeys: parts.requestStateKeys,
    limits: createMcpLimits(parts.limits),
    log: parts.log,
  });
  /** What the caller may know of a failure; the rest goes to the log. */
  const explain = ({ request, path }: Exchange, thrown: unknown): GatewayError => {
    const error = toGatewayError(thrown);
    if (error.code === "internal")
      parts.log(`${request.method} ${withoutTokens(path)} failed.`, error.cause ?? thrown);
    return error;
  };

  /** Health is served at two doors, which have names of their own. */
  const healthAt = (checkHost: HostCheck) =>
    createHealthRoutes({
      phase: () => phase,
      hasStarted: () => hasStarted,
      overload: () => door.overload(),
      catalog: () => parts.snapshot.catalog,
      view: (principal) => parts.view(principal, "api"),
      ...{ checkHost, requests },
    });
  const checkHost = createHostCheck(config.host, config.allowedHosts);
  const health = healthAt(checkHost);
  const fail = (exchange: Exchange, thrown: unknown): void => {
    // Who has left needs no answer, and what that broke off is no fault.
    if (exchange.signal.aborted) return;
    const hints = metadata.challenge(exchange.path, exchange.request.headers.host);
    sendError(exchange, explain(exchange, thrown), hints);
  };
  const route = createRoute({
    ...parts,
    ...{ requests, metadata, mcp, phase: () => phase, health, checkHost, explain },
  });
  const door = createDoor(parts, (exchange) => {
    route(exchange).catch((thrown: unknown) => fail(exchange, thrown));
  });
  const { server, connections } = createHttpServer({
    limits: parts.limits,
    trustedProxies: config.trustedProxies,
    handle: door.enter,
    log: parts.log,
  });
  const pipes = new Set<StdioConnection>();
  await listen(server, config, parts);
  const management =
    config.management &&
    (await startManagement({
      at: { ...config.management, reusePort: config.reusePort },
      limits: parts.limits,
      health: healthAt(createHostCheck(config.management.host, config.allowedHosts)),
      fail,
      log: parts.log,
    }).catch(async (error: unknown) => {
      door.close();
      await drain({ server, connections, pipes, endStreams: mcp.close }, 0);
      throw error;
    }));

  return {
    url: addressOf(server, config.host),
    managementUrl: management?.url,
    markStarted: () => {
      hasStarted = true;
      if (phase === "starting") phase = "serving";
    },
    connectStdio: async (streams, token) => {
      const authenticate = async (): Promise<Principal> => {
        if (!parts.mcpMounted()) throw new GatewayError("not_found", noMcp);
        return requests.authenticateToken(token);
      };
      await requests.authenticateToken(token);
      const connection = mcp.connectStdio(streams, authenticate);
      pipes.add(connection);
      return connection;
    },
    leave: async () => {
      phase = "leaving";
      connections.leave();
      if (config.reusePort) await Promise.all([stopListening(server), management?.leave()]);
    },
    drain: async (graceMilliseconds) => {
      phase = "draining";
      if (config.reusePort) await Promise.all([stopListening(server), management?.leave()]);
      await drain({ server, connections, pipes, endStreams: mcp.close }, graceMilliseconds);
      door.close();
      await management?.close();
    },
  };
}
