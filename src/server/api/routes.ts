import type { Broker } from "../../broker/broker.ts";
import { silentPeer } from "../../broker/silent-peer.ts";
import type { CatalogView } from "../../catalog/view.ts";
import { GatewayError } from "../../errors.ts";
import type { Identity } from "../../identity/identity.ts";
import { asObject } from "../../json-object.ts";
import type { Tool } from "../../model/catalog.ts";
import type { Principal } from "../../model/principal.ts";
import type { HttpResult } from "../../model/result.ts";
import type { Caller, RequestAuthenticator } from "../authenticate-request.ts";
import type { ConnectionParts } from "../connection-parts.ts";
import { endResponse } from "../end-response.ts";
import { allow, type Exchange } from "../exchange.ts";
import { noSuchRoute } from "../identity/context.ts";
import { handleIdentity, isIdentityRoute } from "../identity/routes.ts";
import { handleLogin } from "../identity/sessions.ts";
import { holdsAnywhere, presentedBy, secretNotPassed } from "../presented-secrets.ts";
import { tenantParameter } from "../read-tenant.ts";
import { headersOf } from "../request-header.ts";
import { handleConnect, isConnectRoute } from "./connect.ts";
import { handleIntegrations } from "./integrations.ts";
import { readBodyArguments, readQueryArguments } from "./read-arguments.ts";

/** What the HTTP API stands on. */
export interface ApiParts extends Pick<ConnectionParts, "connections" | "instances" | "prepare"> {
  readonly broker: Broker;
  readonly identity: Identity;
  readonly requests: RequestAuthenticator;
  /** What a principal may see and call through the HTTP API. */
  readonly view: (principal: Principal) => CatalogView;
}

/** Headers of an upstream's answer that are passed on; the rest describes a connection or a site that is not ours. */
const passedHeaders = [
  "content-type",
  "content-disposition",
  "content-language",
  "content-range",
  "etag",
  "last-modified",
  "link",
  "location",
  "retry-after",
  "x-request-id",
  "x-total-count",
  "ratelimit",
  "ratelimit-policy",
  "ratelimit-limit",
  "ratelimit-remaining",
  "ratelimit-reset",
  "x-ratelimit-limit",
  "x-ratelimit-remaining",
  "x-ratelimit-reset",
] as const;

/** Characters of a note: clients refuse long headers, and a cursor that is cut stands in the body too. */
const longestNote = 4_000;

/**
 * Serves what follows `/api/v1/`: `auth/…`, `users`, `tokens` and `tenants`, `integrations` and what is below it, and
 * `{integration}/{operation}` for calls. Nobody gets further than `auth/login` without a credential, not even to hear that there is no
 * such route.
 */
export async function handleApi(parts: ApiParts, exchange: Exchange, rest: string): Promise<void> {
  const { response } = exchange;
  // What one caller gets is for nobody else, and not for the same one after signing out.
  response.setHeader("cache-control", "no-store");
  response.setHeader("vary", "authorization, cookie, x-gateway-tenant");
  if (rest === "auth/login") return handleLogin(parts.identity, parts.requests, exchange);
  const segments = decodeSegments(rest);
  const [first = "", second] = segments ?? [];
  const isCall =
    segments?.length === 2 && second !== undefined && first !== "integrations" && !isIdentityRoute(segments);
  const caller = await parts.requests.authenticate(
    exchange,
    isCall
      ? {
          ownsTenantParameter: async (as) => {
            await parts.prepare(as);
            return declaresTenant(parts.view(as).findOperation(first, second));
          },
        }
      : {},
  );
  if (segments === undefined) {
    throw new GatewayError("bad_request", "The path is not valid percent-encoded UTF-8.");
  }
  if (isConnectRoute(segments)) return handleConnect(parts, exchange, caller, segments);
  if (isIdentityRoute(segments)) return handleIdentity(parts.identity, exchange, caller, segments);
  await parts.prepare(caller.principal);
  if (first === "integrations") return handleIntegrations(parts, exchange, caller, segments.slice(1));
  if (isCall) return call(parts, exchange, caller, first, second);
  throw noSuchRoute();
}

/** Whether an operation has an argument of the name by which callers name a tenant. */
function declaresTenant(tool: Tool | undefined): boolean {
  return Object.hasOwn(asObject(tool?.inputSchema["properties"]) ?? {}, tenantParameter);
}

async function call(
  parts: ApiParts,
  exchange: Exchange,
  caller: Caller,
  provider: string,
  operation: string,
): Promise<void> {
  allow(exchange, ["GET", "POST"]);
  const { query } = caller;
  const tool = parts.view(caller.principal).findOperation(provider, operation);
  const isGet = exchange.request.method !== "POST";
  if (tool !== undefined) refuseUnsuited(exchange, tool, isGet);
  const read = isGet
    ? readQueryArguments(query, tool?.inputSchema ?? {})
    : await readBodyArguments(exchange, query);
  const principal = await caller.confirm();
  const holdsSecret = presentedBy(exchange, principal);
  if (holdsAnywhere(read.arguments, holdsSecret)) throw secretNotPassed("An argument");
  const result = await parts.broker.invoke({
    principal,
    via: "api",
    target: { kind: "operation", provider, operation },
    arguments: read.arguments,
    connection: read.connection,
    instance: read.instance,
    header: headersOf(exchange.request, holdsSecret),
    peer: silentPeer(),
    signal: exchange.signal,
  });
  if (result.kind !== "http")
    throw new GatewayError("internal", "The gateway failed to handle this request.");
  sendUpstreamAnswer(exchange, result);
}

function refuseUnsuited(exchange: Exchange, tool: Tool, isGet: boolean): void {
  if (tool.surface === "mcp") {
    throw new GatewayError(
      "mcp_only",
      `\`${tool.operation}\` is a tool of an upstream MCP server; call it as \`${tool.name}\` at /mcp.`,
    );
  }
  if (isGet && !tool.annotations.readOnlyHint) {
    exchange.response.setHeader("allow", "POST");
    throw new GatewayError(
      "method_not_allowed",
      `\`${tool.operation}\` is not read-only; call it with POST.`,
    );
  }
}

/** Status and body as they are; what the gateway has to say of them goes into a header. */
function sendUpstreamAnswer(exchange: Exchange, result: HttpResult): void {
  const { response } = exchange;
  for (const name of passedHeaders) {
    const value = result.headers[name];
    if (value !== undefined) response.setHeader(name, value);
  }
  if (result.notes !== undefined) response.setHeader("gateway-note", noteHeader(result.notes));
  // An upstream's page must not act as one of the gateway's own origin.
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("content-security-policy", "sandbox; default-src 'none'");
  const bodiless = result.status === 204 || result.status === 304;
  if (!bodiless) response.setHeader("content-length", result.body.length);
  response.writeHead(result.status);
  endResponse(
    response,
    bodiless
      ? Buffer.alloc(0)
      : Buffer.from(result.body.buffer, result.body.byteOffset, result.body.byteLength),
  );
}

/** What is missing of the answer and how to go on, in what a header can hold. */
function noteHeader(notes: readonly string[]): string {
  return notes
    .join(" ")
    .replace(/[^\x20-\x7e]/g, "?")
    .slice(0, longestNote);
}

/** The decoded segments of a path; `undefined` when one is not percent-encoded UTF-8. */
function decodeSegments(path: string): readonly string[] | undefined {
  try {
    return path.split("/").map(decodeURIComponent);
  } catch {
    return undefined;
  }
}
