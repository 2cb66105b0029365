import { type IncomingHttpHeaders, request } from "node:http";
import type { AuthorizationServer } from "../../src/authorization-server/authorization-server.ts";
import { createBroker } from "../../src/broker/broker.ts";
import { createArgumentChecker } from "../../src/broker/check-arguments.ts";
import type { CredentialResolver } from "../../src/broker/credential-resolver.ts";
import { mergeCatalog } from "../../src/catalog/merge.ts";
import { CatalogSnapshot } from "../../src/catalog/snapshot.ts";
import { type CatalogView, createView } from "../../src/catalog/view.ts";
import { GatewayError } from "../../src/errors.ts";
import type { OidcSignIn } from "../../src/federation/oidc-sign-in.ts";
import type { Identity, SignIn } from "../../src/identity/identity.ts";
import type { Administration } from "../../src/model/administration.ts";
import type { AuthConfig } from "../../src/model/auth-config.ts";
import type { Catalog } from "../../src/model/catalog.ts";
import type { Invocation } from "../../src/model/invocation.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import type { ConnectionLimits, RequestLimits } from "../../src/model/limits.ts";
import type { Principal } from "../../src/model/principal.ts";
import { createOwnAddress } from "../../src/own-address.ts";
import { Secret } from "../../src/secret.ts";
import type { ConnectionParts } from "../../src/server/connection-parts.ts";
import { type GatewayServer, startServer } from "../../src/server/http-server.ts";
import { makeProviderCatalog, makeTool } from "../catalog/fixtures.ts";
import { usualLimits, usualServer } from "../limits.ts";
import { principalOf } from "../principals.ts";
import { noConnections, noCredentials } from "./no-connections.ts";

/** A well-formed API token and session that nobody has. */
export const token = (name: string): string => `gst_api_${name.padEnd(43, "x")}`;
export const session = (name: string): string => name.padEnd(43, "s");

/** What a request was answered with. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body, if it is a JSON object. */
  readonly json: JsonObject;
}

/** A server that listens, with a hand-made identity: what it knows is what a test says. */
export interface Stage extends AsyncDisposable {
  readonly server: GatewayServer;
  readonly log: readonly string[];
  /** Each call that reached an executor. */
  readonly calls: readonly Invocation[];
  /** What was asked of identity, in order. */
  readonly asked: readonly { readonly presented: string; readonly actFor: string | undefined }[];
  readonly attempts: readonly SignIn[];
  /** Sessions that were ended. */
  readonly ended: readonly string[];
  /** Sends a request with exactly these headers. */
  send(
    method: string,
    path: string,
    options?: {
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      readonly body?: string | undefined;
    },
  ): Promise<Answer>;
}

/** What a test says of the server. */
export interface StageOptions {
  readonly auth?: Partial<AuthConfig>;
  readonly baseUrl?: string;
  readonly allowedHosts?: readonly string[];
  /** Replaces parts of the identity. */
  readonly identity?: Partial<Identity>;
  readonly administration?: Partial<Administration>;
  /** Those who are known by a token or session of their name. */
  readonly people?: readonly Principal[];
  /** Whether a principal sees a tool. */
  readonly sees?: (principal: Principal, tool: string) => boolean;
  readonly mcpMounted?: boolean;
  /** Replaces parts of what the server knows of connections. */
  readonly connections?: Partial<ConnectionParts>;
  readonly credentials?: Partial<CredentialResolver>;
  /** Further providers. */
  readonly catalog?: Catalog;
  readonly authorizationServer?: AuthorizationServer;
  readonly oidcSignIn?: OidcSignIn;
  /** Where they differ from the usual ones. */
  readonly requests?: Partial<RequestLimits>;
  readonly connectionLimits?: Partial<ConnectionLimits>;
  readonly trustedProxies?: readonly string[];
  readonly management?: { readonly host: string; readonly port: number };
  /** Whether every provider was tried once. Default true. */
  readonly isStarted?: boolean;
}

const customerSchema = {
  type: "object",
  properties: { customer_id: { type: "string" } },
  additionalProperties: false,
};

/** Two providers with an operation that declares `customer_id` and one that does not. */
export const stageCatalog: Catalog = mergeCatalog(
  [
    makeProviderCatalog("books", [
      makeTool("books_find", { operation: "find" }),
      makeTool("books_bill", { operation: "bill", inputSchema: customerSchema }),
      makeTool("books_add", {
        operation: "add",
        annotations: {
          readOnlyHint: false,
          destructiveHint: false,
          idempotentHint: false,
          openWorldHint: true,
        },
      }),
    ]),
    makeProviderCatalog("vault", [
      makeTool("vault_open", { operation: "open" }),
      makeTool("vault_bill", { operation: "bill", inputSchema: customerSchema }),
    ]),
  ],
  new Map(),
).catalog;

/** Starts it; `ada` (a user of `default`) and `bot` (a service that may act for `acme`) are known by default. */
export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const log: string[] = [];
  const calls: Invocation[] = [];
  const asked: { presented: string; actFor: string | undefined }[] = [];
  const attempts: SignIn[] = [];
  const ended: string[] = [];
  const auth: AuthConfig = {
    provider: "local",
    apiTokenMilliseconds: 1_000,
    sessionMilliseconds: 1_000,
    sessionIdleMilliseconds: 1_000,
    queryToken: undefined,
    oidc: undefined,
    trustedIssuers: [],
    authorizationServer: undefined,
    ...options.auth,
  };
  const people = options.people ?? [principalOf("user", "ada"), principalOf("service", "bot")];
  const find = (presented: "token" | "session", value: string): Principal | undefined =>
    people.find(({ id }) => value === (presented === "token" ? token(id) : session(id)));

  const administration = {
    ...refusingAdministration(),
    ...options.administration,
  };
  const identity: Identity = {
    authenticate: async (presented, actFor) => {
      const value = presented.kind === "nothing" ? "" : presented.token.reveal();
      asked.push({ presented: `${presented.kind} ${value}`.trim(), actFor });
      if (auth.provider === "none" && actFor === undefined) return principalOf("anonymous");
      const person = presented.kind === "nothing" ? undefined : find(presented.kind, value);
      if (person === undefined && auth.provider !== "none")
        throw new GatewayError("unauthenticated", "Authentication is required.");
      if (person === undefined || (actFor !== undefined && actFor !== "acme" && actFor !== person.home))
        throw new GatewayError("forbidden", "The caller may not act for this tenant.");
      const kind = presented.kind === "session" ? "session" : "token";
      return { ...person, tenant: actFor ?? person.tenant, credential: { kind, id: `of-${person.id}` } };
    },
    signIn: async (attempt) => {
      attempts.push(attempt);
      if (attempt.name === "busy")
        throw new GatewayError("rate_limited", "Too many attempts.", { details: { retry_after: 7.2 } });
      if (attempt.name === "down") throw new GatewayError("store_unavailable", "The store is away.");
      if (attempt.password.reveal() !== "correct horse")
        throw new GatewayError("unauthenticated", "Name or password is wrong.");
      return {
        principal: principalOf("user", attempt.name),
        session: new Secret(session(attempt.name)),
        milliseconds: 3_600_000,
      };
    },
    signInBy: () => Promise.reject(new GatewayError("not_found", "Nobody.")),
    signOut: async (presented) => {
      if (presented.kind === "session") ended.push(presented.token.reveal());
    },
    administration: () => administration,
    lookUp: () => Promise.reject(new GatewayError("not_found", "Nobody.")),
    close: async () => {},
    ...options.identity,
  };

  const snapshot = new CatalogSnapshot();
  snapshot.swap(options.catalog ?? stageCatalog);
  const sees = options.sees ?? (() => true);
  const view = (principal: Principal, surface: "mcp" | "api"): CatalogView =>
    narrow(createView(snapshot.catalog, surface), (tool) => sees(principal, tool));
  const server = await startServer({
    limits: () => ({
      ...usualLimits,
      requests: { ...usualLimits.requests, ...options.requests },
      connections: { ...usualLimits.connections, ...options.connectionLimits },
    }),
    config: {
      ...usualServer,
      trustedProxies: options.trustedProxies ?? [],
      management: options.management,
      host: "127.0.0.1",
      port: 0,
      baseUrl: options.baseUrl,
      allowedHosts: options.allowedHosts ?? [],
    },
    snapshot,
    identity,
    view,
    auth: () => auth,
    address: createOwnAddress(() => ({ host: "127.0.0.1", port: 0, baseUrl: options.baseUrl })),
    broker: createBroker({
      view: ({ principal, via }) => view(principal, via === "mcp" ? "mcp" : "api"),
      cleanArguments: (_tool, given) => given,
      checkArguments: createArgumentChecker(),
      couldAllow: () => true,
      authorizeArguments: () => {},
      credentials: { ...noCredentials, ...options.credentials },
      executor: () => ({
        execute: async (invocation) => {
          calls.push(invocation);
          return {
            kind: "http",
            status: 200,
            headers: { "content-type": "application/json" },
            body: Buffer.from("{}"),
            isError: false,
          };
        },
      }),
      interceptors: [],
    }),
    mcpMounted: () => options.mcpMounted ?? true,
    ...noConnections,
    ...options.connections,
    authorizationServer: options.authorizationServer,
    oidcSignIn: options.oidcSignIn,
    log: (message, cause) => log.push(`${message} ${cause instanceof Error ? cause.stack : ""}`),
  });
  if (options.isStarted !== false) server.markStarted();
  return {
    server,
    log,
    calls,
    asked,
    attempts,
    ended,
    send: (method, path, sent = {}) => send(server.url, method, path, sent.headers ?? {}, sent.body),
    [Symbol.asyncDispose]: () => server.drain(0),
  };
}

/** An administration that refuses everything. */
function refusingAdministration(): Administration {
  const refuse = (): Promise<never> => Promise.reject(new GatewayError("forbidden", "Not for you."));
  return {
    listUsers: refuse,
    createUser: refuse,
    updateUser: refuse,
    removeUser: refuse,
    listTokens: refuse,
    createToken: refuse,
    rotateToken: refuse,
    revokeToken: refuse,
    listSessions: refuse,
    revokeSession: refuse,
    listGrants: refuse,
    revokeGrant: refuse,
    listRegistrations: refuse,
    revokeClient: refuse,
    listTenants: refuse,
    getTenant: refuse,
    createTenant: refuse,
    updateTenant: refuse,
    removeTenant: refuse,
  };
}

function narrow(view: CatalogView, sees: (tool: string) => boolean): CatalogView {
  const tools = view.tools.filter(({ name }) => sees(name));
  const known = new Set(tools.map(({ provider }) => provider));
  return {
    ...view,
    tools,
    findTool: (name) => tools.find((tool) => tool.name === name),
    findOperation: (provider, operation) =>
      tools.find((tool) => tool.provider === provider && tool.operation === operation),
    providers: view.providers.filter(({ name }) => known.has(name)),
    notice: tools.length === 0 ? "No tools configured." : undefined,
  };
}

function send(
  url: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string | readonly string[]>>,
  body: string | undefined,
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        hostname,
        port,
        method,
        path,
        agent: false,
        headers: {
          ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
          ...Object.fromEntries(
            Object.entries(headers).map(([name, value]) => [
              name,
              typeof value === "string" ? value : [...value],
            ]),
          ),
        },
      },
      async (response) => {
        let text = "";
        for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

function parse(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as JsonValue;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
  } catch {
    return {};
  }
}
