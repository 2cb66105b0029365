import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createBroker } from "../../../src/broker/broker.ts";
import { digestOf } from "../../../src/catalog/digest.ts";
import { mergeCatalog } from "../../../src/catalog/merge.ts";
import { CatalogSnapshot } from "../../../src/catalog/snapshot.ts";
import { GatewayError } from "../../../src/errors.ts";
import type { Catalog, Tool } from "../../../src/model/catalog.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject, JsonSchema } from "../../../src/model/json.ts";
import type { Principal } from "../../../src/model/principal.ts";
import type { HttpResult, InvocationResult } from "../../../src/model/result.ts";
import { createMcpEndpoint } from "../../../src/server/mcp/endpoint.ts";
import type { McpLimits } from "../../../src/server/mcp/limits.ts";

/** What a tool of the test catalog does when it is called. */
export type Behaviour = (invocation: Invocation) => InvocationResult | Promise<InvocationResult>;

/** A tool of the test catalog. */
export interface TestTool {
  readonly inputSchema?: JsonSchema;
  readonly outputSchema?: JsonSchema;
  readonly run: Behaviour;
}

/** A gateway endpoint that listens on a free port. */
export interface TestEndpoint {
  readonly url: string;
  readonly snapshot: CatalogSnapshot;
  readonly logged: string[];
  /** Offers these tools from now on. */
  offer(tools: Readonly<Record<string, TestTool>>): void;
  /** Ends waiting streams, as a drain does. */
  drain(): void;
  close(): Promise<void>;
}

/** A tool as a compiler would make it. */
export function makeTool(name: string, inputSchema?: JsonSchema, outputSchema?: JsonSchema): Tool {
  return {
    name,
    operation: name,
    id: name,
    provider: "test",
    surface: "rest",
    responseMapping: undefined,
    origin: "declared",
    method: "POST",
    path: `/${name}`,
    tags: [],
    deprecated: false,
    title: undefined,
    description: `Runs ${name}.`,
    inputSchema: inputSchema ?? { type: "object", properties: {} },
    outputSchema,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
    binding: {
      kind: "http",
      method: "POST",
      baseUrl: "http://internal.invalid",
      addressFrom: "operator",
      path: `/${name}`,
      parameters: [],
      body: undefined,
      accept: "application/json",
    },
    connection: undefined,
    place: undefined,
  };
}

/** A catalog of these tools. */
export function makeCatalog(tools: readonly Tool[], mcpEnabled = true): Catalog {
  const provider = {
    version: digestOf([mcpEnabled, ...tools]),
    toolPrefix: "",
    name: "test",
    displayName: "Test System",
    description: undefined,
    mcpEnabled,
    state: "ready",
    reason: undefined,
    surfaces: [],
    connections: [],
    tools,
  } as const;
  return mergeCatalog([provider], new Map()).catalog;
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

/** Starts an endpoint with a real broker in front of the tools' behaviours. The `x-user` header says who is calling. */
export async function startEndpoint(
  tools: Readonly<Record<string, TestTool>>,
  options: { readonly limits?: Partial<McpLimits>; readonly now?: () => number } = {},
): Promise<TestEndpoint> {
  const snapshot = new CatalogSnapshot();
  let offered = tools;
  const offer = (next: Readonly<Record<string, TestTool>>): void => {
    offered = next;
    const made = Object.entries(next).map(([name, tool]) =>
      makeTool(name, tool.inputSchema, tool.outputSchema),
    );
    snapshot.swap(makeCatalog(made));
  };
  offer(tools);
  const logged: string[] = [];
  const broker = createBroker({
    view: () => snapshot.view("mcp"),
    cleanArguments: (_tool, given) => given,
    checkArguments: checkRequired,
    credentials: { resolve: async () => ({ reference: undefined, headers: {}, query: {} }) },
    executor: (tool) => {
      const behaviour = offered[tool.name]?.run;
      return behaviour && { execute: async (invocation) => behaviour(invocation) };
    },
    interceptors: [],
  });
  const endpoint = createMcpEndpoint({
    broker,
    snapshot,
    version: "1.2.3",
    authenticate: async ({ request }) => principalOf(request),
    log: (message, cause) => logged.push(`${message} ${String(cause)}`),
    ...options,
  });
  const server = createServer((request, response) => {
    const leaving = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) leaving.abort();
    });
    endpoint
      .handle({ request, response, path: "/mcp", query: "", signal: leaving.signal })
      .catch((error: unknown) => {
        logged.push(`unhandled ${String(error)}`);
        const isStranger = error instanceof GatewayError && error.code === "unauthenticated";
        if (response.headersSent) response.destroy();
        else response.writeHead(isStranger ? 401 : 500).end();
      });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    snapshot,
    logged,
    offer,
    drain: () => endpoint.close(),
    close: async () => {
      endpoint.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function principalOf(request: IncomingMessage): Principal {
  const [id = "anonymous", tenant = "default"] = String(request.headers["x-user"] ?? "anonymous").split("@");
  if (id === "nobody") throw new GatewayError("unauthenticated", "Sign in first.");
  return { kind: "user", id, tenant };
}

function checkRequired(tool: Tool, given: JsonObject): void {
  const required = Array.isArray(tool.inputSchema["required"]) ? tool.inputSchema["required"] : [];
  const missing = required.filter((name) => typeof name === "string" && !Object.hasOwn(given, name));
  if (missing.length > 0) throw new GatewayError("invalid_arguments", `Missing: ${missing.join(", ")}`);
}
