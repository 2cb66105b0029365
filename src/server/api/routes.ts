import type { Broker } from "../../broker/broker.ts";
import { silentPeer } from "../../broker/silent-peer.ts";
import type { CatalogSnapshot } from "../../catalog/snapshot.ts";
import { GatewayError } from "../../errors.ts";
import type { ProviderCatalog, Tool } from "../../model/catalog.ts";
import type { Principal } from "../../model/principal.ts";
import type { HttpResult } from "../../model/result.ts";
import { endResponse } from "../end-response.ts";
import { allow, type Exchange, sendJson } from "../exchange.ts";
import { readBodyArguments, readQueryArguments } from "./read-arguments.ts";

/** What the HTTP API stands on. */
export interface ApiParts {
  readonly broker: Broker;
  readonly snapshot: CatalogSnapshot;
  readonly principal: (exchange: Exchange) => Promise<Principal>;
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
 * Serves what follows `/api/v1/`:
 * `integrations`, `integrations/{name}/operations`, and `{integration}/{operation}` for calls.
 */
export async function handleApi(parts: ApiParts, exchange: Exchange, rest: string): Promise<void> {
  const principal = await parts.principal(exchange);
  const segments = rest.split("/").map(decodeSegment);
  const [first = "", second, third] = segments;
  if (segments.length === 1 && first === "integrations") {
    allow(exchange, ["GET"]);
    const integrations = parts.snapshot.catalog.providers.map(describeIntegration);
    return sendJson(exchange, 200, { integrations });
  }
  if (segments.length === 3 && first === "integrations" && second !== undefined && third === "operations") {
    allow(exchange, ["GET"]);
    return sendJson(exchange, 200, { operations: listOperations(parts, second) });
  }
  if (segments.length === 2 && second !== undefined && first !== "integrations") {
    return call(parts, exchange, principal, first, second);
  }
  throw new GatewayError(
    "not_found",
    "There is no such route. GET /openapi.json describes those that there are.",
  );
}

async function call(
  parts: ApiParts,
  exchange: Exchange,
  principal: Principal,
  provider: string,
  operation: string,
): Promise<void> {
  allow(exchange, ["GET", "POST"]);
  const tool = parts.snapshot.view("api").findOperation(provider, operation);
  const isGet = exchange.request.method !== "POST";
  if (tool !== undefined) refuseUnsuited(exchange, tool, isGet);
  const read = isGet
    ? readQueryArguments(exchange.query, tool?.inputSchema ?? {})
    : await readBodyArguments(exchange);
  const result = await parts.broker.invoke({
    principal,
    via: "api",
    target: { kind: "operation", provider, operation },
    arguments: read.arguments,
    connection: read.connection,
    instance: read.instance,
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

function describeIntegration(provider: ProviderCatalog): object {
  return {
    name: provider.name,
    display_name: provider.displayName,
    description: provider.description,
    state: provider.state,
    reason: provider.reason,
    mcp_enabled: provider.mcpEnabled,
    surfaces: provider.surfaces,
    connections: provider.connections,
    tools: provider.tools.length,
  };
}

function listOperations(parts: ApiParts, name: string): readonly object[] {
  const provider = parts.snapshot.catalog.providers.find((candidate) => candidate.name === name);
  if (provider === undefined) {
    throw new GatewayError(
      "not_found",
      `Unknown integration \`${name}\`. GET /api/v1/integrations lists them.`,
    );
  }
  return parts.snapshot
    .view("api")
    .tools.filter((tool) => tool.provider === name && tool.surface !== "mcp")
    .map((tool) => ({
      name: tool.operation,
      tool: tool.name,
      id: tool.id,
      surface: tool.surface,
      title: tool.title,
      description: tool.description,
      methods: tool.annotations.readOnlyHint ? ["GET", "POST"] : ["POST"],
      connection: tool.connection,
      deprecated: tool.deprecated,
      annotations: tool.annotations,
      input_schema: tool.inputSchema,
      output_schema: tool.outputSchema,
    }));
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    throw new GatewayError("bad_request", "The path is not valid percent-encoded UTF-8.", { cause: error });
  }
}
