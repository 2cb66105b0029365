import { GatewayError } from "../errors.ts";
import type { Principal } from "../model/principal.ts";
import { version } from "../version.ts";
import { describeApi } from "./api/describe-api.ts";
import { handleApi } from "./api/routes.ts";
import type { RequestAuthenticator } from "./authenticate-request.ts";
import { sendAuthorizationFailure } from "./authorization-failure.ts";
import type { HostCheck } from "./check-host.ts";
import { checkRequest } from "./check-request.ts";
import { draining } from "./draining.ts";
import { allow, type Exchange, sendEmpty, sendJson } from "./exchange.ts";
import type { ServingPhase } from "./health.ts";
import { noSuchPath } from "./identity/context.ts";
import type { McpEndpoint } from "./mcp/endpoint.ts";
import { handlePage, isPage } from "./pages/routes.ts";
import type { ResourceMetadata } from "./resource-metadata.ts";
import type { ServerParts } from "./server-parts.ts";

/** Why there is no `/mcp`. */
export const noMcp = "No provider is offered over MCP: each has `mcp.enabled: false`, or there is none.";

const noOldTransport =
  "The HTTP+SSE transport of MCP 2024-11-05 is not offered: use Streamable HTTP at `/mcp`, which all versions of the protocol can.";

/** What is reached over HTTP, besides what the server stands on. */
export interface RouteParts extends ServerParts {
  readonly requests: RequestAuthenticator;
  readonly metadata: ResourceMetadata;
  readonly mcp: McpEndpoint;
  readonly phase: () => ServingPhase;
  /** Answers a path of health; `undefined` for every other one. */
  readonly health: (exchange: Exchange) => Promise<void> | undefined;
  readonly checkHost: HostCheck;
  /** What the caller may know of a failure; the rest goes to the log. */
  readonly explain: (exchange: Exchange, thrown: unknown) => GatewayError;
}

/** Leads each request to what answers it; rejects with a `GatewayError` where nothing does. */
export function createRoute(parts: RouteParts): (exchange: Exchange) => Promise<void> {
  const { identity, requests, metadata, mcp, phase, explain, checkHost } = parts;
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

  return async (exchange) => {
    const { path, request } = exchange;
    checkRequest(exchange);
    const answered = parts.health(exchange);
    if (answered !== undefined) return answered;
    if (parts.authorizationServer?.owns(path) === true) {
      // Tokens are asked for by whoever has a code, from any page, and nothing that a browser adds by itself counts here.
      checkHost(request, "open");
      if (phase() === "draining") return sendAuthorizationFailure(exchange, draining());
      return parts.authorizationServer
        .handle(request, exchange.response, exchange)
        .catch((thrown: unknown) => {
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
    if (phase() === "draining" && !isEndpoint) throw draining();
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
    if (isEndpoint) return mcp.handle(exchange, phase() === "draining");
    if (path === "/mcp" || path.startsWith("/mcp/")) {
      // What there is below is told to callers only.
      await requests.authenticate(exchange);
      if (path === "/mcp" || path === "/mcp/") throw new GatewayError("not_found", noMcp);
    }
    if (path === "/sse" || path === "/messages") throw new GatewayError("not_found", noOldTransport);
    throw noSuchPath(path, parts.address.baseUrl());
  };
}
