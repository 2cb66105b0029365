import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { AuthorizationServer } from "../authorization-server/authorization-server.ts";
import type { Broker } from "../broker/broker.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { CatalogView } from "../catalog/view.ts";
import { GatewayError } from "../errors.ts";
import type { OidcSignIn } from "../federation/oidc-sign-in.ts";
import type { Identity } from "../identity/identity.ts";
import type { AuthConfig } from "../model/auth-config.ts";
import type { ProviderCatalog } from "../model/catalog.ts";
import type { ServerConfig } from "../model/config.ts";
import type { Principal } from "../model/principal.ts";
import type { OwnAddress } from "../own-address.ts";
import type { Secret } from "../secret.ts";
import { version } from "../version.ts";
import { describeApi } from "./api/describe-api.ts";
import { sendError, toGatewayError } from "./api/error-response.ts";
import { handleApi } from "./api/routes.ts";
import { createRequestAuthenticator } from "./authenticate-request.ts";
import { sendAuthorizationFailure } from "./authorization-failure.ts";
import { createHostCheck } from "./check-host.ts";
import { checkSingleHeaders } from "./check-single-headers.ts";
import type { ConnectionParts } from "./connection-parts.ts";
import { Connections } from "./connections.ts";
import { draining } from "./draining.ts";
import { allow, type Exchange, sendEmpty, sendJson } from "./exchange.ts";
import { handleLiveness, handleReadiness, type ServingPhase } from "./health.ts";
import { noSuchPath } from "./identity/context.ts";
import { createMcpEndpoint } from "./mcp/endpoint.ts";
import type { StdioConnection, StdioStreams } from "./mcp/stdio-endpoint.ts";
import { handlePage, isPage } from "./pages/routes.ts";
import { withoutTokens } from "./query-parameters.ts";
import { createResourceMetadata } from "./resource-metadata.ts";

const noMcp = "No provider is offered over MCP: each has `mcp.enabled: false`, or there is none.";

const noOldTransport =
  "The HTTP+SSE transport of MCP 2024-11-05 is not offered: use Streamable HTTP at `/mcp`, which all versions of the protocol can.";

/** What the server stands on. */
export interface ServerParts extends ConnectionParts {
  readonly config: Omit<ServerConfig, "encryptionKeys">;
  readonly broker: Broker;
  readonly snapshot: CatalogSnapshot;
  /** Who is calling, and what can be done to callers. */
  readonly identity: Identity;
  /** What a principal may see and call now, through either way in. */
  readonly view: (principal: Principal, surface: "mcp" | "api") => CatalogView;
  /** As of now; a reload changes it. */
  readonly auth: () => AuthConfig;
  readonly address: OwnAddress;
  /** Sign-in at an identity provider; `undefined`: there is none. */
  readonly oidcSignIn?: OidcSignIn | undefined;
  /** The gateway's own; `undefined`: there is none. */
  readonly authorizationServer?: AuthorizationServer | undefined;
  /** Whether any provider is offered over MCP; otherwise `/mcp` does not exist. */
  readonly mcpMounted: () => boolean;
  /**
   * Keys of 32 bytes that seal what MCP clients keep for the gateway, the newest first; none where none are configured: then such things
   * end with the process. Absent: none.
   */
  readonly requestStateKeys?: () => readonly Buffer[];
  /** Where its port is taken, whether to listen on a free one instead. Default false. */
  readonly orFreePort?: boolean;
  readonly log: (message: string, cause?: unknown) => void;
}

/** A server that listens. */
export interface GatewayServer {
  /** Where it listens: `http://127.0.0.1:8080`. */
  readonly url: string;
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
   * Refuses new calls, lets those that run finish for at most `graceMilliseconds`, then breaks off what is left and stops
   * listening.
   */
  drain(graceMilliseconds: number): Promise<void>;
}

/** Starts to listen; throws `GatewayError` (`internal`) with a message for the operator when the port can't be had. */
export async function startServer(parts: ServerParts): Promise<GatewayServer> {
  let phase: ServingPhase = "starting";
  const { config } = parts;
  const checkHost = createHostCheck(config.host, config.allowedHosts);
  const { identity } = parts;
  const requests = createRequestAuthenticator({
    identity,
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
    log: parts.log,
  });
  const api = {
    broker: parts.broker,
    identity,
    requests,
    view: (principal: Principal) => parts.view(principal, "api"),
    connections: parts.connections,
    prepare: parts.prepare,
    instances: parts.instances,
  };
  const pages = {
    identity,
    requests,
    isSignInNeeded: () => parts.auth().provider !== "none",
    oidcSignIn: parts.oidcSignIn,
    identityProvider: () => parts.auth().oidc?.displayName,
    authorizationServer: parts.authorizationServer,
    connections: parts.connections,
    finishOAuth: parts.finishOAuth,
  };

  /** The providers for `/readyz`: only for who may make requests at all, and of those only what they may know of. */
  const listProviders = async (exchange: Exchange): Promise<readonly ProviderCatalog[] | undefined> => {
    try {
      checkHost(exchange.request);
      const { principal } = await requests.authenticate(exchange);
      return api.view(principal).providers;
    } catch {
      // Whoever it is that asks: the status is for everybody.
      return undefined;
    }
  };

  /** What the caller may know of a failure; the rest goes to the log. */
  const explain = ({ request, path }: Exchange, thrown: unknown): GatewayError => {
    const error = toGatewayError(thrown);
    if (error.code === "internal")
      parts.log(`${request.method} ${withoutTokens(path)} failed.`, error.cause ?? thrown);
    return error;
  };

  const route = async (exchange: Exchange): Promise<void> => {
    const { path, request } = exchange;
    checkSingleHeaders(request);
    if (path === "/livez" || path === "/health") return handleLiveness(exchange);
    if (path === "/readyz" || path === "/ready") {
      return handleReadiness(exchange, phase, parts.snapshot.catalog, await listProviders(exchange));
    }
    if (parts.authorizationServer?.owns(path) === true) {
      // Tokens are asked for by whoever has a code, from any page, and nothing that a browser adds by itself counts here.
      checkHost(request, "open");
      if (phase === "draining") return sendAuthorizationFailure(exchange, draining());
      return parts.authorizationServer.handle(request, exchange.response, path).catch((thrown: unknown) => {
        if (!exchange.signal.aborted) sendAuthorizationFailure(exchange, explain(exchange, thrown));
      });
    }
    const resource = metadata.find(path, request.headers.host);
    if (resource !== undefined) {
      checkHost(request, "open");
      const open = { "access-control-allow-origin": "*" };
      // Clients say here already which version they speak, and browsers ask first whether they may.
      if (request.method === "OPTIONS")
        return sendEmpty(exchange, 204, {
          ...open,
          "access-control-allow-methods": "GET",
          "access-control-allow-headers": "mcp-protocol-version",
          "access-control-max-age": "3600",
        });
      allow(exchange, ["GET", "OPTIONS"]);
      return sendJson(exchange, 200, resource, { ...open, "cache-control": "public, max-age=300" });
    }
    const isOurPage = isPage(path, pages.isSignInNeeded());
    checkHost(request, isOurPage ? "page" : undefined);
    const isEndpoint = (path === "/mcp" || path === "/mcp/") && parts.mcpMounted();
    // The endpoint still takes what calls that run are waiting for.
    if (phase === "draining" && !isEndpoint) throw draining();
    if (path === "/openapi.json") {
      allow(exchange, ["GET"]);
      return sendJson(exchange, 200, describeApi(version));
    }
    const client = parts.clientMetadata(path);
    if (client !== undefined) {
      allow(exchange, ["GET"]);
      return sendJson(exchange, 200, client, { "cache-control": "public, max-age=300" });
    }
    if (isOurPage) return handlePage(pages, exchange);
    if (path.startsWith("/api/v1/")) return handleApi(api, exchange, path.slice("/api/v1/".length));
    if (isEndpoint) return mcp.handle(exchange, phase === "draining");
    if (path === "/mcp" || path.startsWith("/mcp/")) {
      // What there is below is told to callers only.
      await requests.authenticate(exchange);
      if (path === "/mcp" || path === "/mcp/") throw new GatewayError("not_found", noMcp);
    }
    if (path === "/sse" || path === "/messages") throw new GatewayError("not_found", noOldTransport);
    throw noSuchPath(path, parts.address.baseUrl());
  };

  const server = createServer(
    { connectionsCheckingInterval: 1_000, headersTimeout: 10_000 },
    (request, response) => {
      const exchange = createExchange(request, response);
      route(exchange).catch((thrown: unknown) => {
        // Who has left needs no answer, and what that broke off is no fault.
        if (exchange.signal.aborted) return;
        const hints = metadata.challenge(exchange.path, request.headers.host);
        sendError(exchange, explain(exchange, thrown), hints);
      });
    },
  );
  const connections = new Connections(server);
  const pipes = new Set<StdioConnection>();
  await listen(server, config, parts);

  return {
    url: addressOf(server, config.host),
    markStarted: () => {
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
    drain: async (graceMilliseconds) => {
      phase = "draining";
      mcp.close();
      connections.closeWhenIdle();
      // Who comes meanwhile is told to go elsewhere, which is better than a refused connection.
      const idle = [connections.idle(), ...[...pipes].map((connection) => connection.drain())];
      await settledWithin(Promise.all(idle), graceMilliseconds);
      for (const connection of pipes) connection.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      connections.closeAll();
      await closed;
    },
  };
}

function createExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  const target = request.url ?? "/";
  const mark = target.indexOf("?");
  const leaving = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) leaving.abort();
  });
  return {
    request,
    response,
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? "" : target.slice(mark + 1),
    signal: leaving.signal,
  };
}

async function listen(
  server: Server,
  config: Pick<ServerConfig, "host" | "port">,
  { orFreePort = false, log }: Pick<ServerParts, "orFreePort" | "log">,
): Promise<void> {
  try {
    await listenOn(server, config);
  } catch (error) {
    const isTaken = error instanceof GatewayError && isPortTaken(error.cause);
    if (!isTaken || !orFreePort) throw error;
    log(`Port ${config.port} on ${config.host} is taken, so HTTP is served on a free one.`);
    await listenOn(server, { ...config, port: 0 });
  }
  // A server that listens fails only to accept single connections (no file descriptors left); it goes on.
  server.on("error", (error) => log("A connection could not be accepted.", error));
}

function listenOn(server: Server, config: Pick<ServerConfig, "host" | "port">): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      reject(new GatewayError("internal", explainListenError(error, config), { cause: error }));
    };
    server.once("error", fail);
    server.listen(config.port, config.host, () => {
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
  { host, port }: Pick<ServerConfig, "host" | "port">,
): string {
  switch (error.code) {
    case "EADDRINUSE":
      return `Port ${port} on ${host} is taken by another process. Stop it, or set \`server.port\` to another port.`;
    case "EACCES":
      return `This user may not listen on port ${port}. Set \`server.port\` to 1024 or above.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `This machine has no address \`${host}\`. Set \`server.host\` to one of its own addresses.`;
    default:
      return `Could not listen on ${host}:${port} (${error.code ?? "unknown error"}).`;
  }
}

function addressOf(server: Server, host: string): string {
  const address = server.address();
  // A server that listens on TCP has an AddressInfo; only pipes have a string.
  const { port } = address as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

async function settledWithin(promise: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([promise, over]);
  clearTimeout(timer);
}
