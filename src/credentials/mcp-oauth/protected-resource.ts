import { GatewayError } from "../../errors.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { whoNamed } from "../../upstream/named-url.ts";
import type { BoundedHttp } from "./bounded-http.ts";
import { checkEndpoint } from "./check-endpoint.ts";
import { readScopeList } from "./choose-scopes.ts";
import { fetchMetadata } from "./fetch-metadata.ts";

/** What an MCP server says of its authorization (RFC 9728). */
export interface ProtectedResource {
  /** Its identifier as published: what tokens are asked for (RFC 8707). */
  readonly resource: string;
  /** Issuers, in the server's order; empty: it names none. */
  readonly authorizationServers: readonly string[];
  readonly scopes: readonly string[];
}

/** Servers list one or two. */
const mostServers = 20;

/**
 * Reads it from where the challenge says, else from the well-known place for the server's path, else from that of its origin;
 * `undefined`: there is none, as before MCP 2025-06-18.
 *
 * Throws `GatewayError` for a document that is about something else than this server: who believed it would ask for tokens that are
 * another server's, and give them to this one.
 */
export async function readProtectedResource(
  http: BoundedHttp,
  mcpUrl: string,
  announced: string | undefined,
  signal: AbortSignal,
): Promise<ProtectedResource | undefined> {
  for (const url of places(mcpUrl, announced)) {
    const document = await fetchMetadata(http, url, whoNamed(url, mcpUrl), signal);
    if (document !== undefined) return readDocument(document, mcpUrl);
  }
  return undefined;
}

function places(mcpUrl: string, announced: string | undefined): readonly string[] {
  const { origin, pathname, search } = new URL(mcpUrl);
  const root = `${origin}/.well-known/oauth-protected-resource`;
  const wellKnown = pathname === "/" ? [`${root}${search}`] : [`${root}${pathname}${search}`, root];
  if (announced === undefined) return wellKnown;
  return [...new Set([checkEndpoint(announced, "resource_metadata", mcpUrl), ...wellKnown])];
}

function readDocument(document: JsonObject, mcpUrl: string): ProtectedResource {
  const { resource, authorization_servers: servers, scopes_supported: scopes } = document;
  if (typeof resource !== "string" || !covers(resource, mcpUrl)) {
    throw new GatewayError(
      "upstream_failed",
      "The MCP server's metadata is about another resource than its own URL, so it is not believed. That is for whoever runs the server to mend.",
    );
  }
  return { resource, authorizationServers: readServers(servers), scopes: readScopeList(scopes) };
}

/** Whether a resource identifier stands for an MCP URL: the same origin, and its path or one that it lies below. */
function covers(resource: string, mcpUrl: string): boolean {
  const named = URL.parse(resource);
  if (named === null || resource.includes("#") || named.username !== "" || named.password !== "")
    return false;
  const actual = new URL(mcpUrl);
  if (named.search !== "" && named.search !== actual.search) return false;
  return named.origin === actual.origin && folder(actual).startsWith(folder(named));
}

function folder({ pathname }: URL): string {
  return pathname.endsWith("/") ? pathname : `${pathname}/`;
}

function readServers(value: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((issuer) => typeof issuer === "string").slice(0, mostServers);
}
