import type { IncomingMessage, ServerResponse } from "node:http";
import { fetchDocument as fetchClientDocument } from "../../src/authorization-server/fetch-document.ts";
import { exposeSurface } from "../../src/catalog/expose.ts";
import { boundHttp } from "../../src/credentials/mcp-oauth/bounded-http.ts";
import { readProtectedResource } from "../../src/credentials/mcp-oauth/protected-resource.ts";
import { createRegister } from "../../src/credentials/mcp-oauth/register.ts";
import type { Registrations } from "../../src/credentials/mcp-oauth/registrations.ts";
import { readServerMetadata, type ServerMetadata } from "../../src/credentials/mcp-oauth/server-metadata.ts";
import { createTokenClient } from "../../src/credentials/oauth/create-token-client.ts";
import type { OAuthClient } from "../../src/credentials/oauth/token-client.ts";
import { createDocumentLoader } from "../../src/documents/load-document.ts";
import { createHttpFetch } from "../../src/federation/http-fetch.ts";
import { createIssuerMetadata } from "../../src/federation/issuer-metadata.ts";
import { KeySet } from "../../src/federation/key-set.ts";
import type { HttpBinding } from "../../src/model/catalog.ts";
import type { DocumentLocation } from "../../src/model/config.ts";
import type { Credential } from "../../src/model/credential.ts";
import type { Invocation } from "../../src/model/invocation.ts";
import { createHttpExecutor } from "../../src/providers/http/execute.ts";
import { createHttpEndpoint } from "../../src/providers/mcp/http-endpoint.ts";
import { HttpSse } from "../../src/providers/mcp/http-sse.ts";
import { StreamableHttp } from "../../src/providers/mcp/streamable-http.ts";
import { createRelatedReader } from "../../src/providers/openapi/read-related.ts";
import { Secret } from "../../src/secret.ts";
import type { HttpClient } from "../../src/upstream/http-client.ts";
import { makeOperation, makeProvider, restSurface } from "../catalog/fixtures.ts";

/** What goes out because of an address that somebody else than the operator named. */
export type Sink = (http: HttpClient, target: string, stage: Stage) => Promise<unknown>;

/** A server that the operator named, or allows. */
export interface Stage {
  readonly url: string;
}

const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };
const provider = makeProvider("acme", { headers: { "X-Own": new Secret("canary-credential") } });
const credential: Credential = {
  reference: undefined,
  headers: { authorization: new Secret("Bearer canary-credential") },
  query: {},
};
const signal = (): AbortSignal => AbortSignal.timeout(20_000);

/** Answers as the query of the request asks it to. */
export function answerAsAsked(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://stage");
  const to = searchParams.get("to") ?? "";
  // As careless servers send it: in UTF-8, whatever headers may hold.
  const header = Buffer.from(to.replace(/[\r\n\0]/g, "")).toString("latin1");
  const known = /^\/([a-z]+)(?:\/([\w-]+))?/.exec(pathname);
  switch (known?.[1]) {
    case "redirect":
      // A target without slashes is a path beside this one, and may look like any status.
      response.writeHead(/^3\d\d$/.test(known[2] ?? "") ? Number(known[2]) : 404, { location: header }).end();
      return;
    case "sse":
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`event: endpoint\ndata: ${to}\n\n`);
      return;
    case "list":
      response.writeHead(200, { "content-type": "application/json", link: `<${header}>; rel="next"` });
      response.end(JSON.stringify({ items: [1], next: to }));
      return;
    case "issuer": {
      const named = Buffer.from(known[2] ?? "", "base64url").toString();
      const issuer = `${request.headers.host === undefined ? "" : `http://${request.headers.host}`}/issuer/${known[2]}`;
      response.writeHead(200, { "content-type": "application/json" });
      response.end(
        JSON.stringify({
          issuer,
          ...{
            authorization_endpoint: named,
            token_endpoint: named,
            jwks_uri: named,
            userinfo_endpoint: named,
          },
        }),
      );
      return;
    }
    default:
      response.writeHead(404).end();
  }
}

const redirecting = (stage: Stage, target: string, status = 302): string =>
  `${stage.url}/redirect/${status}?to=${encodeURIComponent(target)}`;

function clientAt(tokenUrl: string, namedBy: OAuthClient["namedBy"]): OAuthClient {
  return {
    ...{ issuer: undefined, issuerRequired: false, authorizationUrl: undefined },
    ...{ tokenUrl, revocationUrl: tokenUrl, clientId: "id", clientSecret: new Secret("canary-credential") },
    ...{ clientAuth: "header", exchange: "form", scopeParameter: "scope", scopeSeparator: " " },
    ...{ resource: undefined, pkce: true, accessTokenPath: ["access_token"], namedBy },
    ...{ authorizationParameters: {}, tokenParameters: {}, refreshParameters: {} },
  };
}

const noRegistrations: Registrations = {
  checkWritable: () => {},
  ...{ current: async () => undefined, find: async () => undefined, pinned: async () => undefined },
  ...{
    keep: async () => {},
    retire: async () => false,
    pin: async () => {},
    lease: async () => async () => {},
  },
};

const announced: ServerMetadata = {
  ...{
    issuer: "https://issuer.example",
    issuerRequired: false,
    authorizationUrl: "https://issuer.example/a",
  },
  ...{ tokenUrl: "https://issuer.example/t", registrationUrl: undefined, revocationUrl: undefined },
  ...{ clientAuthMethods: ["none"], scopes: [], takesMetadataDocuments: false },
};

async function call(http: HttpClient, binding: Partial<HttpBinding>): Promise<unknown> {
  const known = makeOperation("go").binding;
  if (known.kind !== "http") throw new Error("Not HTTP.");
  const operation = makeOperation("go", { binding: { ...known, path: "/x", ...binding } });
  const [tool] = exposeSurface(provider, {
    surface: restSurface,
    operations: [operation],
    origin: "declared",
  });
  if (tool === undefined) throw new Error("No tool.");
  // Only what the executor reads.
  const invocation = { arguments: { _max_pages: 3 }, signal: signal() } as unknown as Invocation;
  return createHttpExecutor(provider, http).execute(invocation, tool, credential);
}

const pagination: HttpBinding["pagination"] = {
  ...{
    more: undefined,
    items: ["items"],
    limitParameter: undefined,
    pageSize: undefined,
    maxPages: 5,
    place,
  },
  next: { style: "link", url: undefined },
};

const loader = (http: HttpClient) =>
  createDocumentLoader({ http, remote: "fetch", workingDirectory: import.meta.dirname });
const at = (url: string): DocumentLocation => ({ kind: "url", url, place });

async function openMcp(transport: HttpSse | StreamableHttp): Promise<unknown> {
  const receiver = { message: () => {}, oversized: () => {}, missed: () => {}, closed: () => {} };
  try {
    await transport.open(receiver, signal());
    return await transport.send({ kind: "request", id: 1, method: "ping", params: {} }, { signal: signal() });
  } finally {
    await transport.close();
  }
}

async function metadataOf(http: HttpClient, target: string, stage: Stage) {
  const read = createIssuerMetadata({ http });
  return read(`${stage.url}/issuer/${Buffer.from(target).toString("base64url")}`);
}

const mcpUrl = "https://mcp.example/mcp";

/** Every way in which an address that an upstream, a document, an issuer or a client names could be asked for. */
export const sinks: Readonly<Record<string, Sink>> = {
  "a redirect of an OpenAPI document": (http, target, stage) =>
    loader(http).document(at(redirecting(stage, target)), {
      signal: signal(),
      headers: { "x-own": "canary" },
    }),
  "a document that another one names": (http, target) =>
    loader(http).document(at(target), { signal: signal(), namedBy: "document" }),
  "a $ref of a document": async (http, target, stage) =>
    createRelatedReader({
      location: at(`${stage.url}/api/openapi.json`),
      documents: loader(http),
      ...{ allowedHosts: ["stage.example", "open.example"], headers: {}, signal: signal() },
      limits: { bytes: 1_000_000, nodes: 1_000, depth: 10, operations: 10 },
    } as Parameters<typeof createRelatedReader>[0])(target),
  "a server URL of a document": (http, target) =>
    call(http, { baseUrl: target.replace(/\/x$/, ""), addressFrom: "document" }),
  "the Location of a call": (http, target, stage) =>
    call(http, {
      baseUrl: stage.url,
      path: new URL(redirecting(stage, target)).pathname + new URL(redirecting(stage, target)).search,
    }),
  "the next link of a page": (http, target, stage) =>
    call(http, { baseUrl: stage.url, path: `/list?to=${encodeURIComponent(target)}`, pagination }),
  "the next address in an answer": (http, target, stage) =>
    call(http, {
      baseUrl: stage.url,
      path: `/list?to=${encodeURIComponent(target)}`,
      pagination: { ...pagination, next: { style: "link", url: ["next"] } },
    }),
  "the endpoint event of an MCP server": (http, target, stage) =>
    openMcp(
      new HttpSse(
        createHttpEndpoint(
          http,
          `${stage.url}/sse?to=${encodeURIComponent(target)}`,
          provider,
          credential,
        ).session(),
      ),
    ),
  "a redirect of an MCP server": (http, target, stage) =>
    openMcp(
      new StreamableHttp(
        createHttpEndpoint(http, redirecting(stage, target, 307), provider, credential).session(),
      ),
    ),
  "resource_metadata of a challenge": (http, target) =>
    readProtectedResource(boundHttp(withoutWellKnown(http)), mcpUrl, target, signal()),
  "an authorization server of a resource": (http, target) =>
    readServerMetadata(boundHttp(http), target.replace(/\/x$/, ""), mcpUrl, signal()),
  "a token endpoint": (http, target) =>
    createTokenClient(http).refresh(clientAt(target, "upstream"), new Secret("canary"), undefined, signal()),
  "a redirect of a token endpoint": (http, target, stage) =>
    createTokenClient(http).refresh(
      clientAt(redirecting(stage, target, 307), "operator"),
      new Secret("canary"),
      undefined,
      signal(),
    ),
  "a revocation endpoint": (http, target) =>
    createTokenClient(http).revoke(
      clientAt(target, "upstream"),
      new Secret("canary"),
      "access_token",
      signal(),
    ),
  "a registration endpoint": (http, target) =>
    createRegister({
      http: boundHttp(http),
      registrations: noRegistrations,
      ...{ holder: "test", now: Date.now },
    })({ ...announced, registrationUrl: target }, "https://gateway.example/callback", mcpUrl, signal()),
  "jwks_uri of an issuer": async (http, target, stage) => {
    const parts = { http, metadata: createIssuerMetadata({ http }), now: Date.now, log: () => {} };
    const issuer = `${stage.url}/issuer/${Buffer.from(target).toString("base64url")}`;
    return new KeySet({ issuer, jwksUrl: undefined }, parts).find("kid", "RS256");
  },
  "token_endpoint and userinfo_endpoint of an OpenID provider": async (http, target, stage) => {
    const metadata = await metadataOf(http, target, stage);
    const send = createHttpFetch(http, metadata.namedBy);
    return send(metadata.tokenEndpoint ?? "", {
      method: "POST",
      headers: { authorization: "canary" },
      body: "a=b",
    });
  },
  "a redirect of an issuer's keys": async (http, target, stage) => {
    const parts = { http, metadata: createIssuerMetadata({ http }), now: Date.now, log: () => {} };
    const keys = new KeySet({ issuer: stage.url, jwksUrl: redirecting(stage, target) }, parts);
    return keys.find("kid", "RS256");
  },
  "a client's metadata document": (http, target) => fetchClientDocument(http, target),
  "a redirect of a client's metadata document": (http, target, stage) =>
    fetchClientDocument(http, redirecting(stage, target)),
};

/** Those that follow an address that the operator allows; all others lead nowhere but to the origin that they are about. */
export const following: readonly string[] = [
  "a redirect of an OpenAPI document",
  "a document that another one names",
  "a $ref of a document",
  "a server URL of a document",
  "resource_metadata of a challenge",
  "an authorization server of a resource",
  "a token endpoint",
  "a revocation endpoint",
  "a registration endpoint",
  "jwks_uri of an issuer",
  "token_endpoint and userinfo_endpoint of an OpenID provider",
  "a client's metadata document",
];

/** The well-known places of the MCP server itself are not what is looked at. */
function withoutWellKnown(http: HttpClient): HttpClient {
  return {
    request: (request) =>
      request.url.startsWith("https://mcp.example/")
        ? Promise.resolve({ status: 404, headers: {}, body: new Uint8Array() })
        : http.request(request),
    stream: (request) => http.stream(request),
    close: () => http.close(),
  };
}
