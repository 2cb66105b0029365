import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createBroker } from "../../../src/broker/broker.ts";
import type { CredentialResolver } from "../../../src/broker/credential-resolver.ts";
import { digestOf } from "../../../src/catalog/digest.ts";
import { mergeCatalog } from "../../../src/catalog/merge.ts";
import { CatalogSnapshot } from "../../../src/catalog/snapshot.ts";
import { type CatalogView, indexCatalog, selectView } from "../../../src/catalog/view.ts";
import { GatewayError } from "../../../src/errors.ts";
import type { Catalog, ProviderCatalog, Tool } from "../../../src/model/catalog.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject, JsonSchema } from "../../../src/model/json.ts";
import type { ConnectionLimits } from "../../../src/model/limits.ts";
import type { Principal } from "../../../src/model/principal.ts";
import type { HttpResult, InvocationResult } from "../../../src/model/result.ts";
import type { ConnectionParts } from "../../../src/server/connection-parts.ts";
import { createHttpServer } from "../../../src/server/create-http-server.ts";
import { createMcpEndpoint } from "../../../src/server/mcp/endpoint.ts";
import { defaultLimits, type McpLimits } from "../../../src/server/mcp/limits.ts";
import type { StdioConnection, StdioStreams } from "../../../src/server/mcp/stdio-endpoint.ts";
import { usualLimits } from "../../limits.ts";
import { principalOf } from "../../principals.ts";
import { noConnections, noCredentials } from "../no-connections.ts";
import { makeTool } from "./make-tool.ts";
import { executorOf, makeServer, type TestServer } from "./test-servers.ts";

export { makeTool };

/** What a tool of the test catalog does when it is called. */
export type Behaviour = (invocation: Invocation) => InvocationResult | Promise<InvocationResult>;

/** A tool of the test catalog. */
export interface TestTool {
  readonly inputSchema?: JsonSchema;
  readonly outputSchema?: JsonSchema;
  /** Default: `test`, which calls itself Test System. */
  readonly provider?: string;
  /** Default: none. */
  readonly connection?: string;
  readonly run: Behaviour;
}

/** What may be different from one endpoint to another. */
export interface EndpointOptions {
  readonly limits?: Partial<McpLimits>;
  readonly connectionLimits?: Partial<ConnectionLimits>;
  readonly now?: () => number;
  /** Default: none, so that each endpoint has a key of its own. */
  readonly requestStateKeys?: readonly Uint8Array[];
  /** Default: whom the `x-user` header names, as `ID` or `ID@TENANT`; `nobody` is refused. */
  readonly authenticate?: (request: IncomingMessage) => Promise<Principal>;
  /** Providers with MCP servers; default: none. */
  readonly servers?: readonly TestServer[];
  /** Default: everybody sees everything. Asked about the entries of servers as well. */
  readonly sees?: (principal: Principal, tool: Tool) => boolean;
  /** For those who see nothing. */
  readonly notice?: string;
  /** Replaces parts of what is known of connections. */
  readonly connections?: Partial<ConnectionParts>;
  readonly credentials?: Partial<CredentialResolver>;
}

/** A gateway endpoint that listens on a free port. */
export interface TestEndpoint {
  readonly url: string;
  readonly snapshot: CatalogSnapshot;
  readonly logged: string[];
  /** Offers these tools from now on. */
  offer(tools: Readonly<Record<string, TestTool>>): void;
  /** Has these MCP servers from now on. */
  serve(servers: readonly TestServer[]): void;
  /** Speaks to a client over pipes. */
  connectStdio(streams: StdioStreams, authenticate: () => Promise<Principal>): StdioConnection;
  /** Ends waiting streams, as a drain does. */
  drain(): void;
  close(): Promise<void>;
}

/** A catalog of these tools. */
export function makeCatalog(
  tools: readonly Tool[],
  mcpEnabled = true,
  servers: readonly TestServer[] = [],
): Catalog {
  const names = new Set(["test", ...tools.map(({ provider }) => provider)]);
  const providers = [...names].map((name): ProviderCatalog => {
    const own = tools.filter(({ provider }) => provider === name);
    return {
      version: digestOf([name, mcpEnabled, ...own]),
      toolPrefix: "",
      name,
      displayName: name === "test" ? "Test System" : name,
      description: undefined,
      mcpEnabled,
      tenants: undefined,
      state: "ready",
      reason: undefined,
      surfaces: [],
      connections: [],
      tools: own,
    };
  });
  return mergeCatalog([...providers, ...servers.map(makeServer)], new Map()).catalog;
}

/** An upstream's JSON answer. */
export function jsonAnswer(value: unknown, status = 200): HttpResult {
  return httpAnswer(JSON.stringify(value), "application/json", status);
}

/** An upstream's answer. */
export function httpAnswer(body: string | Uint8Array, contentType: string, status = 200): HttpResult {
  return {
    kind: "http",
    status,
    headers: contentType === "" ? {} : { "content-type": contentType },
    body: Buffer.from(body),
    isError: status >= 400,
  };
}

/** Resolves when the call is cancelled. */
export function cancellation(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Views as an authorizer gives them: the same tools are the same view. */
function createViews(
  snapshot: CatalogSnapshot,
  { sees, notice }: EndpointOptions,
): (principal: Principal) => CatalogView {
  const views = new WeakMap<Catalog, Map<string, CatalogView>>();
  return (principal) => {
    if (sees === undefined) return snapshot.view("mcp");
    const { catalog } = snapshot;
    const { providers } = catalog;
    const isSeen = (tool: Tool): boolean =>
      sees(principal, tool) && providers.some(({ name, mcpEnabled }) => mcpEnabled && name === tool.provider);
    const entries = providers.flatMap((provider) => Object.values(provider.entries ?? {}));
    const seen = new Set([...catalog.tools, ...entries].filter(isSeen));
    const key = [...seen].map(({ provider, name }) => `${provider}/${name}`).join(" ");
    const known = views.get(catalog) ?? new Map<string, CatalogView>();
    views.set(catalog, known);
    const view =
      known.get(key) ??
      selectView(indexCatalog(catalog), {
        includes: (position) => catalog.tools.some((tool, at) => at === position && seen.has(tool)),
        names: ({ name }) => [...seen].some(({ provider }) => provider === name),
        allows: ({ entries }, feature) => {
          const entry = entries?.[feature];
          return entry !== undefined && seen.has(entry);
        },
        isEverybodys: false,
        notice: seen.size === 0 ? notice : undefined,
      });
    known.set(key, view);
    return view;
  };
}

/** Starts an endpoint with a real broker in front of the tools' behaviours. */
export async function startEndpoint(
  tools: Readonly<Record<string, TestTool>>,
  options: EndpointOptions = {},
): Promise<TestEndpoint> {
  const snapshot = new CatalogSnapshot();
  let offered = tools;
  let servers = options.servers ?? [];
  const publish = (): void => {
    const made = Object.entries(offered).map(([name, tool]) =>
      makeTool(name, tool.inputSchema, tool.outputSchema, tool.provider, tool.connection),
    );
    snapshot.swap(makeCatalog(made, true, servers));
  };
  const offer = (next: Readonly<Record<string, TestTool>>): void => {
    offered = next;
    publish();
  };
  const serve = (next: readonly TestServer[]): void => {
    servers = next;
    publish();
  };
  publish();
  const logged: string[] = [];
  const view = createViews(snapshot, options);
  const { limits, now, requestStateKeys, authenticate = createNameTags() } = options;
  const broker = createBroker({
    view: ({ principal }) => view(principal),
    cleanArguments: (_tool, given) => given,
    checkArguments: checkRequired,
    couldAllow: () => true,
    authorizeArguments: () => {},
    credentials: { ...noCredentials, ...options.credentials },
    executor: (tool) => {
      const server = servers.find(({ provider }) => provider === tool.provider);
      if (server !== undefined) return executorOf(server);
      const behaviour = offered[tool.name]?.run;
      return behaviour && { execute: async (invocation) => behaviour(invocation) };
    },
    interceptors: [],
  });
  const endpoint = createMcpEndpoint({
    broker,
    snapshot,
    view,
    version: "1.2.3",
    ...noConnections,
    ...options.connections,
    authenticate: ({ request }) => authenticate(request),
    log: (message, cause) => logged.push(`${message} ${String(cause)}`),
    limits: { ...defaultLimits, ...limits },
    ...(now && { now }),
    ...(requestStateKeys && { requestStateKeys: () => requestStateKeys }),
  });
  const { server } = createHttpServer({
    limits: () => ({
      ...usualLimits,
      connections: { ...usualLimits.connections, ...options.connectionLimits },
    }),
    trustedProxies: [],
    handle: (exchange) => {
      const { response } = exchange;
      endpoint.handle({ ...exchange, path: "/mcp", query: "" }).catch((error: unknown) => {
        logged.push(`unhandled ${String(error)}`);
        const code = error instanceof GatewayError ? error.code : "internal";
        const status = code === "unauthenticated" ? 401 : code === "store_unavailable" ? 503 : 500;
        if (response.headersSent) response.destroy();
        else response.writeHead(status).end();
      });
    },
    log: (message) => logged.push(message),
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    snapshot,
    logged,
    offer,
    serve,
    connectStdio: (...client) => endpoint.connectStdio(...client),
    drain: () => endpoint.close(),
    close: async () => {
      endpoint.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Believes the `x-user` header; the same name is the same principal. */
function createNameTags(): (request: IncomingMessage) => Promise<Principal> {
  const known = new Map<string, Principal>();
  return async ({ headers }) => {
    const tag = String(headers["x-user"] ?? "anonymous");
    const [id = "anonymous", tenant = "default"] = tag.split("@");
    if (id === "nobody") throw new GatewayError("unauthenticated", "Sign in first.");
    const principal = known.get(tag) ?? principalOf("user", id, tenant);
    known.set(tag, principal);
    return principal;
  };
}

function checkRequired(tool: Tool, given: JsonObject): void {
  const required = Array.isArray(tool.inputSchema["required"]) ? tool.inputSchema["required"] : [];
  const missing = required.filter((name) => typeof name === "string" && !Object.hasOwn(given, name));
  if (missing.length > 0) throw new GatewayError("invalid_arguments", `Missing: ${missing.join(", ")}`);
}
